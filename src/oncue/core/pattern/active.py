"""From a document to a pattern that can match, or to the list of all that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import Template, compile_template
from oncue.core.json_text import Json
from oncue.core.pattern.definition import FIELD_NAMES, Pattern
from oncue.core.pattern.keys import ROOTS
from oncue.core.pattern.plan import ActivePattern, Plan
from oncue.core.pattern.planning import plan_condition
from oncue.core.problems import problems_of

_INPUT_ROOTS: Final = (*ROOTS, "match")


@dataclass(frozen=True, slots=True)
class ParsedPattern:
    """A pattern that can match. `document` is what to store: as written."""

    definition: Pattern
    document: Mapping[str, Json]
    plan: Plan
    input: Template | None

    def named(
        self, id_: str, version: int, state_version: int, workflow_id: str | None
    ) -> ActivePattern:
        """Return it as what the catalog knows it as."""
        return ActivePattern(
            id_,
            self.definition.name,
            version,
            state_version,
            workflow_id,
            self.input,
            self.plan,
        )


def parse_pattern(document: Json) -> ParsedPattern:
    """
    Return the pattern that `document` spells.

    Raises:
        InvalidInput: with all problems.
    """
    try:
        definition = Pattern.model_validate(document)
    except ValidationError as exc:
        raise InvalidInput(problems_of(exc, document, names=FIELD_NAMES)) from exc
    assert isinstance(document, Mapping)
    problems: list[Problem] = []
    plan = template = None
    try:
        plan = plan_condition(definition.pattern, "pattern")
    except InvalidInput as exc:
        problems += exc.problems
    if "input" in definition.model_fields_set:
        try:
            template = compile_template(definition.input, roots=_INPUT_ROOTS, path="input")
        except InvalidInput as exc:
            problems += exc.problems
    if plan is None or problems:
        raise InvalidInput(problems)
    return ParsedPattern(definition, document, plan, template)


def matches_otherwise(before: Mapping[str, Json], after: Mapping[str, Json]) -> bool:
    """Return whether two documents differ in what they match, and not only in what follows."""
    return _matching(before) != _matching(after)


def _matching(document: Mapping[str, Json]) -> dict[str, Json]:
    pattern = document["pattern"]
    assert isinstance(pattern, Mapping)
    return {name: value for name, value in pattern.items() if name not in _AFTER_MATCHING}


_AFTER_MATCHING: Final = frozenset(("cooldown", "max_events", "limits", "backfill", "misfire"))
