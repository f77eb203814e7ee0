"""What somebody tells a running execution: by name, with data."""

from collections.abc import Mapping
from typing import Final

from oncue.core.errors import Conflict, InvalidInput, Problem
from oncue.core.json_text import Json
from oncue.core.problems import nearest
from oncue.core.workflow.records import DoubtResolved, Verdict
from oncue.engine.execute import Executor
from oncue.ports import Journal

IN_DOUBT: Final = "in_doubt"
_KNOWN: Final = (IN_DOUBT,)


class Signals:
    """Lets executions go on that wait for somebody."""

    def __init__(self, journal: Journal, executor: Executor) -> None:
        self._journal = journal
        self._executor = executor

    async def send(self, account: str, execution_id: str, name: Json, data: Json) -> None:
        """
        Return when it is written down that an execution was told.

        Raises:
            NotFound: this account has none of that id.
            InvalidInput: the signal means nothing.
            Conflict: nothing in it waits for that.
        """
        await self._journal.load(account, execution_id)
        if name not in _KNOWN:
            known = nearest(name, _KNOWN) if isinstance(name, str) else ""
            raise InvalidInput(
                [Problem("name", f"expected one of {', '.join(_KNOWN)}, got {name!r}{known}")]
            )
        resolved = _resolved(data)
        if not await self._executor.tell(account, execution_id, resolved):
            raise Conflict(
                f"expected a step that asks what became of its call, got {resolved.path!r}"
            )


def _resolved(data: Json) -> DoubtResolved:
    given = data if isinstance(data, Mapping) else {}
    problems: list[Problem] = []
    if not isinstance(data, Mapping):
        problems.append(Problem("data", "expected an object with 'step' and 'outcome'"))
    step, outcome = given.get("step"), given.get("outcome")
    if not isinstance(step, str) and given:
        problems.append(Problem("data.step", f"expected the path of a step, got {step!r}"))
    if outcome not in list(Verdict) and given:
        expected = ", ".join(Verdict)
        problems.append(Problem("data.outcome", f"expected one of {expected}, got {outcome!r}"))
    if problems or not given:
        raise InvalidInput(problems or [Problem("data", "expected 'step' and 'outcome', got none")])
    return DoubtResolved(str(step), Verdict(str(outcome)), given.get("output"))
