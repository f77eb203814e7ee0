"""
Examples over vendors of which every fifth call goes wrong, and what must hold all the same.

What counts is what the simulated vendors hold: each effect once where the vendor lets
us see to it; where it does not, an attempt in doubt for each effect too many. None is
told as done that did not come about, and none as failed that did, but in doubt.
"""

import asyncio
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from oncue.actions import ACTIONS
from oncue.actions.gating import Gating
from oncue.actions.library import ActionLibrary, GivenCredentials, Stores
from oncue.cli.documents import example
from oncue.core.action import Idempotency
from oncue.core.errors import Conflict
from oncue.core.json_text import Json
from oncue.core.limits.gate import Gates
from oncue.core.workflow.compile import Library
from oncue.core.workflow.state import AttemptStatus, ExecutionState, StepState, StepStatus
from oncue.ports import Actions, ExecutionFilter
from oncue.store.sqlite.file import Commit
from oncue.testing.clock import START_MS, VirtualClock
from oncue.testing.embedded import ACCOUNT, Embedded, embedded
from oncue.testing.vendors import Faults, Fixed, HttpSimulator, ReceivedCall
from oncue.testing.vendors.wire import Wire
from tests.installation import Crash

# All is over by then, and a repeated event is still known as one.
END_MS = START_MS + 6 * 86_400_000
RATE = 0.2
LEADS_PER_DOMAIN = 5
FINAL = ("completed", "failed")
# Beside these faults, whoever is asked first is as likely to be a person as a machine.
REPLIES = ('{"label": "outage"}', '{"label": "billing"}', '{"label": "question"}')


@dataclass(frozen=True, slots=True)
class Effect:
    """
    What the step of that id brings about at a vendor.

    `seen` names an effect among those that the vendor holds, `wanted` that of the
    nth execution.
    """

    step: str
    action: str
    vendor: str
    seen: Callable[[Any], Hashable]
    wanted: Callable[[int], Hashable]

    @property
    def is_kept_once(self) -> bool:
        """Whether the vendor, or else we, see to it that it comes about once at most."""
        (action,) = (action for action in ACTIONS if action.name == self.action)
        return action.idempotency is not Idempotency.NONE or not action.is_harmless_to_repeat


@dataclass(frozen=True, slots=True)
class Scene:
    """An example, and what starts its nth execution."""

    name: str
    event: str
    data: Callable[[int], dict[str, Json]]
    effects: tuple[Effect, ...]


def _email(n: int) -> str:
    return f"u{n}@example.com"


def _mail(step: str, subject: Callable[[int], str], to: Callable[[int], str] = _email) -> Effect:
    return Effect(
        step, "send_email", "resend",
        lambda mail: (mail["to"], mail["subject"]),
        lambda n: (to(n), subject(n)),
    )  # fmt: skip


def _message(step: str, text: Callable[[int], str]) -> Effect:
    return Effect(step, "send_slack_message", "slack", lambda message: message["text"], text)


def _record(step: str, kind: str, name: str, value: Callable[[int], str]) -> Effect:
    return Effect(
        step, "create_crm_record", "hubspot",
        lambda record: (record["type"], record["properties"].get(name)),
        lambda n: (kind, value(n)),
    )  # fmt: skip


