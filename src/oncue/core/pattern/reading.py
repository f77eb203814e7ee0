"""
Expressions over an event, read straight from it.

What the event itself holds becomes a variable of the generated function, so that its
view is made only for what else an expression reads: its time, its extensions, or itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from oncue.core.expression.tree import Field, Local, Node, Root, children, rebuild
from oncue.core.expression.writing import Part

PARAMETERS: Final = ("event", "values")

_SLOTS: Final[Mapping[str, str]] = {
    name: f"event_{name}" for name in ("data", "id", "source", "subject", "type")
}


def straighten(node: Node) -> Node:
    """Return a checked tree in which what the event itself holds is a variable."""
    match node:
        case Field(position, Root(name="event"), name, is_optional=False) if name in _SLOTS:
            return Local(position, f"event.{name}", _SLOTS[name])
        case _:
            return rebuild(node, straighten)


@contextmanager
def read_event(part: Part, trees: Iterable[Node]) -> Iterator[None]:
    """Set the variables of straightened trees in a function of `PARAMETERS`."""
    used = {slot for tree in trees for slot in _slots_of(tree)}
    variables = {slot: name for name, slot in _SLOTS.items() if slot in used}
    for slot, name in variables.items():
        part.line(f"{slot} = event.{name}")
    with part.declared(*variables):
        yield


def _slots_of(node: Node) -> Iterator[str]:
    if isinstance(node, Local):
        yield node.slot
    for inner in children(node):
        yield from _slots_of(inner)
