"""JSON Schemas of what the API answers, by name."""

from collections.abc import Mapping
from typing import Final

from oncue.core.dead_letters import LetterState, Queue, RedriveState
from oncue.core.json_text import Json
from oncue.core.pattern.operator import Kind
from oncue.core.workflow.state import AttemptStatus, Status, StepStatus
from oncue.engine.explanations import Fate
from oncue.engine.standing import KINDS

Schema = dict[str, Json]

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer"}
DECIMAL: Final[Schema] = {"type": "number"}
TRUTH: Final[Schema] = {"type": "boolean"}
ANY: Final[Schema] = {}
OBJECT: Final[Schema] = {"type": "object", "additionalProperties": True}
INSTANT: Final[Schema] = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-11-23T06:32:00.123Z"],
}


def ref(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(*names: str) -> Schema:
    """Return the schema of a choice of words."""
    choices: Json = list(names)
    return {"type": "string", "enum": choices}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _object(**properties: Schema) -> Schema:
    """An object with these members, all of which are there."""
    required: Json = list(properties)
    shown: Json = dict(properties)
    return {"type": "object", "properties": shown, "required": required}


def page(name: str) -> Schema:
    """Return the schema of one page of a list."""
    return _object(data=_list(ref(name)), next_cursor=_or_null(TEXT))


def _with(name: str, **properties: Schema) -> Schema:
    return {"allOf": [ref(name), _object(**properties)]}


_EXPLAINED: Final = {
    "disposition": one_of(*Fate),
    "clause": _or_null(TEXT),
    "error": _or_null(TEXT),
    "match_id": _or_null(TEXT),
    "outcome": _or_null(OBJECT),
    "key": OBJECT,
    "state": OBJECT,
}
_SAVED: Final = {
    "id": TEXT,
    "enabled": TRUTH,
    "version": NUMBER,
    "created_at": INSTANT,
    "updated_at": INSTANT,
}
_SUMMARY: Final = {
    "id": TEXT,
    "workflow": TEXT,
    "version": NUMBER,
    "status": one_of(*Status),
    "trigger": _object(
        type=TEXT,
        event_id=_or_null(TEXT),
        offset=_or_null(NUMBER),
        match_id=_or_null(TEXT),
        pattern_id=_or_null(TEXT),
        execution_id=_or_null(TEXT),
    ),
    "error": _or_null(TEXT),
    "created_at": INSTANT,
    "started_at": _or_null(INSTANT),
    "finished_at": _or_null(INSTANT),
}
_ATTEMPT: Final = {
    "attempt": NUMBER,
    "status": one_of(*AttemptStatus),
    "started_at": INSTANT,
    "finished_at": _or_null(INSTANT),
    "error": _or_null(TEXT),
}
_STEP: Final = {
    "id": TEXT,
    "path": TEXT,
    "type": TEXT,
    "status": one_of(*StepStatus),
    "input": ANY,
    "output": ANY,
    "error": _or_null(TEXT),
}
_RECEIPT: Final = {"id": TEXT, "status": one_of("accepted", "duplicate"), "offset": NUMBER}
_HOOK: Final = {
    "id": TEXT,
    "name": TEXT,
    "scheme": TEXT,
    "url": TEXT,
    "secret": ANY,
    "ready": TRUTH,
    "trouble": _or_null(TEXT),
}
_KEY: Final = {
    "id": TEXT,
    "name": TEXT,
    "scopes": _list(TEXT),
    "hint": TEXT,
    "created_at": INSTANT,
}
_TESTED: Final = {"ok": TRUTH, "detail": TEXT, "duration_ms": NUMBER, "at": INSTANT}
_ACCOUNT: Final = {
    "id": TEXT,
    "name": TEXT,
    "enabled": TRUTH,
    "time_zone": TEXT,
    "quotas": OBJECT,
    "created_at": INSTANT,
}
_WARNINGS: Final = _list(_object(path=TEXT, message=TEXT))
_SHORT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 512}

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Problem": {
        **_object(type=TEXT, title=TEXT, status=NUMBER, detail=TEXT),
        "description": "RFC 9457; `errors` are all problems of the request, each with its place.",
        "examples": [
            {
                "type": "about:blank",
                "title": "Invalid input",
                "status": 422,
                "detail": "1 problem in the request, see errors",
                "errors": [
                    {
                        "path": "steps[2].for",
                        "message": "expected a duration such as '24h', got 'tomorrow'",
                    }
                ],
            }
        ],
    },
    "Status": _object(status=TEXT),
    "Anything": ANY,
    "NewEvent": {
        "type": "object",
        "properties": {
            "type": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:/-]{0,254}$"},
            "id": _SHORT,
            "source": _SHORT,
            "subject": _SHORT,
            "time": INSTANT,
            "data": {},
        },
        "required": ["type"],
        "description": "Or a CloudEvent. Other names are extension attributes.",
    },
    "NewEvents": {"type": "array", "items": ref("NewEvent"), "minItems": 1, "maxItems": 100},
    "Signal": _object(name=one_of("in_doubt"), data=OBJECT),
    "Occasion": {
        "type": "object",
        "properties": {"input": {}, "event": ref("NewEvent"), "event_id": TEXT},
        "description": "One of the three; without any, the input is an empty object.",
    },
    "Receipt": {**_object(**_RECEIPT), "description": "`offset` counts per account."},
    "BatchReceipt": _object(accepted=NUMBER, duplicates=NUMBER, events=_list(ref("Receipt"))),
    "Event": _object(
        id=TEXT,
        source=TEXT,
        type=TEXT,
        subject=_or_null(TEXT),
        time=INSTANT,
        data=ANY,
        offset=NUMBER,
        received_at=INSTANT,
    ),
    "EventWithDispositions": _with(
        "Event",
        dispositions=_list(
            _object(pattern=TEXT, pattern_id=TEXT, version=NUMBER, **_EXPLAINED),
        ),
    ),
    "Explanation": _object(pattern=TEXT, event=ref("Event"), **_EXPLAINED),
    "Template": OBJECT,
    "Match": _object(
        id=TEXT,
        pattern=TEXT,
        pattern_id=TEXT,
        pattern_version=NUMBER,
        state_version=NUMBER,
        kind=one_of(*Kind),
        match_number=_or_null(NUMBER),
        key=OBJECT,
        time=INSTANT,
        detected_at=INSTANT,
        events=_list(OBJECT),
        event_count=NUMBER,
        first_offset=_or_null(NUMBER),
        last_offset=_or_null(NUMBER),
        bindings=OBJECT,
        values=OBJECT,
        window=_or_null(_object(start=INSTANT, end=INSTANT)),
        score=_or_null(DECIMAL),
        suppressed=NUMBER,
        revision=NUMBER,
        outcome=_or_null(OBJECT),
    ),
    "BacktestResult": {
        **_object(
            match_count=NUMBER,
            matches=_list(ref("Match")),
            events_scanned=NUMBER,
            truncated=TRUTH,
            failures=NUMBER,
        ),
        "description": "With `comparison`, where it was asked for.",
    },
    "WorkflowWithWarnings": _with("SavedWorkflow", warnings=_WARNINGS),
    "Validity": _object(valid=TRUTH),
    "Begun": _object(execution_id=TEXT, status=one_of(*Status)),
    "ForeseenExecution": _object(
        workflow=TEXT,
        version=NUMBER,
        status=one_of(*Status),
        input=ANY,
        output=ANY,
        error=_or_null(TEXT),
        truncated=TRUTH,
        steps=_list(_object(**_STEP, action=_or_null(TEXT), assumed=TRUTH)),
    ),
    "Tried": {
        **_object(request=_or_null(OBJECT), duration_ms=NUMBER),
        "description": "With `output`, or with `error`.",
    },
    "ExecutionSummary": _object(**_SUMMARY),
    "Execution": _object(
        **_SUMMARY,
        input=ANY,
        output=ANY,
        steps=_list(
            _object(
                **_STEP,
                attempts=_list(_object(**_ATTEMPT)),
                cached=TRUTH,
                reused=TRUTH,
                waits_until=_or_null(INSTANT),
                waits_for=_or_null(TEXT),
            )
        ),
    ),
    "Action": _object(
        name=TEXT,
        summary=TEXT,
        category=TEXT,
        integration=TEXT,
        package=_or_null(TEXT),
        idempotency=TEXT,
        input_schema=OBJECT,
        output_schema=OBJECT,
        example=OBJECT,
    ),
    "Value": {"type": "object", "properties": {"value": {}}, "required": ["value"]},
    "Version": _object(version=NUMBER),
    "Count": _object(value=NUMBER, version=NUMBER),
    "Entry": _object(
        key=TEXT,
        value=ANY,
        version=NUMBER,
        updated_at=INSTANT,
        expires_at=_or_null(INSTANT),
    ),
    "Account": _object(**_ACCOUNT),
    "OwnAccount": _with("Account", scopes=_list(TEXT), usage=OBJECT),
    "AccountWithKey": _with("Account", api_key=TEXT),
    "Key": _object(**_KEY),
    "KeyWithSecret": _with("Key", api_key=TEXT),
    "IntegrationSchema": _object(integration=TEXT, title=TEXT, schema=OBJECT, secret=_list(TEXT)),
    "ConnectionTest": _object(**_TESTED),
    "Documents": _list(OBJECT),
    "Exported": _object(documents=_list(OBJECT), left_out=_list(TEXT)),
    "Applied": _object(
        dry_run=TRUTH,
        changes=_list(
            _object(
                kind=one_of(*KINDS),
                name=TEXT,
                change=one_of("created", "changed", "unchanged"),
                version=NUMBER,
                warnings=_WARNINGS,
                hooks=_list(_object(name=TEXT, url=TEXT, secret=_or_null(TEXT))),
            )
        ),
    ),
    "Rotation": _object(
        total=NUMBER, rotated=NUMBER, locked=_list(_object(account=TEXT, kind=TEXT, name=TEXT))
    ),
    "EventSchema": _object(
        types=_list(
            _object(
                type=TEXT,
                count=NUMBER,
                first_at=INSTANT,
                last_at=INSTANT,
                fields=_list(_object(path=TEXT, kind=TEXT)),
                sample=ANY,
            )
        )
    ),
    "QueryResult": _object(
        columns=_list(_object(name=TEXT, type=TEXT)),
        rows=_list(_list(ANY)),
        row_count=NUMBER,
        truncated=TRUTH,
        elapsed_ms=NUMBER,
    ),
    "HookWithWarnings": _with("SavedHook", warnings=_WARNINGS),
    "ConnectionWithWarnings": _with("SavedConnection", warnings=_WARNINGS),
    "DeadLetter": {
        **_object(
            id=TEXT,
            queue=one_of(*Queue),
            state=one_of(*LetterState),
            error=TEXT,
            fingerprint=TEXT,
            version=NUMBER,
            execution_id=_or_null(TEXT),
            created_at=INSTANT,
            closed_at=_or_null(INSTANT),
            redriven_as=_or_null(TEXT),
            event=_or_null(_object(offset=NUMBER, id=TEXT, type=TEXT)),
        ),
        "description": "With `workflow` and `workflow_id`, or `pattern` and `pattern_id`.",
    },
    "DeadLetterGroup": _object(
        fingerprint=TEXT,
        error=TEXT,
        count=NUMBER,
        origins=_list(TEXT),
        first_at=INSTANT,
        last_at=INSTANT,
    ),
    "DeadLetterOrGroup": {
        "anyOf": [ref("DeadLetter"), ref("DeadLetterGroup")],
        "description": "With `group=error` what one cause has in common; else one of them.",
    },
    "Redrive": {
        **_object(
            id=TEXT,
            state=one_of(*RedriveState),
            filter=OBJECT,
            rate=TEXT,
            version=TEXT,
            total=NUMBER,
            redriven=NUMBER,
            refused=NUMBER,
            left=NUMBER,
            last_error=_or_null(TEXT),
            created_at=INSTANT,
            finished_at=_or_null(INSTANT),
        ),
        "description": "`left` are still to come; what was `refused` stays open.",
    },
    "Discarded": _object(discarded=NUMBER),
    "Dashboard": OBJECT,
    "AuditEntry": _object(
        execution=TEXT,
        workflow=TEXT,
        version=NUMBER,
        step=TEXT,
        action=TEXT,
        **_ATTEMPT,
        duration_ms=_or_null(NUMBER),
        idempotency_key=TEXT,
        input=ANY,
        output=ANY,
    ),
    "Metrics": TEXT,
}