SCENES = (
    Scene(
        "high-value-signup-onboarding",
        "user.signup",
        lambda n: {"email": _email(n), "plan": "enterprise"},
        (
            _mail("welcome", lambda _: "Welcome"),
            _message("sales", lambda n: f"New enterprise signup: {_email(n)}"),
            _record("crm", "contacts", "email", _email),
            _mail("guide", lambda _: "Getting started"),
        ),
    ),
    Scene(
        "demo-booking",
        "demo.requested",
        lambda n: {
            "company": f"Company {n}",
            "email": _email(n),
            "phone": f"+4477009{n:05}",
            "at": "2026-01-05T10:00:00Z",
        },
        (
            Effect(
                "meeting",
                "schedule_meeting",
                "google_calendar",
                lambda event: event["summary"],
                lambda n: f"Demo for Company {n}",
            ),
            Effect(
                "ticket",
                "create_ticket",
                "linear",
                lambda issue: issue["title"],
                lambda n: f"Prepare the demo for Company {n}",
            ),
            Effect(
                "reminder",
                "send_sms",
                "twilio",
                lambda message: message["to"],
                lambda n: f"+4477009{n:05}",
            ),
        ),
    ),
    Scene(
        "support-triage",
        "support.message",
        lambda n: {"from": f"c{n}@example.com", "subject": f"Case {n}", "text": "All is red."},
        (
            _message("page", lambda n: f"Outage reported by c{n}@example.com: Case {n}"),
            _record("ticket", "tickets", "subject", lambda n: f"Case {n}"),
            _mail("receipt", lambda n: f"Re: Case {n}", lambda n: f"c{n}@example.com"),
        ),
    ),
    Scene(
        "incident-announcement",
        "incident.opened",
        lambda n: {"title": f"I{n}", "severity": "major", "description": "It burns."},
        (
            _message("chat", lambda n: f":rotating_light: I{n} (major)"),
            _mail("letter", lambda n: f"Incident: I{n}", lambda _: "status@example.com"),
            Effect(
                "status_page",
                "http_request",
                "http",
                lambda call: call["body"]["name"] if call["body"] else None,
                lambda n: f"I{n}",
            ),
        ),
    ),
    Scene(
        "lead-enrichment",
        "lead.created",
        lambda n: {"email": f"lead{n}@d{n // LEADS_PER_DOMAIN}.example"},
        (
            _record(
                "contact",
                "contacts",
                "email",
                lambda n: f"lead{n}@d{n // LEADS_PER_DOMAIN}.example",
            ),
        ),
    ),
)


class _Elsewhere(HttpSimulator):
    """A status page, and a list of companies."""

    def answer(self, call: ReceivedCall) -> Fixed:
        if call.method == "GET":
            return Fixed(200, {"name": "Large", "employees": 500})
        return super().answer(call)


@dataclass
class Play:
    """One run of all scenes, `each` executions of each."""

    folder: Path
    each: int
    seed: str
    crashes: Sequence[Crash] = ()
    """Each ends a life of the engine, as `kill -9` does."""
    clock: VirtualClock = field(default_factory=VirtualClock)
    attempts: Counter[str] = field(default_factory=Counter)
    """How attempts ended."""
    ended: Counter[str] = field(default_factory=Counter)
    """How executions ended, by scene and status."""

    async def run(self) -> list[str]:
        """Return everything that does not hold."""
        async with Wire(self.clock, {"http": _Elsewhere()}) as wire:
            for name, vendor in wire.vendors.items():
                vendor.faults = Faults(RATE, f"{self.seed}/{name}")
            wire.known.model.say_next(*REPLIES * self.each)
            for crash in self.crashes:
                await self._die(wire, crash)
            async with self._life(wire) as world:
                await self._live(world)
                return [*await self._look(world, wire)]

    def _life(
        self, wire: Wire, commit: Commit = sqlite3.Connection.commit
    ) -> AbstractAsyncContextManager[Embedded]:
        gates, known = Gates(), cache(wire.known.credentials)

        def build(stores: Stores) -> tuple[Actions, Library]:
            library = ActionLibrary(
                ACTIONS,
                GivenCredentials(lambda _, name: known(name)),
                wire.ways,
                self.clock,
                stores,
                Gating(gates, self.clock),
            )
            return library, library.by_name

        return embedded(self.folder, build, clock=self.clock, commit=commit, gates=gates)

    async def _die(self, wire: Wire, crash: Crash) -> None:
        async with self._life(wire, crash) as world:
            life = asyncio.create_task(self._live(world))
            while not life.done() and not crash.has_happened:
                await asyncio.wait([life], timeout=0.001)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def _live(self, world: Embedded) -> None:
        await self._begin(world)
        await world.go_to(END_MS)

    async def _begin(self, world: Embedded) -> None:
        for scene in SCENES:
            try:
                await world.engine.definitions.create_workflow(ACCOUNT, example(scene.name))
            except Conflict:
                # A life before this one saved it.
                continue
        for n in range(self.each):
            for scene in SCENES:
                data: Json = {**scene.data(n), "n": n}
                event: Json = {"type": scene.event, "id": f"{scene.name}-{n}", "data": data}
                await world.engine.ingest.accept(ACCOUNT, event)

    async def _look(self, world: Embedded, wire: Wire) -> list[str]:
        found: list[str] = []
        for scene in SCENES:
            states = await _states(world, scene.name, self.each)
            self.ended.update(f"{scene.name} {state.status.value}" for state in states.values())
            for state in states.values():
                self.attempts.update(
                    a.status.value for s in state.steps.values() for a in s.attempts
                )
            found += _executions(scene, states, self.each)
            for effect in scene.effects:
                held = Counter(map(effect.seen, wire.vendors[effect.vendor].effects))
                found += _effects(effect, states, held)
            if scene.name == "lead-enrichment":
                found += _counts(states)
        return found


