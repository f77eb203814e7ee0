"""From a document to a pattern that can match, or to the list of all that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from pydantic import ValidationError

from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import Template, compile_template
from oncue.core.json_text import Json
from oncue.core.pattern.definition import Pattern
from oncue.core.pattern.kinds.event import EventPattern
from oncue.core.pattern.kinds.shared import Cooldown
from oncue.core.pattern.selection import (
    ROOTS,
    KeyOf,
    Selection,
    compile_key,
    compile_selection,
)
from oncue.core.problems import problems_of

_INPUT_ROOTS: Final = (*ROOTS, "match")


@dataclass(frozen=True, slots=True, eq=False)
class ActivePattern:
    """One version of a pattern, ready to match."""

    id: str
    name: str
    version: int
    state_version: int
    workflow_id: str | None
    input: Template | None
    selection: Selection
    key: KeyOf
    max_events: int
    cooldown: Cooldown | None


@dataclass(frozen=True, slots=True)
class ParsedPattern:
    """A pattern that can match. `document` is what to store: as written."""

    definition: Pattern
    document: Mapping[str, Json]
    active: ActivePattern

    def named(
        self, id_: str, version: int, state_version: int, workflow_id: str | None
    ) -> ActivePattern:
        """Return it as what the catalog knows it as."""
        return replace(
            self.active,
            id=id_,
            version=version,
            state_version=state_version,
            workflow_id=workflow_id,
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
        raise InvalidInput(problems_of(exc, document, names=_FIELD_NAMES)) from exc
    assert isinstance(document, Mapping)
    problems: list[Problem] = []
    selection = key = template = None
    pattern = definition.pattern
    try:
        selection = compile_selection(pattern, "pattern")
    except InvalidInput as exc:
        problems += exc.problems
    try:
        key = compile_key(pattern.by, pattern.on_missing_key, "pattern")
    except InvalidInput as exc:
        problems += exc.problems
    if "input" in definition.model_fields_set:
        try:
            template = compile_template(definition.input, roots=_INPUT_ROOTS, path="input")
        except InvalidInput as exc:
            problems += exc.problems
    if selection is None or key is None or problems:
        raise InvalidInput(problems)
    active = ActivePattern(
        id="",
        name=definition.name,
        version=0,
        state_version=0,
        workflow_id=None,
        input=template,
        selection=selection,
        key=key,
        max_events=pattern.max_events,
        cooldown=_cooldown(pattern),
    )
    return ParsedPattern(definition, document, active)


def matches_otherwise(before: Mapping[str, Json], after: Mapping[str, Json]) -> bool:
    """Return whether two documents differ in what they match."""
    return _matching(before) != _matching(after)


def _matching(document: Mapping[str, Json]) -> dict[str, Json]:
    pattern = document["pattern"]
    assert isinstance(pattern, Mapping)
    return {name: value for name, value in pattern.items() if name not in _AFTER_MATCHING}


_AFTER_MATCHING: Final = frozenset(("cooldown", "max_events"))
_FIELD_NAMES: Final = tuple(
    field.alias or name
    for model in (Pattern, EventPattern, Cooldown)
    for name, field in model.model_fields.items()
)


def _cooldown(pattern: EventPattern) -> Cooldown | None:
    given = pattern.cooldown
    if isinstance(given, int):
        return Cooldown.model_construct(for_=given, per="key")
    return given
