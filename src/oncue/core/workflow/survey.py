"""
What else is wrong with a document whose shape is wrong.

A document that is no workflow cannot be compiled; its expressions can be looked
at all the same, so that all problems come at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import compile_expression, compile_template, everywhere, nowhere
from oncue.core.instants import parse_duration, parse_instant
from oncue.core.json_text import Json
from oncue.core.problems import nearest
from oncue.core.workflow.compile import Library

_EXPRESSIONS = frozenset(("if", "while", "expr"))
# Whether the step is one that may read secrets there is not looked at.
_CONCEALING = re.compile(r"\.(with|headers|auth|url)\b")
_BLOCKS = frozenset(("steps", "on_failure", "then", "else", "default", "on_error"))
_ROOTS = ("event", "match", "input", "steps", "vars", "execution", "item", "index", "callback_url")


def survey(document: Json, library: Library) -> Iterator[Problem]:
    """Yield what is wrong with the expressions, actions, delays and ids in `document`."""
    if isinstance(document, Mapping):
        yield from _repeated(document)
        roots = (*_ROOTS, *_loop_variables(document))
        for name in ("steps", "on_failure", "output"):
            yield from _look(document.get(name), name, roots, library)
        on = document.get("on")
        for path, trigger in [("on", on)] if not isinstance(on, list) else _members(on, "on"):
            if isinstance(trigger, Mapping) and isinstance(where := trigger.get("where"), str):
                yield from _expression(where, f"{path}.where", ("event",))


def _look(value: Json, path: str, roots: tuple[str, ...], library: Library) -> Iterator[Problem]:
    match value:
        case str() if "{{" in value:
            yield from _template(value, path, roots)
        case list():
            for place, item in _members(value, path):
                yield from _look(item, place, roots, library)
        case Mapping():
            if value.get("type") == "action" and "action" in value:
                yield from _action(value["action"], f"{path}.action", library)
            if value.get("type") == "delay":
                yield from _delay(value.get("for"), f"{path}.for", parse_duration)
                yield from _delay(value.get("until"), f"{path}.until", parse_instant)
            for name, inner in value.items():
                place = f"{path}.{name}"
                if name in _EXPRESSIONS and isinstance(inner, str):
                    yield from _expression(inner, place, roots)
                else:
                    yield from _look(inner, place, roots, library)
        case _:
            pass


def _members(items: list[Json], path: str) -> list[tuple[str, Json]]:
    return [(f"{path}[{index}]", item) for index, item in enumerate(items)]


def _repeated(document: Mapping[str, Json]) -> Iterator[Problem]:
    seen: set[str] = set()
    for path, step in _steps(document, ""):
        if isinstance(step_id := step.get("id"), str):
            if step_id in seen:
                yield Problem(f"{path}.id", f"expected an id of its own, got {step_id!r}")
            seen.add(step_id)


def _steps(value: Json, path: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Yield the steps in `value`, those within others after them, with their places."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            place = f"{path}.{name}" if path else name
            if name in ("cases", "branches"):
                yield from _steps(inner, place)
            if isinstance(inner, list) and (name in _BLOCKS or path.endswith(".branches")):
                for item_path, item in _members(inner, place):
                    if isinstance(item, Mapping):
                        yield item_path, item
                        yield from _steps(item, item_path)
    elif isinstance(value, list):
        for item_path, item in _members(value, path):
            yield from _steps(item, item_path)


def _delay(amount: Json, path: str, parse: Callable[[str], int]) -> Iterator[Problem]:
    if isinstance(amount, str) and "{{" not in amount:
        try:
            parse(amount)
        except ValueError as exc:
            yield Problem(path, str(exc))


def _loop_variables(value: Json) -> Iterator[str]:
    match value:
        case list():
            for item in value:
                yield from _loop_variables(item)
        case Mapping():
            if value.get("type") == "loop" and isinstance(name := value.get("as"), str):
                yield name
            for inner in value.values():
                yield from _loop_variables(inner)
        case _:
            pass


def _action(name: Json, path: str, library: Library) -> Iterator[Problem]:
    if isinstance(name, str) and name not in library:
        yield Problem(path, f"expected an action, got {name!r}{nearest(name, library)}")


def _expression(text: str, path: str, roots: tuple[str, ...]) -> Iterator[Problem]:
    try:
        compile_expression(text, roots=roots, path=path)
    except InvalidInput as exc:
        yield from exc.problems


def _template(text: str, path: str, roots: tuple[str, ...]) -> Iterator[Problem]:
    try:
        conceals = everywhere if _CONCEALING.search(path) else nowhere
        compile_template(text, roots=roots, path=path, conceals=conceals)
    except InvalidInput as exc:
        yield from exc.problems
