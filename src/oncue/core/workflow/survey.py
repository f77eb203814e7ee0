"""
What else is wrong with a document whose shape is wrong.

A document that is no workflow cannot be compiled; its expressions can be looked
at all the same, so that all problems come at once.
"""

import re
from collections.abc import Iterator, Mapping

from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import compile_expression, compile_template, everywhere, nowhere
from oncue.core.json_text import Json
from oncue.core.problems import nearest
from oncue.core.workflow.compile import Library

_EXPRESSIONS = frozenset(("if", "while", "expr"))
# Whether the step is one that may read secrets there is not looked at.
_CONCEALING = re.compile(r"\.(with|headers|auth|url)\b")
_ROOTS = ("event", "match", "input", "steps", "vars", "execution", "item", "index", "callback_url")


def survey(document: Json, library: Library) -> Iterator[Problem]:
    """Yield what is wrong with the expressions and action names of `document`."""
    if isinstance(document, Mapping):
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
