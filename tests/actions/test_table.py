"""
What holds of every action: its success, each refusal, lost answers, repeats, secrets.

What is special to a vendor stands in the tests of its own.
"""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.actions.library import ActionLibrary, GivenCredentials, Stores
from oncue.core.action import Idempotency
from oncue.core.audit import audit_of
from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.core.workflow.compile import Library
from oncue.ports import Actions, ExecutionFilter
from oncue.testing.clock import VirtualClock
from oncue.testing.embedded import ACCOUNT, embedded
from oncue.testing.vendors import DROP, LOSE_ANSWER, Fixed, OnOrder, Refused, Simulators, Slow
from oncue.testing.vendors.wire import Wire
from tests.actions.rows import ASKING, STAYING, WRONG, Given, Row
from tests.vendors import WEBHOOK_SECRET, Ask, with_vendors

BY_NAME = {action.name: action for action in ACTIONS}
INTEGRATIONS = {"resend": "email"}
EVERY = (*ASKING, *STAYING)


def _id(row: Row) -> str:
    return f"{row.action}-{row.vendor or 'here'}"


async def _prepare(vendors: Simulators, ask: Ask, row: Row) -> None:
    vendors.hide(*row.hidden)
    for number, (action, given) in enumerate(row.before):
        await ask(action, dict(given), key=f"before-{number}")


def test_every_action_stands_in_the_table() -> None:
    named = {row.action for row in EVERY}

    assert set(BY_NAME) - named == set()
    assert {action for action, _, _ in WRONG} == named


@pytest.mark.parametrize("row", EVERY, ids=_id)
def test_it_succeeds(row: Row) -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        await _prepare(vendors, ask, row)
        return await ask(row.action, row.document(vendors))

    assert BY_NAME[row.action].output.model_validate(_whole(row.action, with_vendors(use)))


def _whole(action: str, output: Any) -> Any:
    """Return an output with what it leaves out where there is another field in its place."""
    absent = {"text": None, "data": None} if action == "ai_text_generation" else {}
    return {**absent, **output} if isinstance(output, dict) else {}


@pytest.mark.parametrize("refused", Refused)
@pytest.mark.parametrize("row", ASKING, ids=_id)
def test_a_refusal_means_what_the_vendor_says(row: Row, refused: Refused) -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendor = vendors.by_name[row.vendor]
        await _prepare(vendors, ask, row)
        before = len(vendor.effects)
        vendor.answer_next(refused)
        with pytest.raises(row.outcomes[refused]) as caught:
            await ask(row.action, row.document(vendors))
        assert len(vendor.effects) == before
        return caught.value, vendor.refuse(refused)

    error, answer = with_vendors(use)

    # By its number or by its word, people find it in the vendor's own documentation.
    words = [str(answer.status), *_words(answer.body)]
    assert any(word in str(error) for word in words), (str(error), words)
    if isinstance(error, RetryableError):
        limited = refused is Refused.RATE_LIMITED
        assert error.retry_after_ms == (row.rate_limited_ms if limited else None)


def _words(body: Any) -> list[str]:
    match body:
        case {"ok": False, "error": str(error)}:
            return [error]
        case {"errors": [{"extensions": {"code": str(code)}}]}:
            return [code]
        case {"error": {"errors": [{"reason": str(reason)}]}}:
            return [reason]
        case _:
            return []


@pytest.mark.parametrize("lost", [DROP, LOSE_ANSWER])
@pytest.mark.parametrize("row", ASKING, ids=_id)
def test_nobody_knows_without_an_answer(row: Row, lost: OnOrder) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        await _prepare(vendors, ask, row)
        # HTTP itself repeats what is safe once, on a connection that was closed under it.
        vendors.by_name[row.vendor].answer_next(lost, lost)
        with pytest.raises(OutcomeUnknown):
            await ask(row.action, row.document(vendors))

    with_vendors(use)


def test_an_answer_that_is_too_late_is_none() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.http.answer_next(Slow(60_000))
        document: Json = {"url": vendors.http.base_url, "method": "POST", "timeout": "50ms"}
        with pytest.raises(OutcomeUnknown, match="no answer"):
            await ask("http_request", document)
        await ask("http_request", document, is_repeat=True)
        return len(vendors.http.effects)

    assert with_vendors(use) == 1


