"""
How many events a second does the index take, and what would asking every pattern cost?

    python -m bench.match_event

Nothing is stored, one core, time of the processor. `asking all` asks every pattern of an
event's type by its generated predicate, in the same run; `explained` is how many times longer
the tests take that say which clause fails. `build` is from the selectors to the last leaf and
predicate that 20 000 events need, `change` from a pattern's change to the next event of its
type. Read the ratios: they say the same on any machine.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.index import PatternIndex
from oncue.core.pattern.kinds.shared import Selector
from oncue.core.pattern.selection import Seen, Selection, compile_selection

EVENTS = 20_000
ROUNDS = 5
CHUNK = 512
PLANS = ["free", "starter", "team", "pro", "enterprise"]
COUNTRIES = [f"{one}{other}" for one in "ABCDEFGH" for other in "ABCDE"]
PAGES = [f"/{place}/{number}" for place in ("shop", "blog", "docs", "app") for number in range(50)]


decode = msgspec.json.Decoder(Event).decode


def make_event(chance: random.Random, types: int) -> Event:
    number = chance.randrange(1_000_000)
    data: dict[str, Json] = {
        "plan": chance.choice(PLANS),
        "country": chance.choice(COUNTRIES),
        "amount": round(chance.uniform(0, 1_000), 2),
        "qty": chance.randrange(1, 20),
        "path": chance.choice(PAGES),
        "sku": f"sku-{chance.randrange(1_000)}",
        "user": f"user-{number}",
        "address": {"city": f"city-{chance.randrange(500)}"},
    }
    return Event(
        offset=number,
        received_at_ms=number,
        id=f"e-{number}",
        source=chance.choice(["web", "shop", "app"]),
        type=f"type-{chance.randrange(types)}",
        subject=f"user-{number}",
        time_ms=number,
        data=data,
        attributes={},
    )


def make_selector(chance: random.Random, types: int) -> dict[str, Json]:
    """Return one of eight shapes; one event in 400 meets one of them."""
    plan, country = chance.choice(PLANS), chance.choice(COUNTRIES)
    least = chance.randrange(1_000)
    span: list[Json] = [">=", least, "<", least + chance.randrange(5, 50)]
    is_plan, is_country = f"event.data.plan == '{plan}'", f"event.data.country == '{country}'"
    shapes: list[dict[str, Json]] = [
        {"where": f"{is_plan} && {is_country} && event.data.amount >= {least}.0"},
        {"conditions": {"country": chance.sample(COUNTRIES, 3), "amount": [{"numeric": span}]}},
        {"where": f"event.data.sku == 'sku-{least}' && event.data.qty * event.data.amount > 500.0"},
        {"conditions": {"path": [{"prefix": chance.choice(PAGES)}], "plan": plan}},
        {"conditions": {"address": {"city": f"city-{chance.randrange(500)}"}}},
        {"where": f"event.data.amount > {least}.0 && event.data.amount < {least + 10}.0"},
        {"where": f"event.data.user in ['user-{least}', 'user-{least + 1}']", "source": "web"},
        {"conditions": {"plan": plan, "country": country}, "where": "event.data.qty == 7"},
    ]
    return chance.choice(shapes) | {"event": f"type-{chance.randrange(types)}"}


def make_selections(patterns: int, types: int) -> list[Selection]:
    chance = random.Random(patterns)  # noqa: S311 - the same patterns each time
    return [
        compile_selection(Selector.model_validate(make_selector(chance, types)), "pattern")
        for _ in range(patterns)
    ]


def index_of(selections: Sequence[Selection]) -> PatternIndex:
    index = PatternIndex()
    for number, selection in enumerate(selections):
        index.put(f"pat-{number}", (selection,))
    return index


def per_second(look: Callable[[Event], object], bodies: Sequence[bytes]) -> tuple[float, float]:
    """
    Return events a second: as they come, and the best of some looks at the same.

    They are decoded a chunk at a time, as a matcher reads them; that is not counted. What
    comes finds the caches of the processor as other types left them.
    """
    came: dict[int, float] = {}
    best: dict[int, float] = {}
    for _ in range(ROUNDS):
        for first in range(0, len(bodies), CHUNK):
            events = [decode(body) for body in bodies[first : first + CHUNK]]
            for times in (came, best, best):
                start = time.process_time()
                for event in events:
                    look(event)
                seconds = time.process_time() - start
                times[first] = min(seconds, times.get(first, seconds))
    return len(bodies) / sum(came.values()), len(bodies) / sum(best.values())


def measure(patterns: int, types: int) -> None:
    selections = make_selections(patterns, types)
    chance = random.Random(1)  # noqa: S311 - the same events each time
    events = [make_event(chance, types) for _ in range(EVENTS)]
    start = time.process_time()
    index = index_of(selections)
    for event in events:
        index.admitted(event)
    built_ms = (time.process_time() - start) * 1_000
    by_type: dict[str, list[Selection]] = {}
    for selection in selections:
        by_type.setdefault(selection.globs[0], []).append(selection)

    def naive(event: Event) -> list[Selection]:
        seen = Seen(event)
        return [s for s in by_type.get(event.type, ()) if s.admits(event, seen)]

    def refusals(event: Event) -> list[Selection]:
        values = {"event": event.view()}
        return [s for s in by_type.get(event.type, ()) if s.refusal(event, values) is None]

    few = events[: max(200, 200_000 // max(1, patterns // types) // 5)]
    hits = sum(len(index.admitted(event)) for event in events) / len(events)
    assert [len(index.admitted(event)) for event in few[:200]] == [len(naive(e)) for e in few[:200]]
    bodies = [msgspec.json.encode(event) for event in events]
    fast, best = per_second(index.admitted, bodies)
    slow, _ = per_second(naive, bodies[: len(few)])
    slowest, _ = per_second(refusals, bodies[: len(few) // 5])
    sys.stdout.write(
        f"{patterns:>8} {types:>5} {fast:>11,.0f} {best:>11,.0f} {slow:>11,.0f} {fast / slow:>7.1f}x"
        f" {slow / slowest:>8.1f}x {hits:>8.3f} {built_ms:>9,.0f}"
        f" {change_ms(index, selections, events):>10.2f}\n"
    )


def change_ms(index: PatternIndex, selections: Sequence[Selection], events: list[Event]) -> float:
    """Return how long an event waits whose type has just had a pattern changed."""
    took = []
    for number in range(0, len(selections), max(1, len(selections) // 20)):
        old = selections[number]
        event = next((e for e in events if e.type == old.globs[0]), events[0])
        changed = Selection(old.globs, old.source, old.conditions, old.where)
        start = time.process_time()
        index.put(f"pat-{number}", (changed,))
        index.admitted(event)
        took.append((time.process_time() - start) * 1_000)
    return median(took)


def main() -> None:
    heads = ("patterns", "types", "events/s", "the same", "asking all", "ratio", "explained")
    sys.stdout.write(
        "{:>8} {:>5} {:>11} {:>11} {:>11} {:>8} {:>9} {:>8} {:>9} {:>10}\n".format(
            *heads, "hits", "build ms", "change ms"
        )
    )
    for patterns, types in ((1, 1), (100, 50), (1_000, 50), (10_000, 50), (1_000, 1), (10_000, 1)):
        measure(patterns, types)


if __name__ == "__main__":
    main()
