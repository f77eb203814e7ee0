"""Whatever leads out of the machine goes by the guard: actions, tests of connections, tokens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.actions.integrations import INTEGRATIONS
from oncue.actions.library import ActionLibrary, GivenCredentials
from oncue.core.action import Ways
from oncue.core.errors import ActionError, PermanentError
from oncue.core.integration import Reach
from oncue.engine.access_tokens import AccessTokens
from oncue.outgoing.client import OutgoingClient
from oncue.outgoing.postgres import PostgresClient
from oncue.outgoing.smtp import SmtpClient
from oncue.testing.clock import VirtualClock
from oncue.testing.trial import fresh_stores
from oncue.testing.vendors import Simulators
from tests.actions.rows import ASKING, Given, Row
from tests.vendors import credentials_for

DATABASE = "postgresql://ada@127.0.0.1:5432/shop"
REFUSED = "no public address|not a public address"


def _refused(use: Callable[[Simulators, Ways, Reach], Awaitable[Any]]) -> None:
    """Fail unless `use` is refused, and no simulated vendor was asked anything."""

    async def main() -> None:
        async with Simulators() as vendors, OutgoingClient() as client:
            postgres, smtp = PostgresClient(client.guard), SmtpClient(client.guard)
            ways = Ways(client.send, postgres.query, smtp.deliver)
            reach = Reach(client.send, postgres.query, smtp.greet, VirtualClock().now_ms)
            with pytest.raises(PermanentError, match=REFUSED):
                await use(vendors, ways, reach)
            assert [name for name, vendor in vendors.by_name.items() if vendor.calls] == []
            assert vendors.smtp.effects == []

    asyncio.run(main())


async def _perform(vendors: Simulators, ways: Ways, action: str, given: Given) -> None:
    known = credentials_for(vendors)
    databases = {"url": DATABASE} if action.startswith("db_") else {}
    async with fresh_stores() as stores:
        library = ActionLibrary(
            ACTIONS,
            GivenCredentials(lambda account, name: databases or known(account, name)),
            ways,
            VirtualClock(),
            stores,
        )
        document = Row(action, given).document(vendors)
        await library.perform("acc", action, document, "k", is_repeat=False)


@pytest.mark.parametrize("row", ASKING, ids=lambda row: f"{row.action}-{row.vendor}")
def test_no_action_reaches_a_private_address(row: Row) -> None:
    _refused(lambda vendors, ways, _: _perform(vendors, ways, row.action, row.given))


@pytest.mark.parametrize("action", ["db_query", "db_execute"])
def test_no_database_is_at_a_private_address(action: str) -> None:
    _refused(lambda vendors, ways, _: _perform(vendors, ways, action, {"sql": "SELECT 1"}))


def test_no_mail_server_is_at_a_private_address() -> None:
    async def use(vendors: Simulators, ways: Ways, _: Reach) -> None:
        vendors.hide("RESEND_API_KEY")
        email: Given = {"to": "a@example.com", "subject": "x", "text": "y"}
        await _perform(vendors, ways, "send_email", email)

    _refused(use)


# A notification can only be sent: its connections are read, and nobody is asked.
PROBED = [one for one in INTEGRATIONS if one.probe and one.name != "apprise"]


@pytest.mark.parametrize("integration", PROBED, ids=lambda one: one.name)
def test_no_connection_is_tested_at_a_private_address(integration: Any) -> None:
    async def use(vendors: Simulators, _: Ways, reach: Reach) -> None:
        values = {"url": DATABASE, **vendors.credentials(integration.name)}
        await integration.probe(values, reach)

    _refused(use)


def test_no_mail_server_is_greeted_at_a_private_address() -> None:
    (email,) = (one for one in INTEGRATIONS if one.name == "email")

    async def use(vendors: Simulators, _: Ways, reach: Reach) -> None:
        assert email.probe
        await email.probe({"smtp_url": vendors.smtp.url}, reach)

    _refused(use)


def test_no_token_is_fetched_at_a_private_address() -> None:
    async def use(vendors: Simulators, ways: Ways, _: Reach) -> None:
        tokens = AccessTokens(ways.send, VirtualClock())
        await tokens.token("key", vendors.google_calendar.refreshing)

    _refused(use)


def test_a_bucket_is_no_way_to_another_host() -> None:
    async def use(vendors: Simulators, ways: Ways, _: Reach) -> None:
        for bucket in ("x@127.0.0.1", "..", "a/../b", "x?y", "127.0.0.1:80/x"):
            given: Given = {"key": "x", "content": "y", "bucket": bucket}
            with pytest.raises(ActionError, match=r"with\.bucket"):
                await _perform(vendors, ways, "r2_put", given)
        await _perform(vendors, ways, "r2_put", {"key": "x", "content": "y", "bucket": "127.0.0.1"})

    _refused(use)
