"""
Whose question is answered next.

A few accounts are served at once, each that waits in turn, however much the others ask. Where
nobody else asks, an account may have all the places; whoever comes then is served
beside it rather than after it.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from oncue.core.errors import Overloaded

AT_ONCE: Final = 2
"""Accounts that are served at once, and questions of one account where nobody else asks."""
MAX_EACH: Final = 16
"""Questions of one account, those that wait with those that are answered."""
MAX_WAITING: Final = 256

_Line = deque[asyncio.Future[None]]


class Turns:
    """The questions that are answered, and those that wait."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._running: Counter[str] = Counter()
        # Whoever was served last is last.
        self._waiting: OrderedDict[str, _Line] = OrderedDict()

    @asynccontextmanager
    async def turn(self, account: str) -> AsyncIterator[None]:
        """
        Run the block when it is the account's turn.

        Raises:
            Overloaded: it asks too much at once, or too many ask.
        """
        await self._begun(account)
        try:
            yield
        finally:
            self._end(account)

    async def _begun(self, account: str) -> None:
        line = self._waiting.get(account, ())
        if self._running[account] + len(line) >= MAX_EACH:
            message = f"expected at most {MAX_EACH} queries of an account at once"
            raise Overloaded(message, retry_after_s=1)
        if self._may_begin(account) and not line:
            self._running[account] += 1
            return
        if sum(map(len, self._waiting.values())) >= MAX_WAITING:
            raise Overloaded("expected fewer queries at once", retry_after_s=1)
        await self._granted(account)

    async def _granted(self, account: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._end(account)
            else:
                self._leave(account, turn)
            raise

    def _may_begin(self, account: str) -> bool:
        if not self._running[account]:
            # Beside one account that has all the places, rather than after it.
            return len(+self._running) < self._at_once
        return (
            self._running.total() < self._at_once
            and not self._waiting.keys() - self._running.keys()
        )

    def _end(self, account: str) -> None:
        self._running[account] -= 1
        self._running = +self._running
        if account in self._waiting:
            self._waiting.move_to_end(account)
        while following := self._next():
            turn = self._waiting[following].popleft()
            if not self._waiting[following]:
                del self._waiting[following]
            self._running[following] += 1
            turn.set_result(None)

    def _next(self) -> str | None:
        may = [account for account in self._waiting if self._may_begin(account)]
        return next((a for a in may if not self._running[a]), may[0] if may else None)

    def _leave(self, account: str, turn: asyncio.Future[None]) -> None:
        line = self._waiting[account]
        line.remove(turn)
        if not line:
            del self._waiting[account]