SAVED: Final[Mapping[str, tuple[str, Schema]]] = {
    "SavedPattern": (
        "Pattern",
        _object(
            **_SAVED,
            state_version=NUMBER,
            owned_by=_or_null(TEXT),
            paused=_or_null(_object(since=INSTANT, reason=TEXT)),
            cost_class=one_of("indexed", "scan"),
            warnings=_WARNINGS,
            stats=OBJECT,
        ),
    ),
    "SavedWorkflow": (
        "Workflow",
        # There, if it has hooks.
        {**_object(**_SAVED), "properties": {**_SAVED, "hooks": _list(_object(**_HOOK))}},
    ),
    "SavedHook": (
        "HookDocument",
        _object(
            **_SAVED,
            url=TEXT,
            ready=TRUTH,
            trouble=_or_null(TEXT),
            owned_by=_or_null(TEXT),
            stats=OBJECT,
        ),
    ),
    "SavedSchedule": (
        "ScheduleDocument",
        _object(
            **_SAVED,
            owned_by=_or_null(TEXT),
            effective_time_zone=TEXT,
            next_at=_or_null(INSTANT),
            upcoming=_list(INSTANT),
            last_at=_or_null(INSTANT),
            missed=NUMBER,
        ),
    ),
    "SavedConnection": (
        "ConnectionDocument",
        _object(
            id=TEXT,
            ready=TRUTH,
            locked=TRUTH,
            trouble=_or_null(TEXT),
            version=NUMBER,
            created_at=INSTANT,
            updated_at=INSTANT,
            last_used_at=_or_null(INSTANT),
            last_test=_or_null(_object(**_TESTED)),
        ),
    ),
    "SavedSecret": (
        "SecretDocument",
        _object(
            ready=TRUTH,
            trouble=_or_null(TEXT),
            version=NUMBER,
            created_at=INSTANT,
            updated_at=INSTANT,
        ),
    ),
    "SavedVariable": (
        "VariableDocument",
        _object(version=NUMBER, created_at=INSTANT, updated_at=INSTANT),
    ),
}
"""What is added to a document once it is saved."""

