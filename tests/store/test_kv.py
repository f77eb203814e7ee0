"""The key-value store on real SQLite files."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.errors import Conflict, InvalidInput
from oncue.core.json_text import Json
from oncue.core.key_values import (
    MAX_KEY,
    MAX_VALUE_BYTES,
    Count,
    Entry,
    EntryPage,
    Namespace,
    Slot,
    Terms,
)
from oncue.store.sqlite.kv import ONCE_KEPT_MS, PAGE_BYTES, SqliteKeyValues
from oncue.testing.clock import START_MS, VirtualClock
from tests.installation import Crash, CrashError

Found = TypeVar("Found")
Use = Callable[[SqliteKeyValues, VirtualClock], Awaitable[Found]]


def state(key: str) -> Slot:
    return Slot(Namespace.STATE, key)


A = state("a")


def with_store(folder: Path, use: Use[Found], **options: Any) -> Found:
    async def main() -> Found:
        clock = options.pop("clock", None) or VirtualClock()
        keys = SqliteKeyValues(folder / "kv.db", clock, **options)
        try:
            return await use(keys, clock)
        finally:
            await keys.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    "value",
    [None, False, 0, 1.0, 2**53 + 1, "", "ä\U0001f600\0", [], {"a": [1, {"b": None}]}],
    ids=repr,
)
def test_a_value_comes_back_as_it_was(tmp_path: Path, value: Json) -> None:
    async def use(keys: SqliteKeyValues, _: VirtualClock) -> Entry | None:
        await keys.set("acc", A, value)
        return await keys.get("acc", A)

    found = with_store(tmp_path, use)

    assert found == Entry("a", value, 1, START_MS)
    assert type(found.value) is type(value)


def test_what_was_set_is_there_after_a_restart(tmp_path: Path) -> None:
    async def write(keys: SqliteKeyValues, _: VirtualClock) -> int:
        return await keys.set("acc", A, "kept")

    async def read(keys: SqliteKeyValues, _: VirtualClock) -> Entry | None:
        return await keys.get("acc", A)

    with_store(tmp_path, write)

    assert with_store(tmp_path, read) == Entry("a", "kept", 1, START_MS)


def test_versions_count_per_key_and_begin_anew_after_a_delete(tmp_path: Path) -> None:
    async def use(keys: SqliteKeyValues, _: VirtualClock) -> list[int | bool]:
        return [
            await keys.set("acc", A, 1),
            await keys.set("acc", A, 1),
            await keys.set("acc", state("b"), 1),
            await keys.delete("acc", A),
            await keys.delete("acc", A),
            await keys.set("acc", A, 1),
        ]

    assert with_store(tmp_path, use) == [1, 2, 1, True, False, 1]


def test_accounts_and_namespaces_do_not_meet(tmp_path: Path) -> None:
    cached = Slot(Namespace.CACHE, "a")

    async def use(keys: SqliteKeyValues, _: VirtualClock) -> list[object]:
        await keys.set("one", A, "of one", Terms(once="same"))
        seen = [
            await keys.get("two", A),
            await keys.delete("two", A),
            await keys.get("one", cached),
        ]
        page = await keys.scan("two", Namespace.STATE, "", None, 10)
        version = await keys.set("two", A, "of two", Terms(once="same"))
        mine = await keys.get("one", A)
        return [*seen, page, version, mine]

    assert with_store(tmp_path, use) == [
        None,
        False,
        None,
        EntryPage((), None),
        1,
        Entry("a", "of one", 1, START_MS),
    ]


@pytest.mark.parametrize(
    ("sets", "wanted", "message"),
    [
        pytest.param(0, 0, None, id="nothing is wanted and there"),
        pytest.param(2, 2, None, id="the version is that"),
        pytest.param(2, 0, "expected nothing under 'a', got version 2", id="there is something"),
        pytest.param(2, 1, "expected version 1 of 'a', got version 2", id="it changed meanwhile"),
        pytest.param(0, 1, "expected version 1 of 'a', got nothing", id="it is gone"),
    ],
)
@pytest.mark.parametrize("verb", ["set", "increment", "delete"])
def test_a_write_may_ask_for_a_version(
    tmp_path: Path, verb: str, sets: int, wanted: int, message: str | None
) -> None:
    async def use(keys: SqliteKeyValues, _: VirtualClock) -> object:
        for number in range(sets):
            await keys.set("acc", A, number)
        terms = Terms(if_version=wanted)
        if verb == "delete":
            return await keys.delete("acc", A, terms)
        if verb == "set":
            return await keys.set("acc", A, 10, terms)
        return await keys.increment("acc", A, 10, terms)

    if message is None:
        expected = {
            "set": sets + 1,
            "increment": Count(10 + max(0, sets - 1), sets + 1),
            "delete": sets > 0,
        }
        assert with_store(tmp_path, use) == expected[verb]
    else:
        with pytest.raises(Conflict) as caught:
            with_store(tmp_path, use)
        assert str(caught.value) == message


def test_a_value_is_gone_after_its_time_to_live(tmp_path: Path) -> None:
    async def use(keys: SqliteKeyValues, clock: VirtualClock) -> list[object]:
        await keys.set("acc", A, 1, Terms(ttl_ms=1_000))
        clock.advance(999)
        before = await keys.get("acc", A)
        clock.advance(1)
        after = [await keys.get("acc", A), await keys.scan("acc", Namespace.STATE, "", None, 10)]
        return [before, *after, await keys.set("acc", A, 2, Terms(if_version=0))]

    assert with_store(tmp_path, use) == [
        Entry("a", 1, 1, START_MS, START_MS + 1_000),
        None,
        EntryPage((), None),
        1,
    ]


def test_a_set_without_time_to_live_ends_the_one_before(tmp_path: Path) -> None:
    async def use(keys: SqliteKeyValues, clock: VirtualClock) -> Entry | None:
        await keys.set("acc", A, 1, Terms(ttl_ms=1_000))
        await keys.set("acc", A, 2)
        clock.advance(1_000)
        return await keys.get("acc", A)

    assert with_store(tmp_path, use) == Entry("a", 2, 2, START_MS)


def test_a_counter_keeps_the_time_to_live_that_it_began_with(tmp_path: Path) -> None:
    async def use(keys: SqliteKeyValues, clock: VirtualClock) -> list[Count]:
        window = Terms(ttl_ms=1_000)
        counts = [await keys.increment("acc", A, 1, window)]
        clock.advance(600)
        counts.append(await keys.increment("acc", A, 1, window))
        clock.advance(400)
        return [*counts, await keys.increment("acc", A, 1, window)]

    assert with_store(tmp_path, use) == [Count(1, 1), Count(2, 2), Count(1, 1)]


def test_what_expired_leaves_the_file(tmp_path: Path) -> None:
    async def use(keys: SqliteKeyValues, clock: VirtualClock) -> None:
        for number in range(20):
            await keys.set("acc", state(str(number)), 1, Terms(ttl_ms=1, once=str(number)))
        clock.advance(ONCE_KEPT_MS)
        for number in range(2):
            await keys.set("acc", A, 1, Terms(once=f"later {number}"))

    with_store(tmp_path, use)

    assert rows_in(tmp_path) == (1, 2)


def rows_in(folder: Path) -> tuple[int, int]:
    """Return how many rows there are on disk: of values, and of results kept for repeats."""
    connection = sqlite3.connect(folder / "kv.db")
    select = "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM once)"
    found: tuple[int, int] = connection.execute(select).fetchone()
    connection.close()
    return found


@pytest.mark.parametrize(
    ("before", "amount", "after"),
    [
        pytest.param(None, 1, Count(1, 1), id="it counts from 0"),
        pytest.param(41, 1, Count(42, 2), id="whole numbers stay whole"),
        pytest.param(1, -3, Count(-2, 2), id="it counts down, too"),
        pytest.param(1, 0.5, Count(1.5, 2), id="a fraction makes a fraction"),
        pytest.param(1.5, 1, Count(2.5, 2), id="a fraction takes whole numbers"),
    ],
)
def test_a_number_is_counted_up(tmp_path: Path, before: Json, amount: float, after: Count) -> None:
    async def use(keys: SqliteKeyValues, _: VirtualClock) -> Count:
        if before is not None:
            await keys.set("acc", A, before)
        return await keys.increment("acc", A, amount)

    assert with_store(tmp_path, use) == after


@pytest.mark.parametrize(
    ("before", "amount", "message"),
    [
        ("five", 1, 'key: expected a number there, got "five"'),
        (True, 1, "key: expected a number there, got true"),
        (None, 1, "key: expected a number there, got null"),
        ([1], 1, "key: expected a number there, got [1]"),
        (2**63 - 1, 1, f"amount: expected a sum within 64 bits, got {2**63}"),
        (1e308, 1e308, "amount: expected a sum within 64 bits, got inf"),
    ],
)
def test_what_cannot_be_counted_stays_as_it_is(
    tmp_path: Path, before: Json, amount: float, message: str
) -> None:
    async def use(keys: SqliteKeyValues, _: VirtualClock) -> tuple[str, Entry | None]:
        await keys.set("acc", A, before)
        with pytest.raises(InvalidInput) as caught:
            await keys.increment("acc", A, amount, Terms(once="k"))
        return str(caught.value), await keys.get("acc", A)

    assert with_store(tmp_path, use) == (message, Entry("a", before, 1, START_MS))


def test_counting_at_once_loses_nothing(tmp_path: Path) -> None:
    async def use(keys: SqliteKeyValues, _: VirtualClock) -> list[float]:
        counts = await asyncio.gather(*(keys.increment("acc", A, 1) for _ in range(100)))
        return [count.value for count in counts]

    assert with_store(tmp_path, use) == [*range(1, 101)]


def test_of_those_who_want_the_same_version_one_wins(tmp_path: Path) -> None:
    async def use(keys: SqliteKeyValues, _: VirtualClock) -> list[object]:
        wishes = [keys.set("acc", A, number, Terms(if_version=0)) for number in range(20)]
        return await asyncio.gather(*wishes, return_exceptions=True)

    outcomes = with_store(tmp_path, use)

    assert outcomes[0] == 1
    assert {type(outcome) for outcome in outcomes[1:]} == {Conflict}


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "key: expected 1 to 512 characters, got 0"),
        (MAX_KEY + 1, "key: expected 1 to 512 characters, got 513"),
    ],
)
def test_a_key_has_a_length(size: int, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        state("k" * size)

    assert str(caught.value) == message


def test_a_value_has_a_size(tmp_path: Path) -> None:
    largest = "x" * (MAX_VALUE_BYTES - 2)

    async def use(keys: SqliteKeyValues, _: VirtualClock) -> Entry | None:
        await keys.set("acc", state("k" * MAX_KEY), largest)
        with pytest.raises(
            InvalidInput, match="value: expected at most 262144 bytes of JSON, got 262145"
        ):
            await keys.set("acc", A, largest + "x")
        return await keys.get("acc", A)

    assert with_store(tmp_path, use) is None


REPEATS: list[Any] = [
    pytest.param("set", [2, 2, 3], id="a set"),
    pytest.param("increment", [Count(11, 2), Count(11, 2), Count(21, 3)], id="an increment"),
    pytest.param("delete", [True, True, False], id="a delete"),
]


@pytest.mark.parametrize(("verb", "expected"), REPEATS)
def test_a_repeat_changes_nothing_and_gets_what_the_first_got(
    tmp_path: Path, verb: str, expected: list[object]
) -> None:
    async def ask(keys: SqliteKeyValues, once: str) -> object:
        terms = Terms(once=once)
        if verb == "set":
            return await keys.set("acc", A, "x", terms)
        if verb == "increment":
            return await keys.increment("acc", A, 10, terms)
        return await keys.delete("acc", A, terms)

    async def live(keys: SqliteKeyValues, _: VirtualClock) -> object:
        await keys.set("acc", A, 1)
        return await ask(keys, "first")

    async def live_on(keys: SqliteKeyValues, _: VirtualClock) -> list[object]:
        return [await ask(keys, "first"), await ask(keys, "second")]

    first = with_store(tmp_path, live)

    assert [first, *with_store(tmp_path, live_on)] == expected


def test_a_repeat_is_told_whatever_came_in_between(tmp_path: Path) -> None:
    async def use(keys: SqliteKeyValues, _: VirtualClock) -> list[object]:
        mine = Terms(once="mine", if_version=0)
        first = await keys.increment("acc", A, 1, mine)
        for number in range(50):
            await keys.increment("acc", A, 1, Terms(once=f"other {number}"))
        return [first, await keys.increment("acc", A, 1, mine), await keys.increment("acc", A, 0)]

    assert with_store(tmp_path, use) == [Count(1, 1), Count(1, 1), Count(51, 52)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_an_increment_counts_once(tmp_path: Path, moment: str) -> None:
    async def count(keys: SqliteKeyValues, _: VirtualClock) -> Count:
        return await keys.increment("acc", A, 1, Terms(once="the step"))

    with pytest.raises(CrashError):
        with_store(tmp_path, count, commit=Crash(at=1, moment=moment))

    assert with_store(tmp_path, count) == Count(1, 1)


def test_keys_are_listed_in_order_by_prefix_and_page(tmp_path: Path) -> None:
    wanted = ["p", "p\0", "p/1", "p/2", "p/ä", "p/\U0010ffff", "pz"]

    async def use(keys: SqliteKeyValues, _: VirtualClock) -> list[tuple[str, ...]]:
        for key in [*wanted, "o", "q", "P"]:
            await keys.set("acc", state(key), 1)
        pages: list[tuple[str, ...]] = []
        after = None
        while True:
            page = await keys.scan("acc", Namespace.STATE, "p", after, 2)
            pages.append(tuple(entry.key for entry in page.entries))
            after = page.next_after
            if after is None:
                return pages

    assert with_store(tmp_path, use) == [
        ("p", "p\0"),
        ("p/1", "p/2"),
        ("p/ä", "p/\U0010ffff"),
        ("pz",),
    ]


def test_a_page_ends_when_it_is_large(tmp_path: Path) -> None:
    large = "x" * (MAX_VALUE_BYTES - 2)
    fitting = PAGE_BYTES // MAX_VALUE_BYTES + 1

    async def use(keys: SqliteKeyValues, _: VirtualClock) -> list[int]:
        for number in range(fitting + 2):
            await keys.set("acc", state(str(number)), large)
        first = await keys.scan("acc", Namespace.STATE, "", None, 100)
        rest = await keys.scan("acc", Namespace.STATE, "", first.next_after, 100)
        return [len(first.entries), len(rest.entries)]

    assert with_store(tmp_path, use) == [fitting, 2]


@dataclass
class Oracle:
    """The store as a dict: what is there, until when, and what each `once` gave."""

    now: int = START_MS
    entries: dict[tuple[str, Slot], Entry] = field(default_factory=dict)
    given: dict[tuple[str, str], object] = field(default_factory=dict)

    def live(self, account: str, slot: Slot) -> Entry | None:
        found = self.entries.get((account, slot))
        is_there = found and (found.expires_at_ms is None or found.expires_at_ms > self.now)
        return found if is_there else None

    def write(self, verb: str, account: str, slot: Slot, value: int, terms: Terms) -> object:
        if terms.once is not None and (account, terms.once) in self.given:
            return self.given[account, terms.once]
        found = self.live(account, slot)
        version = found.version if found else 0
        if terms.if_version not in (None, version):
            return Conflict
        result = self._change(verb, (account, slot), found, value, terms)
        if terms.once is not None:
            self.given[account, terms.once] = result
        return result

    def _change(
        self, verb: str, place: tuple[str, Slot], found: Entry | None, value: int, terms: Terms
    ) -> object:
        version = found.version + 1 if found else 1
        expires_at = None if terms.ttl_ms is None else self.now + terms.ttl_ms
        if verb == "delete":
            self.entries.pop(place, None)
            return found is not None
        if verb == "increment" and found:
            assert isinstance(found.value, int)
            value, expires_at = found.value + value, found.expires_at_ms
        self.entries[place] = Entry(place[1].key, value, version, self.now, expires_at)
        return Count(value, version) if verb == "increment" else version

    def page(self, account: str, prefix: str) -> EntryPage:
        slots = sorted((slot for _, slot in self.entries), key=lambda slot: slot.key)
        found = (self.live(account, slot) for slot in slots if slot.key.startswith(prefix))
        unique = {entry.key: entry for entry in found if entry}
        return EntryPage(tuple(unique.values()), None)


accounts = st.sampled_from(["one", "two"])
slots = st.sampled_from(["a", "ab", "b"]).map(state)
writes = st.tuples(
    st.sampled_from(["set", "increment", "delete"]),
    accounts,
    slots,
    st.integers(-3, 3),
    st.builds(
        Terms,
        ttl_ms=st.none() | st.integers(1, 20),
        if_version=st.none() | st.integers(0, 2),
    ),
)
steps = st.lists(writes | st.integers(1, 15), max_size=25)


@settings(max_examples=60)
@given(steps=steps, repeats=st.sets(st.integers(0, 24)))
def test_the_store_is_a_dict_with_a_clock(steps: list[Any], repeats: set[int]) -> None:
    async def ask(
        keys: SqliteKeyValues, verb: str, account: str, slot: Slot, value: int, terms: Terms
    ) -> object:
        try:
            match verb:
                case "set":
                    return await keys.set(account, slot, value, terms)
                case "increment":
                    return await keys.increment(account, slot, value, terms)
            return await keys.delete(account, slot, terms)
        except Conflict:
            return Conflict

    async def use(keys: SqliteKeyValues, clock: VirtualClock) -> None:
        oracle = Oracle()
        for number, step in enumerate(steps):
            if isinstance(step, int):
                clock.advance(step)
                oracle.now += step
                continue
            verb, account, slot, value, terms = step
            once = Terms(terms.ttl_ms, terms.if_version, f"write {number}")
            for _ in range(2 if number in repeats else 1):
                expected = oracle.write(verb, account, slot, value, once)
                assert await ask(keys, verb, account, slot, value, once) == expected
            assert await keys.get(account, slot) == oracle.live(account, slot)
            assert await keys.scan(account, Namespace.STATE, "a", None, 9) == oracle.page(
                account, "a"
            )

    with tempfile.TemporaryDirectory() as folder:
        with_store(Path(folder), use)
