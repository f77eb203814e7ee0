"""One automation test, from its documents to what came of it."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from oncue.actions.gating import Gating
from oncue.actions.library import ActionLibrary, GivenCredentials, Stores
from oncue.actions.packages import available
from oncue.core.errors import Conflict
from oncue.core.json_text import Json, encode_json
from oncue.core.limits.gate import Gates
from oncue.core.workflow.compile import Library
from oncue.ports import Actions, ExecutionFilter, ExecutionSummary
from oncue.testing.automation.document import (
    Answer,
    AutomationTest,
    TimedCallback,
    TimedEvent,
    TimedWebhook,
)
from oncue.testing.automation.expectations import Failure, Found, Outcome, judge
from oncue.testing.automation.webhooks import posted
from oncue.testing.clock import VirtualClock
from oncue.testing.embedded import ACCOUNT, Embedded, embedded
from oncue.testing.vendors.orders import Fixed, Lost, OnOrder
from oncue.testing.vendors.wire import Wire

# Of real time. A test takes a fraction of a second; one that takes so long goes round in circles.
PATIENCE_S: Final = 60
_MAX_EXECUTIONS: Final = 10_000
# Beyond the longest timeout that anybody writes, so that all executions end.
_DEFAULT_UNTIL_MS: Final = 3_700 * 86_400_000


@dataclass(frozen=True, slots=True)
class Documents:
    """What a test is given."""

    workflows: Sequence[Json]
    patterns: Sequence[Json]
    variables: Sequence[Json] = ()


class SimulatedSecrets:
    """Each secret that a call asks for, made up from its name."""

    async def values(
        self,
        account: str,  # noqa: ARG002 all accounts of a test have the same
        names: Collection[str],
    ) -> Mapping[str, str]:
        """Return a text for each name."""
        return {name: f"simulated-{name}" for name in names}


async def run_test(test: AutomationTest, given: Documents) -> list[Failure]:
    """
    Return the expectations that do not hold after `test` ran over what is given.

    Raises:
        OnCueError: the engine takes none of the documents or events.
    """
    with TemporaryDirectory(prefix="oncue-test-") as folder:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await _run(test, given, Path(folder))
        except TimeoutError:
            return [Failure("", f"expected the test to end within {PATIENCE_S} s, got no end")]


async def _run(test: AutomationTest, given: Documents, folder: Path) -> list[Failure]:
    clock = VirtualClock(test.start)
    gates = Gates()
    offered = available()
    brought = [one for package in offered.packages for one in package.integrations]
    async with Wire(clock, brought=brought) as wire:
        for vendor, answers in test.simulate.items():
            wire.vendors[vendor].answer_next(*(_on_order(answer, wire) for answer in answers))

        def build(stores: Stores) -> tuple[Actions, Library]:
            library = ActionLibrary(
                offered.actions,
                GivenCredentials(lambda _, name: wire.credentials(name)),
                wire.ways,
                clock,
                stores,
                Gating(gates, clock),
                SimulatedSecrets(),
            )
            return library, library.by_name

        async with embedded(folder, build, clock=clock, gates=gates) as world:
            stage = _Stage(test, world)
            failures = await stage.play(given)
            outcome = Outcome(await stage.matches(), await stage.executions(), wire.calls)
            return [*failures, *judge(test, outcome)]


def _on_order(answer: Answer, wire: Wire) -> OnOrder:
    if answer.is_usual:
        return None
    if answer.lost:
        return Lost(answer.lost)
    if answer.refused:
        return answer.refused
    if "reply" in answer.model_fields_set:
        reply = answer.reply
        text = reply if isinstance(reply, str) else encode_json(reply).decode()
        return wire.known.model.saying(text)
    body = answer.body if "body" in answer.model_fields_set else ""
    return Fixed(answer.status, body, answer.headers)


@dataclass(frozen=True, slots=True)
class _Stage:
    """An engine on which one test is played."""

    test: AutomationTest
    world: Embedded

    async def play(self, given: Documents) -> list[Failure]:
        """Let happen what the test says; return what could not."""
        engine = self.world.engine
        for variable in given.variables:
            await engine.variables.create(ACCOUNT, variable)
        for workflow in given.workflows:
            await engine.definitions.create_workflow(ACCOUNT, workflow)
        for pattern in given.patterns:
            await engine.patterns.create(ACCOUNT, pattern)
        if self.test.until is None and await self.world.world.schedules.next_due_ms() is not None:
            return [Failure("until", "expected when to look, since schedules never end, got none")]
        failures: list[Failure] = []
        timed: list[tuple[str, TimedEvent | TimedCallback | TimedWebhook]] = [
            *((f"events[{n}]", event) for n, event in enumerate(self.test.events)),
            *((f"callbacks[{n}]", callback) for n, callback in enumerate(self.test.callbacks)),
            *((f"webhooks[{n}]", webhook) for n, webhook in enumerate(self.test.webhooks)),
        ]
        for path, what in sorted(timed, key=lambda one: one[1].at):
            await self.world.go_to(self.test.start + what.at)
            match what:
                case TimedEvent():
                    await engine.ingest.accept(ACCOUNT, what.event)
                case TimedWebhook():
                    failures += [Failure(path, why) for why in await posted(engine, what)]
                case TimedCallback():
                    if not await self._call_back(what):
                        expected = f"expected a step {what.step!r} of {what.workflow} that waits"
                        failures.append(Failure(path, f"{expected} for it, got none"))
        until = _DEFAULT_UNTIL_MS if self.test.until is None else self.test.until
        await self.world.go_to(self.test.start + until)
        return failures

    async def matches(self) -> Counter[str]:
        """Return how often each pattern matched; those of a workflow count under its name."""
        parts = self.world.world
        found: Counter[str] = Counter()
        for pattern in await parts.patterns.all(ACCOUNT, _MAX_EXECUTIONS, None):
            count, _ = await parts.history.match_counts(ACCOUNT, pattern.id)
            owner = pattern.owner_id
            workflow = await parts.catalog.workflow(ACCOUNT, owner) if owner else None
            found[workflow.name if workflow else pattern.name] += count
        return found

    async def executions(self) -> list[Found]:
        """Return all executions as they stand, the oldest first."""
        found: list[Found] = []
        for row in reversed(await self._summaries(ExecutionFilter())):
            stored = await self.world.journal.load(ACCOUNT, row.id)
            output = stored.state.output
            found.append(Found(row.workflow, row.status.value, output, row.error))
        return found

    async def _call_back(self, callback: TimedCallback) -> bool:
        """Return whether somebody waited for it."""
        is_awaited = False
        for row in await self._summaries(ExecutionFilter(workflow=callback.workflow)):
            try:
                await self.world.engine.call_back(ACCOUNT, row.id, callback.step, callback.data)
            except Conflict:
                continue
            is_awaited = True
        return is_awaited

    async def _summaries(self, wanted: ExecutionFilter) -> list[ExecutionSummary]:
        return await self.world.world.history.executions(ACCOUNT, wanted, _MAX_EXECUTIONS)