QUERY: Final[Mapping[str, Schema]] = {
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": 500,
        "default": 50,
        "description": "How many at most.",
    },
    "cursor": {"type": "string", "description": "The `next_cursor` of the page before."},
    "type": {"type": "string", "description": "A type, or a glob such as `order.*`."},
    "source": {"type": "string", "description": "The one source."},
    "event": {"type": "string", "description": "The id of an event, or `@` and its offset."},
    "subject": {"type": "string", "description": "The one subject."},
    "from": {**INSTANT, "description": "Not before this instant."},
    "to": {**INSTANT, "description": "Before this instant."},
    "after": {"type": "integer", "minimum": 0, "description": "The offset to go on after."},
    "workflow": {"type": "string", "description": "Name of the workflow."},
    "execution": {"type": "string", "description": "Id of the execution."},
    "action": {"type": "string", "description": "Name of the action."},
    "status": one_of(*Status),
    "queue": one_of(*Queue),
    "state": one_of(*LetterState),
    "pattern": {"type": "string", "description": "Name or id of the pattern."},
    "fingerprint": {"type": "string", "description": "What errors of one cause have in common."},
    "group": {**one_of("error"), "description": "By cause, instead of one by one."},
    "wait": {
        "type": "string",
        "description": "How long to wait for the end, at most 60s.",
        "examples": ["10s"],
    },
    "dry_run": {"type": "boolean", "default": False, "description": "Save nothing."},
    "force": {"type": "boolean", "default": False, "description": "Even if a workflow needs it."},
    "cancel": {"type": "boolean", "default": False, "description": "Cancel what is open."},
    "prefix": {"type": "string", "maxLength": 512, "description": "How the keys begin."},
    "range": {
        "type": "string",
        "default": "24h",
        "description": "How far back.",
        "examples": ["1h"],
    },
}
