"""
Workflows over vendors of which every fifth call goes wrong.

Each effect comes about once where the vendor lets us see to it; where it does
not, a doubt ends the step, and nothing happens twice.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.actions.library import ActionLibrary, Stores
from oncue.core.json_text import Json
from oncue.core.workflow.compile import Library
from oncue.ports import Actions, ExecutionFilter
from oncue.testing.clock import VirtualClock
from oncue.testing.embedded import ACCOUNT, embedded
from oncue.testing.vendors import DROP, LOSE_ANSWER, Fixed
from oncue.testing.vendors.orders import OnOrder
from oncue.testing.vendors.wire import Wire

EXECUTIONS = 1_000
DAY_MS = 86_400_000
FAULTS: tuple[OnOrder, ...] = (
    Fixed(429, "", {"Retry-After": "1"}),
    Fixed(503, ""),
    DROP,
    LOSE_ANSWER,
)
RETRY: Json = {"attempts": 12, "delay": "1s", "max_delay": "10s"}
EMAIL = "{{ event.data.email }}"


def _workflow(action: str, given: dict[str, Json]) -> Json:
    step: Json = {"id": "act", "type": "action", "action": action, "with": given, "retry": RETRY}
    on: Json = {"type": "event", "event": "user.signup"}
    return {"name": action.replace("_", "-"), "on": on, "steps": [step]}


async def _effects(folder: Path, vendor: str, workflow: Json) -> tuple[list[Any], Counter[str]]:
    """Return what came about, and how executions ended."""
    chance = random.Random(vendor)
    clock = VirtualClock()
    async with Wire(clock) as wire:
        simulator = wire.vendors[vendor]
        simulator.answer_next(
            *(chance.choice(FAULTS) if chance.random() < 0.2 else None for _ in range(9_000))
        )

        def build(stores: Stores) -> tuple[Actions, Library]:
            library = ActionLibrary(
                ACTIONS, lambda _, name: wire.known.credentials(name), wire.ways, clock, stores
            )
            return library, library.by_name

        async with embedded(folder, build, clock=clock) as world:
            await world.engine.definitions.create_workflow(ACCOUNT, workflow)
            for number in range(EXECUTIONS):
                data: Json = {"email": f"u{number}@example.com", "phone": f"+44770090{number:04}"}
                await world.engine.ingest.accept(ACCOUNT, {"type": "user.signup", "data": data})
            await world.go_to(clock.now_ms() + DAY_MS)
            rows = await world.world.history.executions(ACCOUNT, ExecutionFilter(), 1_000)
        return simulator.effects, Counter(row.status.value for row in rows)


SAFE: list[tuple[str, str, dict[str, Json], str]] = [
    ("resend", "send_email", {"to": EMAIL, "subject": "x", "text": "y"}, "to"),
    ("linear", "create_ticket", {"team": "ENG", "title": EMAIL}, "title"),
    (
        "google_calendar",
        "schedule_meeting",
        {"title": EMAIL, "start": "2026-02-01T10:00:00Z", "duration": "1h"},
        "summary",
    ),
    (
        "hubspot",
        "create_crm_record",
        {"type": "contacts", "properties": {"email": EMAIL}, "id_property": "email"},
        "properties",
    ),
]


@pytest.mark.parametrize(("vendor", "action", "given", "field"), SAFE)
def test_each_effect_comes_about_once(
    tmp_path: Path, vendor: str, action: str, given: dict[str, Json], field: str
) -> None:
    effects, ended = asyncio.run(_effects(tmp_path, vendor, _workflow(action, given)))

    assert ended == {"completed": EXECUTIONS}
    assert len(effects) == EXECUTIONS
    assert len({str(effect[field]) for effect in effects}) == EXECUTIONS


def test_a_message_that_costs_is_never_sent_twice(tmp_path: Path) -> None:
    workflow = _workflow("send_sms", {"to": "{{ event.data.phone }}", "body": "x"})
    effects, ended = asyncio.run(_effects(tmp_path, "twilio", workflow))

    assert len(effects) == len({effect["to"] for effect in effects})
    assert ended["completed"] + ended["failed"] == EXECUTIONS
    # 429 alone passes; of the other faults nobody knows what came about.
    assert 0.05 * EXECUTIONS < ended["failed"] < 0.3 * EXECUTIONS
    assert ended["completed"] <= len(effects) < EXECUTIONS
