"""Every action with an input that is right, and what must hold of it whatever its vendor says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.testing.vendors import Refused, Simulators

Given = Mapping[str, Json]
Outcomes = Mapping[Refused, type[ActionError]]

# 409 may pass, but where the vendor means by it what will not.
USUAL: Outcomes = {
    Refused.UNAUTHORIZED: PermanentError,
    Refused.FORBIDDEN: PermanentError,
    Refused.CONFLICT: RetryableError,
    Refused.INVALID: PermanentError,
    Refused.RATE_LIMITED: RetryableError,
    Refused.BROKEN: RetryableError,
    Refused.UNAVAILABLE: RetryableError,
}
NO_PASSING: Outcomes = {Refused.CONFLICT: PermanentError}
HERE = "{{http}}"
"""Stands for the address of a simulated server."""
HOST = "{{host}}"
"""Stands for its host and port."""


@dataclass(frozen=True, slots=True)
class Row:
    """
    An action and an input.

    `vendor` is whom it asks, if anybody; `hidden` the settings that are not there.
    `before` happened before. `doubled` is how many effects an attempt has left whose
    answer was lost, and its repeat; `is_repeated` whether the engine repeats it unasked.
    """

    action: str
    given: Given
    vendor: str = ""
    unlike: Outcomes = field(default_factory=dict)
    rate_limited_ms: int | None = None
    doubled: int = 1
    is_repeated: bool = True
    before: tuple[tuple[str, Given], ...] = ()
    hidden: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    look: tuple[str, Given] | None = None
    """An action that shows what this one left here."""

    @property
    def outcomes(self) -> Outcomes:
        """What each refusal means."""
        return {**USUAL, **self.unlike}

    def document(self, vendors: Simulators) -> dict[str, Json]:
        """Return the input, addresses and all."""
        url = vendors.http.base_url
        return {
            name: value.replace(HERE, url).replace(HOST, url.partition("://")[2])
            if isinstance(value, str)
            else value
            for name, value in self.given.items()
        }


EMAIL: Given = {"to": "ada@example.com", "subject": "Hi", "html": "<p>Hello</p>"}
CONTACT: Given = {"type": "contacts", "properties": {"email": "ada@example.com"}}
TICKET: Given = {"type": "tickets", "properties": {"subject": "Down"}}
OBJECT: Given = {"key": "a/b.txt", "content": "hello"}
MEETING: Given = {"title": "Call", "start": "2026-11-23T09:00:00Z", "duration": "1h"}
TEXT: Given = {"text": "Ada loves London!"}
NOTICE: Given = {"body": "It is down", "url": f"ntfy://{HOST}/alerts"}
NO_S3 = ("ONCUE_S3_ENDPOINT",)
NO_AI = ("ONCUE_AI_BASE_URL",)
TABLE = "CREATE TABLE t (n INTEGER)"

ASKING = (
    Row("send_email", EMAIL, "resend", rate_limited_ms=1_000, secrets=("api_key",)),
    Row(
        "send_sms",
        {"to": "+447700900123", "body": "x"},
        "twilio",
        # Twilio says of its own errors that the message may have been sent.
        {Refused.BROKEN: OutcomeUnknown, Refused.UNAVAILABLE: OutcomeUnknown},
        doubled=2,
        is_repeated=False,
        secrets=("auth_token",),
    ),
    Row(
        "send_slack_message",
        {"text": "x"},
        "slack",
        NO_PASSING,
        rate_limited_ms=1_000,
        doubled=2,
        secrets=("webhook_url",),
    ),
    Row(
        "send_slack_message",
        {"text": "x", "channel": "#sales"},
        "slack",
        {**NO_PASSING, Refused.BROKEN: OutcomeUnknown},
        rate_limited_ms=1_000,
        doubled=2,
        secrets=("bot_token",),
    ),
    Row("create_crm_record", CONTACT, "hubspot", NO_PASSING, 10_000, secrets=("api_key",)),
    Row(
        "create_crm_record",
        {**CONTACT, "id_property": "email"},
        "hubspot",
        NO_PASSING,
        10_000,
        secrets=("api_key",),
    ),
    Row(
        "create_crm_record",
        TICKET,
        "hubspot",
        NO_PASSING,
        10_000,
        doubled=2,
        is_repeated=False,
        secrets=("api_key",),
    ),
    Row(
        "update_crm_record",
        {"type": "contacts", "id": "101", "properties": {"city": "London"}},
        "hubspot",
        NO_PASSING,
        10_000,
        before=(("create_crm_record", CONTACT),),
        secrets=("api_key",),
    ),
    Row(
        "create_ticket",
        {"team": "ENG", "title": "Down", "labels": ["Bug"]},
        "linear",
        NO_PASSING,
        1_000,
        secrets=("api_key",),
    ),
    Row("schedule_meeting", MEETING, "google_calendar", NO_PASSING, secrets=("token",)),
    Row("r2_put", OBJECT, "r2", secrets=("secret_key", "access_key")),
    Row(
        "r2_get",
        {"key": "a/b.txt"},
        "r2",
        before=(("r2_put", OBJECT),),
        secrets=("secret_key", "access_key"),
    ),
    *(
        Row(name, given, "ai", rate_limited_ms=1_000, doubled=2, secrets=("api_key",))
        for name, given in (
            ("ai_text_generation", {"prompt": "Why?"}),
            ("ai_sentiment_analysis", TEXT),
            ("ai_named_entity_recognition", TEXT),
            ("ai_classify_text", {**TEXT, "categories": ["a", "b"]}),
            ("ai_summarize", TEXT),
            ("ai_extract", {**TEXT, "schema": {"type": "object"}}),
        )
    ),
    Row("send_notification", NOTICE, "http", doubled=2, is_repeated=False),
    Row("http_request", {"method": "POST", "url": HERE, "json": {"n": 1}}, "http"),
    Row("send_webhook", {"url": HERE, "type": "x", "data": 1}, "http", secrets=("secret",)),
    Row("call_webhook", {"url": HERE, "body": 1}, "http", secrets=("secret",)),
)
"""Those that ask somebody else."""

STAYING = (
    Row("kv_set", {"key": "k", "value": [1]}, look=("kv_get", {"key": "k"})),
    Row("kv_get", {"key": "k", "default": 5}),
    Row("kv_increment", {"key": "k", "amount": 2}, look=("kv_get", {"key": "k"})),
    Row(
        "kv_delete",
        {"key": "k"},
        before=(("kv_set", {"key": "k", "value": 1}),),
        look=("kv_get", {"key": "k"}),
    ),
    Row("transform_data", {"data": [1, 2], "expr": "data.size()"}),
    Row("validate_data", {"data": 1, "schema": {"type": "integer"}}),
    Row("log_event", {"type": "order.paid", "data": 1}),
    Row("emit_event", {"event": {"type": "order.paid"}}),
    Row("db_query", {"sql": "SELECT 1 AS n"}),
    Row("query_events", {"sql": "SELECT count(*) AS n FROM events"}),
    Row(
        "db_execute",
        {"sql": "INSERT INTO t VALUES (?)", "params": [1]},
        before=(("db_execute", {"sql": TABLE}),),
        look=("db_query", {"sql": "SELECT n FROM t"}),
    ),
    Row("r2_put", OBJECT, hidden=NO_S3, look=("r2_get", {"key": "a/b.txt"})),
    Row("r2_get", {"key": "a/b.txt"}, hidden=NO_S3, before=(("r2_put", OBJECT),)),
    Row("ai_sentiment_analysis", TEXT, hidden=NO_AI),
    Row("ai_named_entity_recognition", TEXT, hidden=NO_AI),
)
"""Those that keep to this machine."""

WRONG: tuple[tuple[str, Given, str], ...] = (
    ("send_email", {"to": "ada@example.com", "subject": "Hi"}, "'html' or 'text'"),
    ("send_email", {**EMAIL, "too": "x"}, r"with\.too"),
    ("send_sms", {"to": "+447700900123", "body": ""}, r"with\.body"),
    ("send_slack_message", {}, "'text' or 'blocks'"),
    ("send_notification", {**NOTICE, "body": ""}, r"with\.body"),
    ("send_notification", {"body": "x"}, "no URL"),
    ("send_notification", {"body": "x", "url": "syslog://"}, "got 'syslog'"),
    ("create_crm_record", {**CONTACT, "id_property": "vat"}, "the property 'vat'"),
    ("update_crm_record", {"type": "contacts", "properties": {}}, r"with\.id"),
    ("create_ticket", {"team": "ENG", "title": ""}, r"with\.title"),
    ("schedule_meeting", {**MEETING, "end": "2026-11-23T10:00:00Z"}, "'end' or 'duration'"),
    ("r2_put", {**OBJECT, "key": "../x"}, r"with\.key"),
    ("r2_get", {"key": "nothing"}, "404|no object"),
    ("ai_text_generation", {}, "'prompt' or 'messages'"),
    ("ai_sentiment_analysis", {}, r"with\.text"),
    ("ai_named_entity_recognition", {"text": 5}, r"with\.text"),
    ("ai_classify_text", {**TEXT, "categories": ["a"]}, r"with\.categories"),
    ("ai_summarize", {}, r"with\.text"),
    ("ai_extract", TEXT, r"with\.schema"),
    ("http_request", {"url": HERE, "json": 1, "body": "x"}, "json, form and body"),
    ("http_request", {"url": "ftp://example.com"}, "'ftp'"),
    ("http_request", {"url": HERE, "timeout": "soon"}, "a duration"),
    ("send_webhook", {"data": 1}, r"with\.url"),
    ("call_webhook", {"url": HERE, "auth": {"type": "magic"}}, r"with\.auth"),
    ("kv_set", {"key": "k", "value": 1, "if_version": 7}, "version"),
    ("kv_set", {"key": "", "value": 1}, r"with\.key"),
    ("kv_get", {"key": "k" * 513}, r"with\.key"),
    ("kv_increment", {"key": "k", "amount": "two"}, r"with\.amount"),
    ("kv_delete", {"key": "k", "if_version": 7}, "version"),
    ("transform_data", {"data": 1}, "'expr' or 'output'"),
    ("transform_data", {"data": 1, "expr": "data.x"}, "data"),
    ("validate_data", {"data": "x", "schema": {"type": "integer"}}, "1 errors in the data"),
    ("log_event", {"type": "no spaces please"}, r"with\.type"),
    ("emit_event", {"event": {}}, r"event\.type"),
    ("db_query", {"sql": "SELEC 1"}, "syntax error"),
    ("query_events", {"sql": "DROP TABLE events"}, "SELECT|statement"),
    ("db_query", {"sql": TABLE}, "readonly|read|not authorized"),
    ("db_execute", {"sql": "DELETE FROM nowhere"}, "no such table"),
)
"""Inputs with which no attempt can succeed, and what is told."""
