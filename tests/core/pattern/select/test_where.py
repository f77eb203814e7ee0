"""What a WHERE wants is found through the index, whatever an index can ask of it."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.index import PatternIndex
from oncue.core.pattern.scanning import cost_of
from oncue.core.pattern.select.where import selection_of
from oncue.core.pattern.selection import Selection
from oncue.core.sql.columns import EventScope
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import Sort, read
from oncue.core.sql.text import Piece, Statement
from tests.core.pattern.random_selectors import (
    LONG_NUMBERS,
    NUMBERS,
    TEXTS,
    chances,
    is_likely,
    some_event,
)
from tests.make import make_event

PATHS = ["data.a", "data.b", "data['é']", "data.a.b", "e.data.a", "data->>'$.b'", "extensions.ext"]
COLUMNS = ["subject", "source", "id"]


def piece_of(where: str) -> Piece:
    statement = Statement(f"SELECT * FROM events AS e WHERE {where}", "query")
    piece = Piece(statement, 0)
    piece.add_all(statement.words)
    return piece


def selection(where: str) -> Selection:
    piece = piece_of(where)
    return selection_of(read(piece).args["where"], piece, EventScope("e"))


def condition(where: str) -> Callable[[Event], Json]:
    """Return all of a condition as one."""
    piece = piece_of(where)
    compiler = Expressions(piece, EventScope("e"))
    return compiler.of_sort(read(piece).args["where"].this, Sort.TRUTH).of


def some_text(chance: Random) -> str:
    return f"'{chance.choice(TEXTS)}'"


def some_number(chance: Random) -> str:
    longest = [number for number in LONG_NUMBERS if abs(number) < 10**40]
    return f"{chance.choice([*NUMBERS, *longest])}"


def some_test(chance: Random) -> str:
    path = chance.choice([*PATHS, *COLUMNS]) if is_likely(chance, 0.9) else "type"
    comparison = chance.choice(["=", "=", "=", "<>", "<", ">", "<=", ">="])
    is_text = path in (*COLUMNS, "type") or is_likely(chance, 0.4)
    some = some_text if is_text else some_number
    kind = chance.random()
    if path == "type":
        return chance.choice(
            ["type = 'x'", "type IN ('x', 'order.sent')", "type LIKE 'order.%'", "type LIKE '_'"]
        )
    if kind < 0.15:
        others = ", ".join(some(chance) for _ in range(chance.randint(1, 3)))
        return f"{path} {chance.choice(['IN', 'NOT IN'])} ({others})"
    if kind < 0.25 and not is_text:
        return f"{path} BETWEEN {some(chance)} AND {some(chance)}"
    if kind < 0.35 and is_text:
        shape = chance.choice(["a%", "%a", "_b%", "ab", "a_", "%"])
        return chance.choice([f"{path} LIKE '{shape}'", f"starts_with({path}, {some(chance)})"])
    if kind < 0.4 and path not in COLUMNS:
        return chance.choice([path, f"{path} = true", f"false = {path}", f"{path} IS TRUE"])
    if kind < 0.5:
        return f"{some(chance)} {comparison} {path}"
    return f"{path} {comparison} {some(chance)}"


def some_where(chance: Random, depth: int = 0) -> str:
    if depth > 2 or is_likely(chance, 0.4):
        return some_test(chance)
    one, other = some_where(chance, depth + 1), some_where(chance, depth + 1)
    kind = chance.random()
    if kind < 0.1:
        return f"NOT ({one})"
    return f"({one}) {'AND' if kind < 0.65 else 'OR'} ({other})"


@settings(max_examples=60, deadline=None)
@given(chance=chances)
def test_the_index_finds_what_conditions_want(chance: Random) -> None:
    wheres = [some_where(chance) for _ in range(12)]
    index = PatternIndex()
    for place, where in enumerate(wheres):
        index.put(str(place), [selection(where)])

    conditions = [condition(where) for where in wheres]
    for event in [some_event(chance) for _ in range(12)]:
        wanted = [str(n) for n, holds in enumerate(conditions) if holds(event) is True]
        assert [slot for slot, _ in index.admitted(event)] == wanted, (wheres, event)


@pytest.mark.parametrize(
    ("where", "globs"),
    [
        ("type = 'x'", ("x",)),
        ("e.type IN ('x', 'y') AND data.a = 1", ("x", "y")),
        ("type LIKE 'order.%'", ("order.*",)),
        ("type = 'x' OR type LIKE 'order.%'", ("x", "order.*")),
        ("(type = 'x' AND data.a = 1) OR (data.b = 2 AND type = 'y')", ("x", "y")),
        ("type = 'x' OR data.a = 1", ("*",)),
        ("data.type = 'x'", ("*",)),
        ("NOT type = 'x'", ("*",)),
    ],
)
def test_types_are_known_beforehand(where: str, globs: tuple[str, ...]) -> None:
    assert selection(where).globs == globs


@pytest.mark.parametrize(
    ("where", "cost_class"),
    [
        ("type = 'x'", "indexed"),
        ("type = 'x' AND data.a = 1 AND data.b * data.c > 7", "indexed"),
        ("type = 'x' AND 5 <= data.a", "indexed"),
        ("type = 'x' AND (data.a = 1 OR data.b LIKE 'c%')", "indexed"),
        ("type = 'x' AND data.vip", "indexed"),
        ("type = 'x' AND data.a * data.b > 7", "scan"),
        ("data.a IS NOT NULL", "scan"),
    ],
)
def test_a_condition_that_no_index_can_ask_for_is_a_scan(where: str, cost_class: str) -> None:
    assert selection(where).cost_class == cost_class


def test_what_is_left_of_a_condition_is_what_it_costs() -> None:
    assert cost_of(selection("type = 'x'")) == 1
    assert cost_of(selection("type = 'x' AND data.a * 2 > 7")) > 5
    assert cost_of(selection("data.a LIKE '%b'")) > 32


def test_an_array_is_not_its_elements() -> None:
    index = PatternIndex()
    index.put("where", [selection("data.a = 1")])

    assert not index.admitted(make_event(data={"a": [1]}))


def test_what_is_no_condition_is_refused() -> None:
    with pytest.raises(InvalidInput, match="expected a truth value"):
        selection("type = 'x' AND data.a + 1")