@pytest.mark.parametrize("row", ASKING, ids=_id)
def test_a_repeat_leaves_as_many_effects_as_its_class_says(row: Row) -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendor = vendors.by_name[row.vendor]
        await _prepare(vendors, ask, row)
        vendor.answer_next(*[None] * _questions_before(row), LOSE_ANSWER)
        try:
            await ask(row.action, row.document(vendors))
        except OutcomeUnknown:
            await ask(row.action, row.document(vendors), is_repeat=True)
        return len(vendor.effects)

    effects = with_vendors(use)

    action = BY_NAME[row.action]
    assert effects == row.doubled
    assert action.may_repeat(dict(row.given)) is row.is_repeated
    if effects > 1 and row.is_repeated:
        assert action.is_harmless_to_repeat
    if action.idempotency in (Idempotency.NATIVE_KEY, Idempotency.CLIENT_ID, Idempotency.UPSERT):
        assert effects == 1


def _questions_before(row: Row) -> int:
    """Return how often it asks before it does something: for the team, and for the labels."""
    return 2 if row.action == "create_ticket" else 0


@pytest.mark.parametrize("row", STAYING, ids=_id)
def test_a_repeat_changes_nothing_here(row: Row) -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        await _prepare(vendors, ask, row)
        seen = []
        for is_repeat in (False, True):
            output = await ask(row.action, row.document(vendors), is_repeat=is_repeat)
            left = await ask(row.look[0], dict(row.look[1])) if row.look else None
            seen.append((output, left))
        return seen

    first, second = with_vendors(use)

    assert first == second


@pytest.mark.parametrize(("action", "given", "told"), WRONG)
def test_what_cannot_succeed_is_told_before_anything_is_done(
    action: str, given: Given, told: str
) -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        with pytest.raises(PermanentError, match=told):
            await ask(action, Row(action, given).document(vendors))
        return [vendor.effects for vendor in vendors.by_name.values()]

    assert not any(with_vendors(use))


@pytest.mark.parametrize("row", [row for row in ASKING if row.secrets], ids=_id)
def test_a_secret_that_the_vendor_repeats_is_told_nowhere(
    tmp_path: Path, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets, shown = asyncio.run(_failed(tmp_path, row))

    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "not with ***" in shown
    for secret in secrets:
        assert secret not in shown
        assert secret not in caplog.text
        assert secret.encode() not in kept


async def _failed(folder: Path, row: Row) -> tuple[list[str], str]:
    """Return the secrets of a step whose vendor repeats them, and what people see of the step."""
    clock = VirtualClock()
    async with Wire(clock) as wire:
        integration = BY_NAME[row.action].integration
        known = {**wire.known.credentials(integration), "secret": WEBHOOK_SECRET}
        secrets = [known[name] for name in row.secrets]
        vendor = "webhook" if row.vendor == "http" else row.vendor
        echo = Fixed(400, f"not with {' '.join(secrets)}")
        wire.vendors[vendor].answer_next(echo)

        def build(stores: Stores) -> tuple[Actions, Library]:
            source = GivenCredentials(lambda *_: known)
            library = ActionLibrary(ACTIONS, source, wire.ways, clock, stores)
            return library, library.by_name

        async with embedded(folder, build, clock=clock) as world:
            address: Given = {"url": "https://example.com"} if vendor == "webhook" else {}
            step: Json = {
                "id": "act",
                "type": "action",
                "action": row.action,
                "with": {**row.given, **address},
                "retry": False,
            }
            on: Json = {"type": "event", "event": "x"}
            document: Json = {"name": "w", "on": on, "steps": [step]}
            await world.engine.definitions.create_workflow(ACCOUNT, document)
            await world.engine.ingest.accept(ACCOUNT, {"type": "x"})
            await world.engine.settled()
            (summary,) = await world.world.history.executions(ACCOUNT, ExecutionFilter(), 2)
            stored = await world.journal.load(ACCOUNT, summary.id)
            new = stored.new
            plan = await world.engine.definitions.plan(ACCOUNT, new.workflow_id, new.version)
            audit = [str(entry) for entry in audit_of(stored.state, plan)]
            return secrets, json.dumps([summary.error, stored.state.error, audit])
