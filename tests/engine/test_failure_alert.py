"""The workflow that every account is given: failures are told, grouped, by what is connected."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.actions.library import ActionLibrary, GivenCredentials, Stores
from oncue.app import built_in_workflows
from oncue.core.json_text import Json
from oncue.core.workflow.compile import Library
from oncue.engine.built_ins import FAILURE_ALERT
from oncue.ports import Actions, ExecutionFilter, MatchRow
from oncue.testing.clock import START_MS, VirtualClock
from oncue.testing.embedded import ACCOUNT, Embedded, embedded
from oncue.testing.vendors.orders import Fixed
from oncue.testing.vendors.wire import Wire
from tests.make import make_document

MINUTE_MS = 60_000
BOTH = ("slack", "email")
FAILS: list[Json] = [{"id": "end", "type": "stop", "status": "failed", "message": "no stock"}]


@dataclass(frozen=True)
class Stage:
    """An engine whose account has the workflow, and simulated vendors."""

    world: Embedded
    wire: Wire

    async def fail(self, *names: str) -> None:
        """Let an execution of each workflow fail."""
        for name in names:
            await self.world.engine.ingest.accept(ACCOUNT, {"type": f"begin.{name}"})
            await self.world.engine.settled()

    async def wait(self, minutes: float) -> None:
        clock = self.world.clock
        await self.world.go_to(clock.now_ms() + int(minutes * MINUTE_MS))

    async def patch(self, **changes: Json) -> None:
        engine = self.world.engine
        current = await engine.built_ins.find(ACCOUNT, FAILURE_ALERT)
        document = {**current.document, **changes}  # type: ignore[dict-item] # it is one
        await engine.definitions.change_workflow(ACCOUNT, current, document)

    @property
    def messages(self) -> list[str]:
        """What came to Slack."""
        return [str(one["text"]) for one in self.wire.known.slack.effects]

    async def alerts(self) -> list[str]:
        """Return how the executions of the workflow stand, the oldest first."""
        rows = await self.world.world.history.executions(
            ACCOUNT, ExecutionFilter(workflow=FAILURE_ALERT), 500
        )
        return [row.status.value for row in reversed(rows)]

    async def matches(self) -> list[MatchRow]:
        pattern = await self._pattern()
        return await self.world.world.history.matches(ACCOUNT, pattern, 500)

    async def _pattern(self) -> str:
        patterns = await self.world.world.patterns.all(ACCOUNT, 500, None)
        return next(one.id for one in patterns if one.name == FAILURE_ALERT)


@asynccontextmanager
async def _stage(
    folder: Path, connected: Sequence[str], clock: VirtualClock | None = None
) -> AsyncIterator[Stage]:
    clock = clock or VirtualClock()
    async with Wire(clock) as wire:

        def credentials(_: str, integration: str) -> Mapping[str, str]:
            given = wire.known.credentials(integration)
            if integration == "slack" and "slack bot" in connected:
                return {name: value for name, value in given.items() if name != "webhook_url"}
            return given if integration not in BOTH or integration in connected else {}

        def build(stores: Stores) -> tuple[Actions, Library]:
            library = ActionLibrary(
                ACTIONS, GivenCredentials(credentials), wire.ways, clock, stores
            )
            return library, library.by_name

        async with embedded(folder, build, clock=clock, built_in=built_in_workflows()) as world:
            yield Stage(world, wire)


def _run(
    folder: Path, use: Callable[[Stage], Awaitable[Any]], connected: Sequence[str] = BOTH
) -> Any:
    async def main() -> Any:
        async with _stage(folder, connected) as stage:
            for name in ("a", "b", "c"):
                on: Json = {"type": "event", "event": f"begin.{name}"}
                document = make_document(name=name, on=on, steps=FAILS)
                await stage.world.engine.definitions.create_workflow(ACCOUNT, document)
            return await use(stage)

    return asyncio.run(main())


def test_a_hundred_failures_of_three_workflows_are_three_messages(tmp_path: Path) -> None:
    async def use(stage: Stage) -> tuple[list[str], list[str]]:
        for n in range(100):
            await stage.fail("abc"[n % 3])
            await stage.wait(0.1)
        first = [*stage.messages]
        await stage.wait(10)
        await stage.fail("a", "b", "c")
        await stage.wait(1)
        return first, stage.messages[len(first) :]

    first, later = _run(tmp_path, use)

    assert [text.split(" (execution")[0] for text in first] == [
        "*a* failed: no stock",
        "*b* failed: no stock",
        "*c* failed: no stock",
    ]
    assert [text.split("). ")[1] for text in later] == [
        "Since the last message 33 more failed.",
        "Since the last message 32 more failed.",
        "Since the last message 32 more failed.",
    ]


def test_an_alert_that_fails_is_not_told(tmp_path: Path) -> None:
    async def use(stage: Stage) -> tuple[list[str], int]:
        stage.wire.vendors["slack"].answer_next(*[Fixed(500)] * 50)
        await stage.fail("a")
        await stage.wait(60)
        return await stage.alerts(), len(await stage.matches())

    assert _run(tmp_path, use) == (["failed"], 1)


def test_where_nothing_is_connected_nothing_is_started(tmp_path: Path) -> None:
    async def use(stage: Stage) -> Any:
        await stage.fail("a")
        (match,) = await stage.matches()
        way = await stage.world.engine.alerts.way(ACCOUNT)
        return await stage.alerts(), match.outcome, way.by, way.lack

    alerts, outcome, by, lack = _run(tmp_path, use, connected=())

    assert (alerts, outcome) == ([], {"skipped": "the workflow's `if` does not hold"})
    assert by is None
    assert "neither Slack nor e-mail is connected" in lack


def test_without_slack_an_e_mail_goes_to_whom_the_variable_names(tmp_path: Path) -> None:
    async def use(stage: Stage) -> Any:
        engine = stage.world.engine
        before = (await engine.alerts.way(ACCOUNT)).by
        await engine.variables.create(ACCOUNT, {"name": "alert_email", "value": "ops@example.com"})
        await stage.fail("a")
        (mail,) = stage.wire.known.resend.effects
        return before, (await engine.alerts.way(ACCOUNT)).by, mail["to"], mail["subject"]

    found = _run(tmp_path, use, connected=("email",))

    assert found == (None, "email", "ops@example.com", "OnCue: a failed")


def test_a_bot_is_asked_once_its_channel_is_known(tmp_path: Path) -> None:
    async def use(stage: Stage) -> Any:
        engine = stage.world.engine
        await stage.fail("a")
        before = await stage.alerts()
        await engine.variables.create(ACCOUNT, {"name": "alert_channel", "value": "#ops"})
        await stage.fail("b")
        return before, [message["channel"] for message in stage.wire.known.slack.effects]

    assert _run(tmp_path, use, connected=("slack bot",)) == ([], ["#ops"])


def test_slack_comes_first(tmp_path: Path) -> None:
    async def use(stage: Stage) -> Any:
        await stage.patch(vars={"alert_email": "ops@example.com"})
        await stage.fail("a")
        way = await stage.world.engine.alerts.way(ACCOUNT)
        return way.by, len(stage.messages), len(stage.wire.known.resend.effects)

    assert _run(tmp_path, use) == ("slack", 1, 0)


@pytest.mark.parametrize("how", ["deleted", "disabled", "renamed"])
def test_what_an_account_made_of_it_stays(tmp_path: Path, how: str) -> None:
    async def first(stage: Stage) -> None:
        engine = stage.world.engine
        current = await engine.built_ins.find(ACCOUNT, FAILURE_ALERT)
        match how:
            case "deleted":
                await engine.definitions.delete_workflow(ACCOUNT, current.id)
            case "disabled":
                await stage.patch(enabled=False)
            case _:
                await stage.patch(name="mine")

    async def main() -> tuple[list[str], str | None]:
        async with _stage(tmp_path, BOTH) as stage:
            rows = await stage.world.world.catalog.workflows(ACCOUNT, 10, None)
            way = await stage.world.engine.alerts.way(ACCOUNT)
            return [row.name for row in rows if row.name not in "abc"], way.by

    _run(tmp_path, first)

    assert (
        asyncio.run(main())
        == {
            "deleted": ([], None),
            "disabled": ([FAILURE_ALERT], None),
            "renamed": (["mine"], "slack"),
        }[how]
    )


def test_a_workflow_of_that_name_is_left_alone(tmp_path: Path) -> None:
    async def before() -> None:
        build = _nothing_built_in()
        clock = VirtualClock(START_MS - MINUTE_MS)
        async with embedded(tmp_path, build, clock=clock) as world:
            document = make_document(name=FAILURE_ALERT)
            await world.engine.definitions.create_workflow(ACCOUNT, document)

    async def use(stage: Stage) -> Any:
        own = await stage.world.world.catalog.workflow_id(ACCOUNT, FAILURE_ALERT)
        current = await stage.world.world.catalog.workflow(ACCOUNT, own)
        return current.version, (await stage.world.engine.alerts.way(ACCOUNT)).lack

    asyncio.run(before())

    version, lack = _run(tmp_path, use)
    assert version == 1
    assert "no workflow 'failure-alert' of OnCue's" in lack


def _nothing_built_in() -> Callable[[Stores], tuple[Actions, Library]]:
    def build(stores: Stores) -> tuple[Actions, Library]:
        clock = VirtualClock()
        library = ActionLibrary(
            ACTIONS, GivenCredentials(lambda *_: {}), Wire(clock).ways, clock, stores
        )
        return library, library.by_name

    return build
