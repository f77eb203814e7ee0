"""Nobody's questions keep those of others out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import Overloaded
from oncue.store.query.turns import AT_ONCE, MAX_EACH, MAX_WAITING, Turns
from tests.turning import a_turn


class Asked:
    """Questions that go on until they are told to end, in the order in which they began."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.begun: list[str] = []
        self.running: dict[str, list[asyncio.Event]] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.refused: list[str] = []

    async def ask(self, *accounts: str) -> None:
        for account in accounts:
            self.tasks.append(asyncio.create_task(self._asked(account)))
            await self.settled()

    async def end(self, account: str) -> None:
        self.running[account].pop(0).set()
        await self.settled()

    async def settled(self) -> None:
        for _ in range(10):
            await a_turn()

    @property
    def count(self) -> int:
        return sum(map(len, self.running.values()))

    async def _asked(self, account: str) -> None:
        try:
            async with self.turns.turn(account):
                self.begun.append(account)
                over = asyncio.Event()
                self.running.setdefault(account, []).append(over)
                try:
                    await over.wait()
                finally:
                    if over in self.running[account]:
                        self.running[account].remove(over)
        except Overloaded:
            self.refused.append(account)


def using(use: Callable[[Asked], Awaitable[Any]]) -> Asked:
    async def main() -> Asked:
        asked = Asked()
        await use(asked)
        for task in asked.tasks:
            task.cancel()
        await asyncio.gather(*asked.tasks, return_exceptions=True)
        return asked

    return asyncio.run(main())


def test_an_account_that_asks_alone_has_all_the_places() -> None:
    async def use(asked: Asked) -> None:
        await asked.ask("a", "a", "a")
        assert asked.begun == ["a", "a"]
        await asked.end("a")

    assert using(use).begun == ["a"] * 3


def test_another_is_served_at_once_beside_the_one_that_has_all_the_places() -> None:
    async def use(asked: Asked) -> None:
        await asked.ask("a", "a", "a", "a", "b")
        assert asked.begun == ["a", "a", "b"]
        await asked.end("b")
        await asked.ask("b")

    assert using(use).begun == ["a", "a", "b", "b"]


def test_accounts_that_wait_are_served_in_turn() -> None:
    async def use(asked: Asked) -> None:
        await asked.ask("a", "b", "a", "a", "b", "c", "c", "d")
        assert asked.begun == ["a", "b"]
        await asked.end("a")
        await asked.end("b")
        await asked.end("c")
        await asked.end("d")

    assert using(use).begun == ["a", "b", "c", "d", "a", "b"]


def test_an_account_that_asks_too_much_is_refused_and_nobody_else() -> None:
    async def use(asked: Asked) -> None:
        await asked.ask(*["a"] * (MAX_EACH + 3), "b")

    asked = using(use)

    assert asked.refused == ["a"] * 3
    assert asked.begun == ["a"] * AT_ONCE + ["b"]


def test_all_that_wait_together_are_bounded() -> None:
    names = [f"acc_{number}" for number in range(AT_ONCE + MAX_WAITING + 1)]

    async def use(asked: Asked) -> None:
        await asked.ask(*names)

    assert using(use).refused == names[-1:]


def test_who_leaves_the_line_takes_no_place_with_it() -> None:
    async def use(asked: Asked) -> None:
        await asked.ask("a", "b", "c", "d")
        for place in (2, 0):
            asked.tasks[place].cancel()
            await asked.settled()

    assert using(use).begun == ["a", "b", "d"]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=60))
def test_whatever_is_asked_nobody_starves(moves: list[tuple[str, bool]]) -> None:
    async def use(asked: Asked) -> None:
        for account, is_end in moves:
            if is_end and asked.running.get(account):
                await asked.end(account)
            else:
                await asked.ask(account)
            waits = len(asked.tasks) - len(asked.refused) - len(asked.begun)
            accounts = [name for name, some in asked.running.items() if some]
            assert len(accounts) <= AT_ONCE
            assert asked.count <= 2 * AT_ONCE - 1
            assert asked.count >= AT_ONCE or not waits
        while asked.count:
            await asked.end(next(name for name, some in asked.running.items() if some))

    asked = using(use)

    assert len(asked.begun) + len(asked.refused) == len(asked.tasks)


@pytest.mark.parametrize("others", [1, 5])
def test_the_next_turn_is_never_that_of_who_had_the_last(others: int) -> None:
    names = [f"b{number}" for number in range(others)]

    async def use(asked: Asked) -> None:
        await asked.ask("x", "a", *["a"] * 5, *names)
        for _ in names:
            await asked.end(next(n for n in ("a", *names) if asked.running.get(n)))

    assert using(use).begun[2:] == names
