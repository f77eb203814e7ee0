"""
Backtests: over events that come with the question, or over those of the log.

A question's own events are few: they are folded here, a slice at a time, so that
nobody else is held up. Those of the log are folded in a process of their own
(`backtest_child`), which is told one part after the other.
"""

import asyncio
import sys
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Final

from oncue.core.errors import Overloaded
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.backtest import Backtest, Found, Wanted
from oncue.core.pattern.match import Match, match_of, offsets_needed
from oncue.core.pattern.operator import Hit
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.watch import Finding
from oncue.engine.backtest_child import Answer, Question, read_frame, write_frame
from oncue.ports import EventLog, Stretch

RECORDS_PER_PART: Final = 4_096
MAX_COMPARED: Final = 100_000
"""Matches of a pattern that may wait for the same one of the other."""
MAX_EVIDENCE: Final = 100_000
"""Events that a list of an answer's matches names at most; an event counts for each match."""
_EVENTS_PER_SLICE: Final = 200


@dataclass(slots=True)
class Result:
    """
    What was found: matches of each pattern, in order.

    `counts` are all of each, `matches` the first of them, up to the limit. With two
    patterns, `gained` are of the first and not of the second, `lost` the reverse, and
    `same` counts what both found; `left_out` is what each left out, and why.
    """

    counts: list[int]
    matches: list[list[Match]]
    gained: list[Match] = field(default_factory=list)
    lost: list[Match] = field(default_factory=list)
    same: int = 0
    scanned: int = 0
    failures: int = 0
    left_out: Sequence[Mapping[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """
    Which events of the log are folded: those of event time [from_ms, to_ms).

    `warm_up_ms` before them the state begins; matches of that time are not told.
    After them the clock runs on to `until_ms`.
    """

    from_ms: int
    to_ms: int
    until_ms: int
    warm_up_ms: int


@dataclass(slots=True)
class _Collected:
    """Matches as they are found, without their evidence yet."""

    patterns: Sequence[ActivePattern]
    limit: int
    result: Result = field(init=False)
    found: list[list[Found]] = field(init=False)
    alone: list[dict[object, Found]] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.patterns)
        self.result = Result([0] * count, [[] for _ in range(count)])
        self.found = [[] for _ in range(count)]
        self.alone = [{} for _ in range(count)]

    def take(self, found: Sequence[Found]) -> None:
        for one in found:
            self.result.counts[one.pattern] += 1
            if len(self.found[one.pattern]) < self.limit:
                self.found[one.pattern].append(one)
            if len(self.patterns) > 1:
                self._compare(one)

    def _compare(self, one: Found) -> None:
        """Let a match wait for the same one of the other pattern, or go with it."""
        identity = _identity(one.hit)
        if self.alone[1 - one.pattern].pop(identity, None) is not None:
            self.result.same += 1
        elif len(self.alone[one.pattern]) < MAX_COMPARED:
            self.alone[one.pattern][identity] = one

    def finding(self, one: Found) -> Finding:
        return Finding(self.patterns[one.pattern], one.hit, one.number, one.suppressed)

    def offsets(self) -> list[int]:
        lists = (*self.found, *(alone.values() for alone in self.alone))
        shown = chain.from_iterable(map(self._shown, lists))
        return offsets_needed(map(self.finding, shown))

    def _shown(self, found: Iterable[Found]) -> Iterator[Found]:
        """Yield the first, as far as they are answered with."""
        named = 0
        for one in islice(found, self.limit):
            if named >= MAX_EVIDENCE:
                return
            named += sum(len(offsets) for _, offsets in one.hit.bindings)
            yield one

    def with_evidence(self, events: Mapping[int, Event]) -> Result:
        def matches(found: Iterable[Found]) -> list[Match]:
            shown = self._shown(found)
            return [match_of(self.finding(one), one.detected_at_ms, events) for one in shown]

        self.result.matches = [matches(found) for found in self.found]
        if len(self.patterns) > 1:
            mine, others = self.alone
            self.result.gained, self.result.lost = matches(mine.values()), matches(others.values())
        return self.result


def _identity(hit: Hit) -> object:
    """Return what says that two patterns found the same."""
    offsets = tuple(sorted({offset for _, bound in hit.bindings for offset in bound}))
    return hit.kind, hit.key, hit.time_ms, hit.window, offsets


async def over_given(
    patterns: Sequence[ActivePattern],
    events: Sequence[Event],
    *,
    began_ms: int,
    until_ms: int | None,
    limit: int,
    wanted: Wanted,
) -> Result:
    """Return what patterns find in events, in their order, and in the silence after them."""
    collected = _Collected(patterns, limit)
    backtest = Backtest(patterns, began_ms, wanted)
    for place, event in enumerate(events):
        collected.take(backtest.fold(event))
        if place % _EVENTS_PER_SLICE == 0:
            await asyncio.sleep(0)
    for found in backtest.run_on(until_ms):
        collected.take(found)
        await asyncio.sleep(0)
    collected.result.scanned = len(events)
    collected.result.failures = backtest.failures
    collected.result.left_out = backtest.left_out
    return collected.with_evidence({event.offset: event for event in events})


class Backtests:
    """Backtests over the log of an account."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def over_log(
        self,
        account: str,
        patterns: Sequence[ActivePattern],
        documents: Sequence[Json],
        stored: Stored,
        limit: int,
    ) -> AsyncIterator[Result | int]:
        """Yield how many records were looked at so far, and at the end what was found."""
        collected = _Collected(patterns, limit)
        question = Question(
            documents, stored.from_ms - stored.warm_up_ms, Wanted(stored.from_ms, stored.to_ms)
        )
        head = self._log.head(account)
        times = (stored.from_ms - stored.warm_up_ms, stored.to_ms)
        async with _child() as child:
            globs = (await child.ask(question)).globs
            read = partial(
                self._log.past.between, account, limit=RECORDS_PER_PART, globs=globs, times=times
            )
            async for stretch in _ahead(read, head):
                answer = await child.ask(list(stretch.records))
                collected.take(answer.found)
                yield stretch.upto
            answer = await child.ask(stored.until_ms)
            collected.take(answer.found)
        collected.result.scanned = answer.scanned
        collected.result.failures = answer.failures
        collected.result.left_out = answer.left_out
        offsets = collected.offsets()
        events = await self._log.past.at(account, offsets) if offsets else []
        yield collected.with_evidence({event.offset: event for event in events})


async def _ahead(
    read: Callable[..., Coroutine[None, None, Stretch]], head: int
) -> AsyncIterator[Stretch]:
    """Yield one stretch of the log after the other; the next is read while one is folded."""
    if not head:
        return
    coming = asyncio.create_task(read(bounds=(0, head)), name="stretch of a backtest")
    try:
        while True:
            stretch = await coming
            if stretch.upto >= head:
                yield stretch
                return
            coming = asyncio.create_task(read(bounds=(stretch.upto, head)), name=coming.get_name())
            yield stretch
    finally:
        coming.cancel()


class _Child:
    """A process that folds what it is told, and answers each part."""

    def __init__(self, running: asyncio.subprocess.Process) -> None:
        self._running = running

    async def ask(self, part: object) -> Answer:
        reader, writer = self._running.stdout, self._running.stdin
        assert reader
        assert writer
        try:
            writer.write(write_frame(part))
            await writer.drain()
            size = int.from_bytes(await reader.readexactly(4))
            return read_frame(await reader.readexactly(size))
        except (OSError, asyncio.IncompleteReadError) as exc:
            raise Overloaded("expected the process of the backtest to go on, it ended") from exc


@asynccontextmanager
async def _child() -> AsyncIterator[_Child]:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "oncue.engine.backtest_child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield _Child(running)
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()
