"""
Keys: by what the events of a pattern are told apart, as canonical JSON text.

    by: [event.subject, event.data.n]   gives   '["anna",7]', and '' without `by`

Equal numbers are spelled alike, however they were written: 1, 1.0 and 1e0 are `1`, and every
whole number has all its digits. Members of objects are sorted. All else is told apart by its
spelling: 1, "1" and true differ. The order of keys is that of their text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import msgspec

from oncue.core.errors import EvaluationError, InvalidInput, Problem
from oncue.core.event import Event
from oncue.core.expression import Checked, check_expression
from oncue.core.expression.compiler import compile_body
from oncue.core.expression.json_values import to_json
from oncue.core.expression.writing import Part
from oncue.core.json_text import Json
from oncue.core.pattern.canonical import canonical
from oncue.core.pattern.reading import PARAMETERS, read_event, straighten

OnMissing = Literal["skip", "null_key"]
KeyText: TypeAlias = Callable[[Event, Mapping[str, Json]], str | None]

ROOTS: Final = ("event",)


@dataclass(frozen=True, slots=True, eq=False)
class KeyOf:
    """
    How the key of an event is found.

    `text` takes an event and the values that expressions read, and gives its key; None,
    if the event lacks a part of it and that matters. `told` are the parts of a match's key,
    where that is another than the one of its events.
    """

    by: tuple[str, ...]
    text: KeyText = field(repr=False)
    told: tuple[str, ...] | None = None

    def named(self, text: str) -> dict[str, Json]:
        """Return the parts of an event's key by their paths."""
        return _named(self.by, text)

    def named_match(self, text: str) -> dict[str, Json]:
        """Return the parts of a match's key by their names."""
        return _named(self.by if self.told is None else self.told, text)


def _named(names: Sequence[str], text: str) -> dict[str, Json]:
    parts = msgspec.json.decode(text) if text else []
    return dict(zip(names, parts, strict=True))


def compile_key(by: Sequence[str], on_missing_key: OnMissing, path: str) -> KeyOf:
    """
    Return the key of a pattern that stands at `path` of its document.

    Raises:
        InvalidInput: with all problems.
    """
    problems: list[Problem] = []
    parts: list[Checked] = []
    for place, text in enumerate(by):
        try:
            parts.append(check_expression(text, roots=ROOTS, path=f"{path}.by[{place}]"))
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if problems:
        raise InvalidInput(problems)
    return KeyOf(tuple(by), _compile(parts, takes_null=on_missing_key == "null_key"))


def _compile(parts: Sequence[Checked], *, takes_null: bool) -> KeyText:
    trees = [straighten(part.tree) for part in parts]

    def write(part: Part) -> None:
        encode = part.module.name_constant("encode", _encode)
        spell = part.module.name_constant("spell", _spell)
        names: list[str] = []
        with read_event(part, trees):
            for tree in trees:
                name = part.fresh("part")
                with part.block("try:"):
                    part.line(f"{name} = {part.emit(tree)}")
                missing = f"{name} = None" if takes_null else "return None"
                part.line(f"except EvaluationError: {missing}")
                names.append(name)
        if len(names) == 1:
            # Measured: with the encoder 100 ns; with a look for what needs an escape 140.
            part.line(f"if {names[0]}.__class__ is str: return {encode}([{names[0]}]).decode()")
        part.line(
            f"return {spell}([{', '.join(names)}], takes_null={takes_null})"
            if names
            else "return ''"
        )

    text: KeyText
    text, _ = compile_body("text", PARAMETERS, write)
    return text


_encode: Final = msgspec.json.encode


def _spell(parts: Sequence[object], *, takes_null: bool) -> str | None:
    spelled: list[Json] = []
    for part in parts:
        try:
            value = canonical(to_json(part))
        except EvaluationError:
            value = None
        if value is None and not takes_null:
            return None
        spelled.append(value)
    return _encode(spelled).decode()
