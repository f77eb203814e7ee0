"""The command that shows what an expression means, and what becomes of it."""

from collections.abc import Iterator
from math import inf
from typing import Annotated, Final, assert_never

from cyclopts import Parameter

from oncue.cli.output import AsJson, print_json
from oncue.cli.remote import CommandError, out
from oncue.core.errors import InvalidInput
from oncue.core.expression import Expression, compile_expression
from oncue.core.expression.compiler import constants_of
from oncue.core.expression.conjuncts import Conjunct, Equals, Key, StartsWith, Within, conjuncts
from oncue.core.expression.values import BoolKey
from oncue.core.json_text import Json, encode_json

_ROOTS: Final = ("event", "match", "input", "steps", "vars", "execution", "item", "index")

Names = Annotated[tuple[str, ...], Parameter(negative="")]


def explain_expression(
    expression: str, /, *, root: Names = _ROOTS, list_of: Names = (), as_json: AsJson = False
) -> int:
    """
    Show the type of an expression, what it reads, what can be indexed, and its Python.

    Parameters
    ----------
    expression
        The expression, in CEL.
    root
        A name that it may read; by default all that conditions and templates have.
    list_of
        A name that it may read and that is a list, such as a repeated step of a pattern.
    as_json
        Print JSON.
    """
    try:
        compiled = compile_expression(expression, roots=root, lists=list_of)
    except InvalidInput as exc:
        raise CommandError(exc.problems[0].message) from exc
    if as_json:
        print_json(_facts(compiled))
    else:
        out.print("\n".join(_lines(compiled)), markup=False)
    return 0


def _facts(compiled: Expression) -> Json:
    return {
        "gives": compiled.gives.value,
        "roots": _roots(compiled),
        "reads": [list(path) for path in compiled.reads],
        "index": [
            {"path": list(conjunct.path), **_bound(conjunct)} for conjunct in conjuncts(compiled)
        ],
        "constants": _constants(compiled),
        "python": compiled.source,
    }


def _lines(compiled: Expression) -> Iterator[str]:
    yield f"gives  {compiled.gives}"
    yield f"roots  {', '.join(_roots(compiled)) or 'none'}"
    yield f"reads  {', '.join(map('.'.join, compiled.reads)) or 'nothing'}"
    for conjunct in conjuncts(compiled):
        ((name, bound),) = _bound(conjunct).items()
        shown = encode_json(bound).decode()
        yield f"index  {'.'.join(conjunct.path)} {name.replace('_', ' ')} {shown}"
    for name, value in _constants(compiled).items():
        yield f"where  {name} = {value}"
    yield ""
    yield compiled.source.rstrip()


def _constants(compiled: Expression) -> dict[str, Json]:
    """Return the values that the Python has names for, as Python shows them."""
    named = constants_of(compiled.evaluate).items()
    return {name: repr(value) for name, value in named if not callable(value)}


def _roots(compiled: Expression) -> list[str]:
    return list(dict.fromkeys(path[0] for path in compiled.reads))


def _bound(conjunct: Conjunct) -> dict[str, Json]:
    match conjunct:
        case Equals(keys=keys):
            return {"one_of": sorted(map(_value, keys), key=repr)}
        case StartsWith(prefix=prefix):
            return {"starts_with": prefix}
        case Within(least=least, most=most):
            return {"within": [None if abs(bound) == inf else bound for bound in (least, most)]}
        case _:
            assert_never(conjunct)


def _value(key: Key) -> Json:
    return bool(key.value) if isinstance(key, BoolKey) else key
