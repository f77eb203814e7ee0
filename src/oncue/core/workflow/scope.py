"""What the templates of a step may read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from oncue.core.errors import EvaluationError
from oncue.core.expression import Expression, Spot, Template, to_json
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.workflow.plan import Plan
from oncue.core.workflow.state import ExecutionState, StepState


@dataclass(frozen=True, slots=True)
class Scope:
    """
    The place of a block: the steps that it sees, and the variables of the loops around it.

    `steps` grows as the block is walked; a block within it sees what was there when it began.
    """

    plan: Plan
    state: ExecutionState
    now_ms: int
    steps: dict[str, Json] = field(default_factory=dict)
    variables: Mapping[str, Json] = field(default_factory=dict)

    def inner(self, variables: Mapping[str, Json] | None = None) -> "Scope":
        """Return the place of a block within this one."""
        return Scope(
            self.plan,
            self.state,
            self.now_ms,
            {**self.steps},
            {**self.variables, **variables} if variables else self.variables,
        )

    def show(self, step: StepState, id_: str) -> None:
        """Let what follows see a step."""
        shown: dict[str, Json] = {"output": step.output, "status": step.status.value}
        if step.error is not None:
            shown["error"] = step.error
        self.steps[id_] = shown

    def render(self, source: Template | Expression) -> Json:
        """
        Return what `source` gives here.

        Raises:
            EvaluationError: a value is missing, or not of the right kind.
        """
        if isinstance(source, Expression):
            return to_json(source.evaluate(self._values()))
        return source.render(self._values())

    def render_concealed(self, source: Template) -> tuple[Json, list[Spot]]:
        """
        Return what `source` gives here but for its secrets, and where these belong.

        Raises:
            EvaluationError: a value is missing, or not of the right kind.
        """
        return source.render_concealed(self._values())

    def holds(self, test: Expression) -> bool:
        """
        Return whether `test` holds here.

        Raises:
            EvaluationError: it cannot be told; or it gives no bool.
        """
        found = test.evaluate(self._values())
        if found is True or found is False:
            return found
        raise EvaluationError(f"expected a bool from {test.text!r}, got {found!r}")

    def _values(self) -> dict[str, object]:
        start = self.state.start
        return {
            "event": start.event,
            "match": start.match,
            "input": start.input,
            "steps": self.steps,
            "vars": {**start.vars, **self.plan.vars} if start.vars else self.plan.vars,
            "connected": start.connected or {},
            "execution": {"id": start.execution_id, "now": format_instant(self.state.now_ms)},
            **self.variables,
        }
