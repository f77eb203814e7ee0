"""Executions before a vendor that takes few calls, or answers none for a while."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from oncue.actions import ACTIONS
from oncue.actions.gating import Gating
from oncue.actions.library import ActionLibrary, GivenCredentials, Stores
from oncue.core.json_text import Json
from oncue.core.limits.gate import Gates
from oncue.core.workflow.compile import Library
from oncue.core.workflow.state import ExecutionState
from oncue.engine.parking import VendorState
from oncue.ports import Actions, ExecutionFilter
from oncue.testing.clock import START_MS, VirtualClock
from oncue.testing.embedded import ACCOUNT, Embedded, embedded
from oncue.testing.vendors.http import AcceptingSimulator
from oncue.testing.vendors.orders import Fixed
from oncue.testing.vendors.simulator import ReceivedCall
from oncue.testing.vendors.wire import Wire

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


class Vendor(AcceptingSimulator):
    """Answers as `decide` says of an instant; 200 is noted as an effect."""

    def __init__(self, decide: Callable[[int], Fixed]) -> None:
        super().__init__()
        self._decide = decide
        self.seen_ms: list[int] = []

    def answer(self, call: ReceivedCall) -> Fixed:
        now_ms = self.clock.now_ms()
        self.seen_ms.append(now_ms)
        decided = self._decide(now_ms)
        if decided.status == 200:
            self.effects.append({"body": call.body, "at_ms": now_ms})
        return decided


def down_until(instant_ms: int) -> Callable[[int], Fixed]:
    return lambda now_ms: Fixed(503 if now_ms < instant_ms else 200, "")


def once_a_second() -> Callable[[int], Fixed]:
    last_ms = 0

    def decide(now_ms: int) -> Fixed:
        nonlocal last_ms
        if now_ms - last_ms < SECOND_MS:
            return Fixed(429, "", {"Retry-After": "1"})
        last_ms = now_ms
        return Fixed(200, "")

    return decide


def workflow(name: str, **retry: Json) -> Json:
    return {
        "name": name,
        "on": {"type": "event", "event": name},
        "steps": [
            {
                "id": "call",
                "type": "action",
                "action": "http_request",
                "with": {
                    "method": "POST",
                    "url": "https://vendor.example/things",
                    "json": {"from": name, "n": "{{ event.data.n }}"},
                },
                "retry": {"attempts": 4, "delay": "1s", **retry},
            }
        ],
    }


@dataclass
class Stage:
    """A data folder before a vendor, for one life or several."""

    folder: Path
    vendor: Vendor
    clock: VirtualClock

    async def live(self, play: "Callable[[Embedded], object]") -> None:
        gates = Gates()
        async with Wire(self.clock, {"http": self.vendor}) as wire:

            def build(stores: Stores) -> tuple[Actions, Library]:
                source = GivenCredentials(lambda *_: {})
                gating = Gating(gates, self.clock)
                library = ActionLibrary(ACTIONS, source, wire.ways, self.clock, stores, gating)
                return library, library.by_name

            async with embedded(self.folder, build, clock=self.clock, gates=gates) as world:
                played = play(world)
                assert asyncio.iscoroutine(played)
                await played


async def send(world: Embedded, name: str, count: int) -> None:
    for n in range(count):
        await world.engine.ingest.accept(ACCOUNT, {"type": name, "data": {"n": n}})
    await world.engine.settled()


async def states(world: Embedded) -> list[ExecutionState]:
    rows = await world.world.history.executions(ACCOUNT, ExecutionFilter(), 500)
    return [(await world.journal.load(ACCOUNT, row.id)).state for row in rows]


def attempts_of(found: list[ExecutionState]) -> int:
    return sum(len(state.steps["call"].attempts) for state in found)


def test_an_outage_uses_up_few_attempts_and_all_goes_on_after_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Vendor(down_until(START_MS + 30 * MINUTE_MS)), VirtualClock())
    found: list[ExecutionState] = []
    vendors: list[VendorState] = []

    async def play(world: Embedded) -> None:
        await world.engine.definitions.create_workflow(ACCOUNT, workflow("order"))
        for second in range(0, 1_200, 6):
            await send(world, "order", 1)
            await world.go_to(START_MS + second * SECOND_MS)
        vendors.extend(world.engine.parking.vendors(ACCOUNT))
        waiting = [state for state in await states(world) if not state.final]
        reasons = [state.steps["call"].parked for state in waiting]
        assert len(waiting) > 150
        assert all("the vendor" in (reason or "") for reason in reasons)
        await world.go_to(START_MS + 32 * MINUTE_MS)
        found.extend(await states(world))

    asyncio.run(stage.live(play))

    ended = Counter(state.status.value for state in found)
    # Those of the first minute, for which retrying did not last.
    assert ended["failed"] <= 12
    assert ended["completed"] == 200 - ended["failed"] == len(stage.vendor.effects)
    # Without the circuit, 800 attempts.
    during = [at for at in stage.vendor.seen_ms if at < START_MS + 30 * MINUTE_MS]
    assert len(during) < 150
    assert [(v.name, v.state) for v in vendors] == [("http https://vendor.example/things", "open")]


def test_executions_that_fail_together_end_together(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Vendor(lambda _: Fixed(500, "")), VirtualClock())
    found: list[ExecutionState] = []

    async def play(world: Embedded) -> None:
        await world.engine.definitions.create_workflow(ACCOUNT, workflow("order"))
        await send(world, "order", 100)
        await world.go_to(START_MS + MINUTE_MS)
        found.extend(await states(world))

    asyncio.run(stage.live(play))

    assert {state.status.value for state in found} == {"failed"}
    assert attempts_of(found) == 400


def test_an_outage_that_lasts_ends_as_errors_that_somebody_sees(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Vendor(lambda _: Fixed(503, "")), VirtualClock())
    found: list[ExecutionState] = []

    async def play(world: Embedded) -> None:
        await world.engine.definitions.create_workflow(ACCOUNT, workflow("order"))
        for minute in range(10):
            await send(world, "order", 2)
            await world.go_to(START_MS + minute * MINUTE_MS)
        await world.go_to(START_MS + 8 * HOUR_MS)
        found.extend(await states(world))

    asyncio.run(stage.live(play))

    assert {state.status.value for state in found} == {"failed"}
    assert attempts_of(found) == 20 * 4


def test_a_budget_is_shared_fairly_and_uses_up_few_attempts(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Vendor(once_a_second()), VirtualClock())
    found: list[ExecutionState] = []

    async def play(world: Embedded) -> None:
        for name in ("many", "few"):
            await world.engine.definitions.create_workflow(ACCOUNT, workflow(name, attempts=8))
        await send(world, "many", 120)
        await send(world, "few", 3)
        await world.go_to(START_MS + 10 * MINUTE_MS)
        found.extend(await states(world))

    asyncio.run(stage.live(play))

    bodies = [effect["body"] for effect in stage.vendor.effects]
    order = [body["from"] for body in bodies if isinstance(body, dict)]
    assert {state.status.value for state in found} == {"completed"}
    assert len(order) == 123
    # In turn with the 120 that came first.
    assert max(n for n, name in enumerate(order) if name == "few") < 30
    assert stage.vendor.effects[-1]["at_ms"] < START_MS + 240 * SECOND_MS  # type: ignore[operator] # a number


def test_parked_steps_go_on_after_a_restart(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Vendor(down_until(START_MS + 30 * MINUTE_MS)), VirtualClock())
    found: list[ExecutionState] = []

    async def first(world: Embedded) -> None:
        await world.engine.definitions.create_workflow(ACCOUNT, workflow("order"))
        for second in range(0, 500, 10):
            await send(world, "order", 1)
            await world.go_to(START_MS + second * SECOND_MS)
        await world.go_to(START_MS + 10 * MINUTE_MS)

    async def second(world: Embedded) -> None:
        await world.go_to(START_MS + 2 * HOUR_MS)
        found.extend(await states(world))

    asyncio.run(stage.live(first))
    stage.vendor = Vendor(down_until(START_MS + 30 * MINUTE_MS))
    asyncio.run(stage.live(second))

    ended = Counter(state.status.value for state in found)
    assert ended["completed"] >= 35
    assert len(stage.vendor.effects) == ended["completed"]
    assert sum(ended.values()) == 50


def test_one_execution_that_fails_on_its_own_is_not_parked(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Vendor(lambda _: Fixed(500, "")), VirtualClock())
    found: list[ExecutionState] = []

    async def play(world: Embedded) -> None:
        await world.engine.definitions.create_workflow(ACCOUNT, workflow("order", attempts=20))
        await send(world, "order", 1)
        await world.go_to(START_MS + 2 * HOUR_MS)
        found.extend(await states(world))

    asyncio.run(stage.live(play))

    assert attempts_of(found) == 20
    assert found[0].steps["call"].parked_at_ms is None
