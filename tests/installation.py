"""An embedded engine on a temporary folder and the virtual clock, that can be killed."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from oncue.actions.library import ActionLibrary, Stores
from oncue.core.action import Action, AnyAction, Call, Idempotency, Origin
from oncue.core.errors import ActionError
from oncue.core.expression import Spot
from oncue.core.json_text import Json
from oncue.core.limits.gate import Gates
from oncue.core.workflow.compile import Library
from oncue.engine.engine import Engine, World
from oncue.ports import Actions, ExecutionFilter, Rehearsal
from oncue.store.sqlite.file import Commit
from oncue.store.sqlite.journal import SqliteJournal
from oncue.store.sqlite.log import SqliteEventLog
from oncue.testing.clock import VirtualClock
from oncue.testing.embedded import ACCOUNT, embedded

__all__ = ["ACCOUNT", "Crash", "CrashError", "Installed", "RecordingActions", "installed"]


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


async def _perform(call: Call[Note]) -> Json:
    raise AssertionError("RecordingActions carries it out")


def _note(name: str, idempotency: Idempotency) -> AnyAction:
    return Action(
        name=name,
        summary="Write a text down.",
        integration="test",
        category="test",
        input=Note,
        output=Note,
        idempotency=idempotency,
        example={"text": "hello"},
        perform=_perform,
    )


LIBRARY = {
    "note": _note("note", Idempotency.NATIVE_KEY),
    "sms": _note("sms", Idempotency.NONE),
}


@dataclass
class RecordingActions:
    """The outside world: remembers what it was asked, and fails as told."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    answers: list[ActionError] = field(default_factory=list)
    repeats: list[bool] = field(default_factory=list)

    async def perform(
        self,
        account: str,
        action: str,
        rendered: Json,
        key: str,
        *,
        is_repeat: bool,
        origin: Origin | None = None,
        connection: str | None = None,
        spots: Sequence[Spot] = (),
    ) -> Json:
        assert isinstance(rendered, dict)
        text = rendered["text"]
        assert isinstance(text, str)
        self.calls.append((text, key))
        self.repeats.append(is_repeat)
        if self.answers:
            raise self.answers.pop(0)
        return {"noted": text}

    async def missing(self, account: str, action: str, connection: str | None = None) -> str | None:
        return None

    async def goes_with(self, account: str, action: str) -> list[str] | None:
        return []

    async def rehearse(
        self,
        account: str,
        action: str,
        rendered: Json,
        key: str,
        *,
        is_dry: bool,
        connection: str | None = None,
        spots: Sequence[Spot] = (),
    ) -> Rehearsal:
        return Rehearsal(None, None, [])


class CrashError(Exception):
    """The process died."""


@dataclass
class Crash:
    """Dies before or after the nth commit; nothing is written from then on."""

    at: int
    moment: str
    commits: int = 0
    has_happened: bool = False

    def __call__(self, connection: sqlite3.Connection) -> None:
        # Files are committed side by side: meanwhile the count goes on.
        self.commits += 1
        number = self.commits
        if self.has_happened or (number == self.at and self.moment == "before"):
            self.has_happened = True
            raise CrashError
        connection.commit()
        if number == self.at:
            self.has_happened = True
            raise CrashError


@dataclass(frozen=True)
class Installed:
    """A running engine and what it stands on."""

    engine: Engine
    clock: VirtualClock
    actions: RecordingActions
    log: SqliteEventLog
    journal: SqliteJournal
    parts: World
    go_to: Callable[[int], Awaitable[None]]

    async def send(self, **event: Json) -> None:
        await self.engine.ingest.accept(ACCOUNT, {"type": "user.signup", **event})

    async def settle_after(self, *durations_ms: int) -> None:
        """Let time pass in steps, and all that follows happen."""
        await self.engine.settled()
        for duration_ms in durations_ms:
            self.clock.advance(duration_ms)
            await self.engine.settled()

    async def statuses(self) -> Sequence[str]:
        rows = await self.parts.history.executions(ACCOUNT, ExecutionFilter(), 100)
        return [row.status.value for row in rows]


@asynccontextmanager
async def installed(
    folder: Path,
    *,
    clock: VirtualClock | None = None,
    actions: RecordingActions | None = None,
    vendors: ActionLibrary | None = None,
    commit: Commit = sqlite3.Connection.commit,
    built_in: Sequence[Json] = (),
    gates: Gates | None = None,
) -> AsyncIterator[Installed]:
    """
    Run an engine on `folder` until the block ends.

    `commit` may die; with `vendors` the steps call real actions, through `gates` if given.
    """
    clock = clock or VirtualClock()
    recording = actions or RecordingActions()

    def build(stores: Stores) -> tuple[Actions, Library]:
        if vendors is None:
            return recording, LIBRARY
        return vendors.over(stores), vendors.by_name

    async with embedded(
        folder,
        build,
        clock=clock,
        commit=commit,
        checks_connections=True,
        built_in=built_in,
        gates=gates,
    ) as inner:
        yield Installed(
            inner.engine, clock, recording, inner.log, inner.journal, inner.world, inner.go_to
        )
