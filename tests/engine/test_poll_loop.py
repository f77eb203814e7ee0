"""When queries are asked: in turn, a few at once, late or not; and what is told of those that fail."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from oncue.core.errors import InvalidInput, Overloaded, Problem
from oncue.core.event import EventFilter
from oncue.core.json_text import Json
from oncue.engine.loop import Loop
from oncue.engine.poll_asking import PollAsking
from oncue.engine.poll_loop import POLLS_AT_ONCE, POLLS_PER_ACCOUNT, PollLoop
from oncue.ports import Account, EventQuestion, EventRows
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, Crash, Installed, installed

Found = TypeVar("Found")
MINUTE_MS = 60_000
OTHER = "acc_other"
ROWS: list[list[Json]] = [["ada"]]


@dataclass
class Scripted:
    """Questions that are answered as told: with rows, with an error, or not before their gate opens."""

    answers: dict[str, list[list[Json]] | Exception] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    shut: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    running: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def ask(self, account: str, question: EventQuestion) -> EventRows:
        place = account, question.sql
        self.asked.append(place)
        self.running[place] += 1
        self.begun.set()
        try:
            if self.shut:
                await self.gates[question.sql].wait()
        finally:
            self.running[place] -= 1
        answer = self.answers.get(question.sql, ROWS)
        if isinstance(answer, Exception):
            raise answer
        return EventRows([("user", "VARCHAR")], msgspec.json.encode(answer), 1, False, 7)

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.begun.clear()
            await self.begun.wait()

    @property
    def at_once(self) -> Counter[str]:
        """How many of each account run."""
        return Counter(account for account, _ in self.running.elements())


def live(
    folder: Path,
    use: Callable[[Installed, Scripted], Awaitable[Found]],
    *,
    clock: VirtualClock | None = None,
    questions: Scripted | None = None,
) -> Found:
    async def main() -> Found:
        async with installed(folder, clock=clock) as world:
            scripted = Scripted() if questions is None else questions
            if OTHER not in await world.parts.accounts.ids():
                await world.parts.accounts.add(Account(OTHER, "other", 0))
            await _ask_of(world, scripted)
            return await use(world, scripted)

    return asyncio.run(main())


async def _ask_of(world: Installed, questions: Scripted) -> None:
    engine = world.engine
    await engine.polling.stop()
    asking = PollAsking(world.log, world.parts.accounts, questions, world.clock, engine.matching)
    engine.polling = PollLoop(engine.active_patterns, world.log, asking, world.clock)
    engine.active_patterns.subscribe(engine.polling.take)
    await engine.polling.recover(await world.parts.accounts.ids())
    engine.polling.start()


async def save(
    world: Installed, name: str, account: str = ACCOUNT, *, asks: str = "", **fields: Json
) -> None:
    query = f"SELECT '{asks or name}' AS user"
    pattern: Json = {"type": "sql", "query": query, "every": "15m", **fields}
    patterns = world.engine.patterns
    version = await patterns.first(account, {"name": name, "pattern": pattern})
    await patterns.save(account, version)


async def change(world: Installed, name: str, **fields: Json) -> None:
    """Save a pattern with other fields, its query untried."""
    current = await world.parts.patterns.current(ACCOUNT, name)
    assert isinstance(current.document, dict)
    patterns = world.engine.patterns
    version = await patterns.next(ACCOUNT, current, {**current.document, **fields})
    await patterns.save(ACCOUNT, version)
    await world.engine.settled()


async def told(world: Installed, event_type: str = "query.*") -> list[dict[str, Json]]:
    """Return what events tell of polls, the oldest first."""
    wanted = EventFilter(event_type, "oncue")
    events = await world.log.past.events(ACCOUNT, wanted, 100)
    return [event.data for event in reversed(events) if isinstance(event.data, dict)]


async def turn(world: Installed) -> None:
    """Let the loop turn once, whatever is still asked."""
    world.engine.polling.wake()
    await Loop.asleep(world.engine.polling)


def test_slow_queries_of_one_account_hold_up_no_other(tmp_path: Path) -> None:
    async def use(world: Installed, questions: Scripted) -> list[Counter[str]]:
        questions.shut = True
        for number in range(5):
            await save(world, f"slow-{number}")
        await questions.until(lambda: questions.at_once[ACCOUNT] == POLLS_PER_ACCOUNT)
        before = questions.at_once
        await save(world, "another", OTHER)
        await questions.until(lambda: questions.at_once[OTHER] == 1)
        await turn(world)
        meanwhile = questions.at_once
        for name in ("another", *(f"slow-{number}" for number in range(5))):
            questions.gates[f"SELECT '{name}' AS user"].set()
        await world.engine.settled()
        return [before, meanwhile, Counter(account for account, _ in questions.asked)]

    before, meanwhile, all_asked = live(tmp_path, use)

    assert before == {ACCOUNT: POLLS_PER_ACCOUNT}
    assert meanwhile == {ACCOUNT: POLLS_PER_ACCOUNT, OTHER: 1}
    assert meanwhile.total() <= POLLS_AT_ONCE
    assert all_asked == {ACCOUNT: 5, OTHER: 1}


def test_a_query_that_takes_longer_than_its_interval_is_not_asked_twice_at_once(
    tmp_path: Path,
) -> None:
    async def use(world: Installed, questions: Scripted) -> list[int]:
        questions.shut = True
        await save(world, "slow")
        await questions.until(lambda: bool(questions.asked))
        for _ in range(3):
            world.clock.advance(15 * MINUTE_MS)
            await turn(world)
        meanwhile = len(questions.asked)
        questions.gates["SELECT 'slow' AS user"].set()
        await world.engine.settled()
        return [meanwhile, len(questions.asked)]

    assert live(tmp_path, use) == [1, 2]


def test_a_query_for_which_there_is_no_room_is_asked_again_soon(tmp_path: Path) -> None:
    async def use(world: Installed, questions: Scripted) -> list[int]:
        sql = "SELECT 'busy' AS user"
        questions.answers[sql] = Overloaded("expected fewer queries at once", retry_after_s=2)
        await save(world, "busy")
        await world.engine.settled()
        refused = len(await told(world))
        del questions.answers[sql]
        await world.settle_after(2_000)
        return [refused, len(await told(world))]

    assert live(tmp_path, use) == [0, 1]


def test_a_query_that_fails_is_told_and_counted_over_restarts(tmp_path: Path) -> None:
    clock = VirtualClock()
    sql = "SELECT 'wrong' AS user"
    failing = Scripted({sql: InvalidInput([Problem("sql", "over time: no answer")])})

    async def begin(world: Installed, _: Scripted) -> list[dict[str, Json]]:
        await save(world, "wrong")
        await world.settle_after(15 * MINUTE_MS)
        return await told(world, "query.failed")

    async def go_on(world: Installed, questions: Scripted) -> list[Json]:
        await world.settle_after(15 * MINUTE_MS)
        del questions.answers[sql]
        await world.settle_after(15 * MINUTE_MS)
        questions.answers[sql] = InvalidInput([Problem("sql", "over memory")])
        await world.settle_after(15 * MINUTE_MS)
        return [each.get("failed_in_row", "polled") for each in await told(world)]

    first = live(tmp_path, begin, clock=clock, questions=failing)
    counts = live(tmp_path, go_on, clock=clock, questions=failing)

    assert [(each["error"], each["patterns"]) for each in first] == [
        ("over time: no answer", ["wrong"])
    ] * 2
    assert counts == [1, 2, 3, "polled", 1]


@pytest.mark.parametrize(("misfire", "expected"), [("fire_once", [0, 60, 75]), ("skip", [0, 75])])
def test_what_was_missed_follows_the_policy(
    tmp_path: Path, misfire: str, expected: list[int]
) -> None:
    clock = VirtualClock()
    began_ms = clock.now_ms()

    async def begin(world: Installed, _: Scripted) -> None:
        await save(world, "polled", misfire=misfire)
        await world.engine.settled()

    async def go_on(world: Installed, _: Scripted) -> list[int]:
        await world.settle_after(13 * MINUTE_MS)
        wanted = EventFilter("query.polled")
        events = await world.log.past.events(ACCOUNT, wanted, 100)
        return [(event.received_at_ms - began_ms) // MINUTE_MS for event in reversed(events)]

    live(tmp_path, begin, clock=clock)
    # What patterns remember is read from the log again.
    for file in (tmp_path / "checkpoints").rglob("*.jsonl"):
        file.unlink()
    clock.advance(62 * MINUTE_MS)

    found = live(tmp_path, go_on, clock=clock)

    # What was due at 60 minutes, while nothing ran, was asked at the start.
    assert found == [62 if instant == 60 else instant for instant in expected]


def test_a_pattern_that_begins_late_is_asked_at_once_though_missed_instants_are_skipped(
    tmp_path: Path,
) -> None:
    async def use(world: Installed, _: Scripted) -> int:
        await world.settle_after(7 * MINUTE_MS)
        await save(world, "polled", misfire="skip")
        await world.engine.settled()
        return len(await told(world))

    assert live(tmp_path, use) == 1


def test_whoever_begins_anew_is_asked_at_once(tmp_path: Path) -> None:
    async def use(world: Installed, questions: Scripted) -> list[int]:
        counts: list[int] = []

        async def count() -> None:
            await world.engine.settled()
            counts.append(len(questions.asked))

        await save(world, "one")
        await count()
        await save(world, "two", asks="one")
        await count()
        current = await world.parts.patterns.current(ACCOUNT, "one")
        assert isinstance(current.document, dict)
        pattern = current.document["pattern"]
        assert isinstance(pattern, dict)
        await change(world, "one", description="of one")
        await count()
        await change(world, "one", pattern={**pattern, "identity": ["user"]})
        await count()
        await change(world, "one", enabled=False)
        await count()
        await change(world, "one", enabled=True)
        await count()
        await world.settle_after(15 * MINUTE_MS)
        await count()
        return counts

    assert live(tmp_path, use) == [1, 2, 2, 3, 3, 4, 5]


def test_what_is_deleted_while_it_is_asked_tells_nothing(tmp_path: Path) -> None:
    async def use(world: Installed, questions: Scripted) -> list[dict[str, Json]]:
        questions.shut = True
        await save(world, "gone")
        await questions.until(lambda: bool(questions.asked))
        current = await world.parts.patterns.current(ACCOUNT, "gone")
        await world.engine.patterns.delete(ACCOUNT, current)
        await turn(world)
        questions.gates["SELECT 'gone' AS user"].set()
        await world.engine.settled()
        await world.settle_after(30 * MINUTE_MS)
        return await told(world)

    assert live(tmp_path, use) == []


def test_a_query_that_dies_of_a_bug_holds_up_no_other(tmp_path: Path) -> None:
    async def use(world: Installed, questions: Scripted) -> list[int]:
        sql = "SELECT 'buggy' AS user"
        questions.answers[sql] = ZeroDivisionError("a bug")
        await save(world, "buggy")
        await save(world, "sound")
        await world.settle_after(1_000, 1_000)
        before = len(await told(world))
        del questions.answers[sql]
        await world.settle_after(1_000)
        return [before, len(await told(world))]

    assert live(tmp_path, use) == [1, 2]


def test_of_an_account_that_is_disabled_nothing_is_asked(tmp_path: Path) -> None:
    async def use(world: Installed, questions: Scripted) -> list[int]:
        accounts = world.parts.accounts
        await save(world, "polled")
        await world.engine.settled()
        account = await accounts.account(ACCOUNT)
        await accounts.change(replace(account, is_enabled=False))
        await world.settle_after(*[MINUTE_MS] * 40)
        before = len(questions.asked)
        await accounts.change(account)
        await world.settle_after(MINUTE_MS)
        return [before, len(questions.asked)]

    assert live(tmp_path, use) == [1, 2]


WRITES = 4


@pytest.mark.parametrize("write", range(1, WRITES + 1))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_any_write_neither_loses_nor_doubles_a_row(
    tmp_path: Path, moment: str, write: int
) -> None:
    clock, crash, questions = VirtualClock(), Crash(write, moment), Scripted()

    async def prepare(world: Installed, _: Scripted) -> None:
        await save(world, "polled")
        await world.engine.settled()

    async def poll(world: Installed) -> None:
        await _ask_of(world, questions)
        await world.settle_after(15 * MINUTE_MS, 15 * MINUTE_MS)

    async def die() -> None:
        questions.answers["SELECT 'polled' AS user"] = [["ada"], ["bob"]]
        async with installed(tmp_path, clock=clock, commit=crash) as world:
            life = asyncio.create_task(poll(world))
            while not life.done() and not crash.has_happened:
                await asyncio.wait([life], timeout=0.001)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def go_on(world: Installed, _: Scripted) -> list[Json]:
        await world.settle_after(15 * MINUTE_MS)
        current = await world.parts.patterns.current(ACCOUNT, "polled")
        rows = await world.parts.history.matches(ACCOUNT, current.id, 100)
        return [row.body["values"] for row in reversed(rows)]

    live(tmp_path, prepare, clock=clock, questions=questions)
    asyncio.run(die())

    assert crash.has_happened
    assert live(tmp_path, go_on, clock=clock, questions=questions) == [
        {"user": "ada"},
        {"user": "bob"},
    ]