async def _states(world: Embedded, workflow: str, most: int) -> Mapping[int, ExecutionState]:
    """Return the executions of a workflow, by their number."""
    wanted = ExecutionFilter(workflow=workflow)
    rows = await world.world.history.executions(ACCOUNT, wanted, most + 1)
    states = [(await world.journal.load(ACCOUNT, row.id)).state for row in rows]
    return {_number(state): state for state in states}


def _number(state: ExecutionState) -> int:
    event: Any = state.start.event
    return int(event["data"]["n"])


def _executions(scene: Scene, states: Mapping[int, ExecutionState], each: int) -> Iterator[str]:
    if sorted(states) != [*range(each)]:
        yield f"{scene.name}: {len(states)} executions for {each} events"
    for n, state in states.items():
        if state.status.value not in FINAL:
            yield f"{scene.name} {n}: is {state.status.value}"


def _effects(
    effect: Effect, states: Mapping[int, ExecutionState], held: Counter[Hashable]
) -> Iterator[str]:
    for n, state in states.items():
        count = held[effect.wanted(n)]
        for problem in problems_in(effect, _step(state, effect.step), count):
            yield f"{effect.step} of {n}: {problem}"


def _step(state: ExecutionState, id_: str) -> StepState | None:
    """Return a step by its id, which is the last part of its path; none if it was not reached."""
    found = [step for path, step in state.steps.items() if path.rpartition(".")[2] == id_]
    return found[0] if found else None


def problems_in(effect: Effect, step: StepState | None, count: int) -> Iterator[str]:
    """Yield what is wrong if a step stands so, and the vendor holds `count` effects of it."""
    attempts = step.attempts if step else []
    doubts = sum(attempt.status is AttemptStatus.IN_DOUBT for attempt in attempts)
    is_done = step is not None and step.status is StepStatus.COMPLETED
    most = 1 if effect.is_kept_once else is_done + doubts
    if count > most:
        yield f"came about {count} times, {doubts} attempts in doubt"
    if is_done and not count:
        yield "is told as done, and never came about"
    if count and not is_done and not doubts:
        yield "came about, and nobody is told"


def _counts(states: Mapping[int, ExecutionState]) -> Iterator[str]:
    """Yield where our own counter counted other than once for each execution that counted."""
    counted: dict[int, list[Any]] = {}
    for n, state in states.items():
        step = _step(state, "today")
        if step and isinstance(step.output, Mapping):
            counted.setdefault(n // LEADS_PER_DOMAIN, []).append(step.output["value"])
    for domain, values in counted.items():
        if sorted(values) != [*range(1, len(values) + 1)]:
            yield f"d{domain}: {len(values)} executions counted to {sorted(values)}"


def main() -> int:
    """Play for long, and say what does not hold."""
    given = sys.argv[1:]
    each, seed = (*given, *("2000", "1")[len(given) :])
    with TemporaryDirectory() as folder:
        crashes = [Crash(int(each) * n, "before") for n in range(1, 6)]
        play = Play(Path(folder), int(each), seed, crashes)
        found = asyncio.run(play.run())
    for line in found[:50]:
        sys.stdout.write(f"{line}\n")
    for name, count in sorted(play.ended.items()):
        sys.stdout.write(f"{count:7} {name}\n")
    verdict = f"{len(found)} contradictions" if found else "all held"
    attempts = ", ".join(f"{count} {status}" for status, count in sorted(play.attempts.items()))
    sys.stdout.write(f"seed {seed}, attempts: {attempts}: {verdict}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
