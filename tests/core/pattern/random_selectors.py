"""Random events and selectors, made of so few names and values that they often meet."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.shared import Selector
from oncue.core.pattern.selection import Selection, compile_selection
from tests.make import make_event

T = TypeVar("T")

TYPES = ["x", "order.paid", "order.sent"]
GLOBS = ["x", "x", "x", "x", "order.paid", "order.*", "*.s*", "*", "nothing.*"]
NAMES = ["a", "b", "é"]
TEXTS = ["", "a", "ab", "abc", "abcd", "B", "aß", "ASS", "1", "é", "10.0.0.1"]
NUMBERS = [-1, 0, 1, 2, 0.5, 1.0, -0.0, 2.0, 3]
LONG_NUMBERS = [
    *(2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3, float(2**53), 2**63, 1e300),
    *(10**30, 1e30, -(10**309), 10**309),
]

chances = st.integers(0, 2**48).map(Random)


def is_likely(chance: Random, share: float) -> bool:
    return chance.random() < share


def some(chance: Random, most: int, make: Callable[[], T], least: int = 1) -> list[T]:
    return [make() for _ in range(chance.randint(least, most))]


def some_number(chance: Random) -> float:
    return chance.choice(LONG_NUMBERS if is_likely(chance, 0.25) else NUMBERS)


def some_scalar(chance: Random) -> Json:
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(TEXTS)
    return some_number(chance) if kind < 0.75 else chance.choice([None, True, False])


def some_value(chance: Random, depth: int = 0) -> Json:
    kind = chance.random()
    if kind < 0.7 or depth > 3:
        return some_scalar(chance)
    inner = partial(some_value, chance, depth + 1)
    if kind < 0.85:
        return some(chance, 3, inner, least=0)
    return {name: inner() for name in NAMES if is_likely(chance, 0.6)}


def some_event(chance: Random) -> Event:
    data: Json = {name: some_value(chance) for name in NAMES if is_likely(chance, 0.85)}
    return make_event(
        type=chance.choice([*TYPES, "x", "x"]),
        source=chance.choice(["web", "shop"]),
        subject=chance.choice([None, "a", "ab"]),
        time_ms=chance.choice([0, 1]),
        data=some_value(chance) if is_likely(chance, 0.1) else data,
        attributes={"ext": chance.choice(["a", "ab", 1, True])} if is_likely(chance, 0.5) else {},
    )


OTHERS: list[Json] = [
    *({"wildcard": text} for text in ("a*", "*b*", "a", "*", "a*c", r"\*")),
    *({"cidr": "10.0.0.0/8"}, {"exists": True}, {"exists": False}, {"exists": False}),
]


def some_operator(chance: Random) -> Json:
    kind = chance.random()
    if kind < 0.4:
        orders = ["<", "<=", "=", ">=", ">"]
        limits: list[Json] = []
        for _ in range(chance.randint(1, 2)):
            limits += [chance.choice(orders), some_number(chance)]
        return {"numeric": limits}
    if kind < 0.6:
        return {chance.choice(["prefix", "prefix", "suffix"]): chance.choice(TEXTS)}
    if kind < 0.7:
        name = chance.choice(["prefix", "suffix", "equals-ignore-case"])
        folded: Json = {"equals-ignore-case": chance.choice(TEXTS)}
        return folded if name == "equals-ignore-case" else {name: folded}
    if kind < 0.85:
        return {"anything-but": some_test(chance, depth=9)}
    return chance.choice(OTHERS)


def some_test(chance: Random, depth: int = 0) -> Json:
    kind = chance.random()
    if kind < 0.3:
        return some_scalar(chance)
    if kind < 0.4:
        return some(chance, 7, partial(chance.choice, TEXTS))
    if kind < 0.55:
        choices = (some_scalar, some_operator)
        return some(chance, 3, lambda: chance.choice(choices)(chance))
    if kind < 0.75 and depth < 2:
        return some_conditions(chance, depth + 1)
    return some_operator(chance)


def some_conditions(chance: Random, depth: int = 0) -> dict[str, Json]:
    names = chance.sample(NAMES, chance.choice([1, 1, 2]))
    found = {name: some_test(chance, depth) for name in names}
    if is_likely(chance, 0.2):
        found = found if is_likely(chance, 0.5) else {}
        found["$or"] = some(chance, 3, partial(some_conditions, chance, depth + 1), least=2)
    return found


PATHS = [
    *(["event.data.a", "event.data.b", "event.data['é']"] * 3),
    *("event.data.a.b", "event.data['a']", "event.data.a['b'].a", "event.data.b[0]", "event.data"),
    *("event.source", "event.subject", "event.type", "event.time", "event.ext", "event.id"),
]
LITERALS = [
    *("'a'", "'ab'", "'abc'", "''", "'é'", "'web'", "'x'", "null", "true", "false", "1", "0"),
    *("-1", "1.0", "0.5", "-0.0", "2u", "1e300", "9007199254740993", "9007199254740992.0"),
    *("9007199254740994", "9007199254740995", "[1]", "{'b': 1}", "'1970-01-01T00:00:00.000Z'"),
]
ATOMS = [
    *(["{path} {relation} {literal}"] * 6),
    *(["{literal} {relation} {path}"] * 2),
    *(["{path} in [{literal}, {other}]", "{path}.startsWith({text})"] * 2),
    *("{path} {relation} {second}", "{path}.endsWith('b')", "size({path}) > 1", "{path} + 1 > 2"),
    *("{path}.exists(x, x == {literal})", "has(event.data.a)", "has(event.data.a.b)", "{path}"),
    *("!{path}", "event.data.?b.orValue({literal}) == {other}", "size(event) > 5"),
]


def some_atom(chance: Random) -> str:
    pick = chance.choice
    return pick(ATOMS).format(
        path=pick(PATHS),
        second=pick(PATHS),
        relation=pick(["==", "==", "==", "!=", "<", "<=", ">", ">="]),
        literal=pick(LITERALS),
        other=pick(LITERALS),
        text=pick(["'a'", "'ab'", "'abc'", "''"]),
    )


def some_where(chance: Random, depth: int = 0) -> str:
    kind = chance.random()
    if kind < 0.5 or depth > 2:
        return some_atom(chance)
    inner = partial(some_where, chance, depth + 1)
    if kind < 0.85:
        return f"({inner()} && {inner()})"
    if kind < 0.95:
        return f"({inner()} || {inner()})"
    return f"!({inner()})" if kind < 0.98 else f"({inner()} ? {inner()} : {inner()})"


def some_selection(chance: Random) -> Selection:
    """Return one that its parser takes: of some it knows that they are never true or false."""
    while True:
        kind = chance.random()
        fields: dict[str, Json] = {
            "event": some(chance, 2, partial(chance.choice, GLOBS)),
            "source": chance.choice(["web", "shop"]) if is_likely(chance, 0.15) else None,
            "conditions": some_conditions(chance) if kind < 0.55 else None,
            "where": some_where(chance) if kind > 0.4 and kind < 0.95 else None,
        }
        try:
            return compile_selection(Selector.model_validate(fields), "pattern")
        except InvalidInput:
            continue


def shown(selections: Sequence[Selection]) -> str:
    """Return selectors as a failing test shows them."""
    return "\n".join(
        f"{one.globs} {one.source} {one.conditions} {one.where and one.where.text}"
        for one in selections
    )
