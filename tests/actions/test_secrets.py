"""Whatever a vendor says, no secret of ours gets into an error or into what is shown."""

import asyncio
import json
from typing import Any

import pytest

from oncue.core.json_text import Json
from oncue.testing.vendors import Simulators
from tests.vendors import library_for

CALLS: list[tuple[str, dict[str, Json], str, tuple[str, ...]]] = [
    ("send_email", {"to": "a@example.com", "subject": "x", "text": "y"}, "resend", ("api_key",)),
    ("send_sms", {"to": "+447700900123", "body": "x"}, "twilio", ("auth_token",)),
    ("send_slack_message", {"text": "x"}, "slack", ("webhook_url",)),
    ("send_slack_message", {"text": "x", "channel": "#a"}, "slack", ("bot_token",)),
    ("create_crm_record", {"type": "deals", "properties": {}}, "hubspot", ("api_key",)),
    (
        "update_crm_record",
        {"type": "deals", "id": "1", "properties": {"a": "b"}},
        "hubspot",
        ("api_key",),
    ),
    ("create_ticket", {"team": "ENG", "title": "x"}, "linear", ("api_key",)),
    (
        "schedule_meeting",
        {"title": "x", "start": "2026-01-01T00:00:00Z", "duration": "1h"},
        "google_calendar",
        ("token",),
    ),
    ("r2_put", {"key": "x", "content": "y"}, "r2", ("secret_key", "access_key")),
    ("ai_summarize", {"text": "x"}, "ai", ("api_key",)),
]
INTEGRATIONS = {"resend": "email"}


def _secrets(vendors: Simulators, vendor: str, names: tuple[str, ...]) -> list[str]:
    credentials = vendors.credentials(INTEGRATIONS.get(vendor, vendor))
    return [credentials[name] for name in names]


@pytest.mark.parametrize(("action", "document", "vendor", "names"), CALLS)
def test_a_request_is_shown_without_secrets(
    action: str, document: Json, vendor: str, names: tuple[str, ...]
) -> None:
    async def main() -> Any:
        async with Simulators() as vendors, library_for(vendors) as library:
            rehearsal = await library.rehearse("acc", action, document, "k", is_dry=True)
            return _secrets(vendors, vendor, names), rehearsal

    secrets, rehearsal = asyncio.run(main())

    shown = json.dumps(rehearsal.requests)
    assert len(rehearsal.requests) == 1
    assert [secret for secret in secrets if secret in shown] == []
