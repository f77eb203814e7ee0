"""What vendors' specifications do not take is found."""

import json
from typing import Any

import pytest

from oncue.testing.vendors import Fixed, ReceivedCall
from tests.specs import SPECS, check_answer, check_call

pytestmark = pytest.mark.skipif(
    not SPECS.exists(), reason="the vendors' specifications are not on this machine"
)
MESSAGES = f"/2010-04-01/Accounts/AC{'5' * 32}/Messages.json"
EVENTS = "/calendar/v3/calendars/primary/events"
CREATE = "mutation C($i: IssueCreateInput!) { issueCreate(input: $i) { success } }"


def _call(method: str, path: str, body: Any) -> ReceivedCall:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kind = "x-www-form-urlencoded" if isinstance(body, str) else "json"
    return ReceivedCall(method, path, {"content-type": f"application/{kind}"}, content)


@pytest.mark.parametrize(
    ("vendor", "call"),
    [
        ("resend", _call("POST", "/emails", {"to": "a@example.com", "subject": "x"})),
        ("resend", _call("PUT", "/emails", {})),
        ("resend", _call("POST", "/nowhere", {})),
        ("twilio", _call("POST", MESSAGES, "Body=x")),
        ("twilio", _call("POST", MESSAGES, "To=%2B1&Text=x")),
        ("twilio", _call("POST", MESSAGES.replace("AC", "XX"), "To=%2B1")),
        ("hubspot", _call("POST", "/crm/v3/objects/contacts", {"properties": {"n": 1}})),
        ("hubspot", _call("PATCH", "/crm/v3/objects/deals/1?idProp=x", {"properties": {}})),
        ("linear", _call("POST", "/graphql", {"query": "{ viewer { nme } }"})),
        (
            "linear",
            _call("POST", "/graphql", {"query": CREATE, "variables": {"i": {"title": "x"}}}),
        ),
        ("google_calendar", _call("POST", EVENTS, {"sumary": "x"})),
        ("google_calendar", _call("POST", f"{EVENTS}?sendUpdates=some", {})),
        ("ai", _call("POST", "/v1/chat/completions", {"model": "m", "messages": [], "topk": 1})),
    ],
)
def test_a_wrong_call_is_found(vendor: str, call: ReceivedCall) -> None:
    with pytest.raises((AssertionError, KeyError)):
        check_call(vendor, call)


@pytest.mark.parametrize(
    ("vendor", "call", "answer"),
    [
        ("resend", _call("POST", "/emails", {}), {"id": 5}),
        ("hubspot", _call("POST", "/crm/v3/objects/contacts", {}), {"id": "1"}),
        ("linear", _call("POST", "/graphql", {"query": "{ viewer { id } }"}), {"viewer": None}),
        ("google_calendar", _call("POST", EVENTS, {}), {"html_link": "x"}),
    ],
)
def test_a_wrong_answer_is_found(vendor: str, call: ReceivedCall, answer: Any) -> None:
    body = {"data": answer} if vendor == "linear" else answer
    with pytest.raises(AssertionError):
        check_answer(vendor, call, Fixed(201 if vendor == "hubspot" else 200, body))
