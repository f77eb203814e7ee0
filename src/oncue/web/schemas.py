"""JSON Schemas of what the API answers, by name."""

from collections.abc import Mapping
from typing import Final

from oncue.core.dead_letters import LetterState, Queue, RedriveState
from oncue.core.workflow.state import AttemptStatus, Status, StepStatus
from oncue.engine.standing import KINDS
from oncue.web.event_schemas import EVENT_SCHEMAS
from oncue.web.shapes import (
    ANY,
    INSTANT,
    NUMBER,
    OBJECT,
    TEXT,
    TRUTH,
    WARNINGS,
    Schema,
    list_of,
    object_of,
    one_of,
    or_null,
    ref,
    with_members,
)

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
    "trigger": object_of(
        type=TEXT,
        event_id=or_null(TEXT),
        offset=or_null(NUMBER),
        match_id=or_null(TEXT),
        pattern_id=or_null(TEXT),
        execution_id=or_null(TEXT),
    ),
    "error": or_null(TEXT),
    "created_at": INSTANT,
    "started_at": or_null(INSTANT),
    "finished_at": or_null(INSTANT),
}
_ATTEMPT: Final = {
    "attempt": NUMBER,
    "status": one_of(*AttemptStatus),
    "started_at": INSTANT,
    "finished_at": or_null(INSTANT),
    "error": or_null(TEXT),
}
_STEP: Final = {
    "id": TEXT,
    "path": TEXT,
    "type": TEXT,
    "status": one_of(*StepStatus),
    "input": ANY,
    "output": ANY,
    "error": or_null(TEXT),
}
_HOOK: Final = {
    "id": TEXT,
    "name": TEXT,
    "scheme": TEXT,
    "url": TEXT,
    "secret": ANY,
    "ready": TRUTH,
    "trouble": or_null(TEXT),
}
_KEY: Final = {
    "id": TEXT,
    "name": TEXT,
    "scopes": list_of(TEXT),
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
    "query_bounds": OBJECT,
    "created_at": INSTANT,
}

SCHEMAS: Final[Mapping[str, Schema]] = {
    **EVENT_SCHEMAS,
    "Problem": {
        **object_of(type=TEXT, title=TEXT, status=NUMBER, detail=TEXT),
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
    "Status": object_of(status=TEXT),
    "Anything": ANY,
    "Signal": object_of(name=one_of("in_doubt"), data=OBJECT),
    "Occasion": {
        "type": "object",
        "properties": {"input": {}, "event": ref("NewEvent"), "event_id": TEXT},
        "description": "One of the three; without any, the input is an empty object.",
    },
    "Template": OBJECT,
    "WorkflowWithWarnings": with_members("SavedWorkflow", warnings=WARNINGS),
    "Validity": object_of(valid=TRUTH),
    "Begun": object_of(execution_id=TEXT, status=one_of(*Status)),
    "ForeseenExecution": object_of(
        workflow=TEXT,
        version=NUMBER,
        status=one_of(*Status),
        input=ANY,
        output=ANY,
        error=or_null(TEXT),
        truncated=TRUTH,
        steps=list_of(object_of(**_STEP, action=or_null(TEXT), assumed=TRUTH)),
    ),
    "Tried": {
        **object_of(request=or_null(OBJECT), duration_ms=NUMBER),
        "description": "With `output`, or with `error`.",
    },
    "ExecutionSummary": object_of(**_SUMMARY),
    "Execution": object_of(
        **_SUMMARY,
        input=ANY,
        output=ANY,
        steps=list_of(
            object_of(
                **_STEP,
                attempts=list_of(object_of(**_ATTEMPT)),
                cached=TRUTH,
                reused=TRUTH,
                waits_until=or_null(INSTANT),
                waits_for=or_null(TEXT),
            )
        ),
    ),
    "Action": object_of(
        name=TEXT,
        summary=TEXT,
        category=TEXT,
        integration=TEXT,
        package=or_null(TEXT),
        idempotency=TEXT,
        input_schema=OBJECT,
        output_schema=OBJECT,
        example=OBJECT,
    ),
    "Value": {"type": "object", "properties": {"value": {}}, "required": ["value"]},
    "Version": object_of(version=NUMBER),
    "Count": object_of(value=NUMBER, version=NUMBER),
    "Entry": object_of(
        key=TEXT,
        value=ANY,
        version=NUMBER,
        updated_at=INSTANT,
        expires_at=or_null(INSTANT),
    ),
    "Account": object_of(**_ACCOUNT),
    "OwnAccount": with_members("Account", scopes=list_of(TEXT), usage=OBJECT),
    "AccountWithKey": with_members("Account", api_key=TEXT),
    "Key": object_of(**_KEY),
    "KeyWithSecret": with_members("Key", api_key=TEXT),
    "IntegrationSchema": object_of(
        integration=TEXT, title=TEXT, schema=OBJECT, secret=list_of(TEXT)
    ),
    "ConnectionTest": object_of(**_TESTED),
    "Documents": list_of(OBJECT),
    "Exported": object_of(documents=list_of(OBJECT), left_out=list_of(TEXT)),
    "Applied": object_of(
        dry_run=TRUTH,
        changes=list_of(
            object_of(
                kind=one_of(*KINDS),
                name=TEXT,
                change=one_of("created", "changed", "unchanged"),
                version=NUMBER,
                warnings=WARNINGS,
                hooks=list_of(object_of(name=TEXT, url=TEXT, secret=or_null(TEXT))),
            )
        ),
    ),
    "Rotation": object_of(
        total=NUMBER, rotated=NUMBER, locked=list_of(object_of(account=TEXT, kind=TEXT, name=TEXT))
    ),
    "HookWithWarnings": with_members("SavedHook", warnings=WARNINGS),
    "ConnectionWithWarnings": with_members("SavedConnection", warnings=WARNINGS),
    "DeadLetter": {
        **object_of(
            id=TEXT,
            queue=one_of(*Queue),
            state=one_of(*LetterState),
            error=TEXT,
            fingerprint=TEXT,
            version=NUMBER,
            execution_id=or_null(TEXT),
            created_at=INSTANT,
            closed_at=or_null(INSTANT),
            redriven_as=or_null(TEXT),
            event=or_null(object_of(offset=NUMBER, id=TEXT, type=TEXT)),
        ),
        "description": "With `workflow` and `workflow_id`, or `pattern` and `pattern_id`.",
    },
    "DeadLetterGroup": object_of(
        fingerprint=TEXT,
        error=TEXT,
        count=NUMBER,
        origins=list_of(TEXT),
        first_at=INSTANT,
        last_at=INSTANT,
    ),
    "DeadLetterOrGroup": {
        "anyOf": [ref("DeadLetter"), ref("DeadLetterGroup")],
        "description": "With `group=error` what one cause has in common; else one of them.",
    },
    "Redrive": {
        **object_of(
            id=TEXT,
            state=one_of(*RedriveState),
            filter=OBJECT,
            rate=TEXT,
            version=TEXT,
            total=NUMBER,
            redriven=NUMBER,
            refused=NUMBER,
            left=NUMBER,
            last_error=or_null(TEXT),
            created_at=INSTANT,
            finished_at=or_null(INSTANT),
        ),
        "description": "`left` are still to come; what was `refused` stays open.",
    },
    "Discarded": object_of(discarded=NUMBER),
    "Dashboard": OBJECT,
    "AuditEntry": object_of(
        execution=TEXT,
        workflow=TEXT,
        version=NUMBER,
        step=TEXT,
        action=TEXT,
        **_ATTEMPT,
        duration_ms=or_null(NUMBER),
        idempotency_key=TEXT,
        input=ANY,
        output=ANY,
    ),
    "Metrics": TEXT,
}

SAVED: Final[Mapping[str, tuple[str, Schema]]] = {
    "SavedPattern": (
        "Pattern",
        object_of(
            **_SAVED,
            state_version=NUMBER,
            owned_by=or_null(TEXT),
            paused=or_null(object_of(since=INSTANT, reason=TEXT)),
            cost_class=one_of("indexed", "scan"),
            warnings=WARNINGS,
            stats=OBJECT,
        ),
    ),
    "SavedWorkflow": (
        "Workflow",
        # There, if it has hooks.
        {**object_of(**_SAVED), "properties": {**_SAVED, "hooks": list_of(object_of(**_HOOK))}},
    ),
    "SavedHook": (
        "HookDocument",
        object_of(
            **_SAVED,
            url=TEXT,
            ready=TRUTH,
            trouble=or_null(TEXT),
            owned_by=or_null(TEXT),
            stats=OBJECT,
        ),
    ),
    "SavedSchedule": (
        "ScheduleDocument",
        object_of(
            **_SAVED,
            owned_by=or_null(TEXT),
            effective_time_zone=TEXT,
            next_at=or_null(INSTANT),
            upcoming=list_of(INSTANT),
            last_at=or_null(INSTANT),
            missed=NUMBER,
        ),
    ),
    "SavedConnection": (
        "ConnectionDocument",
        object_of(
            id=TEXT,
            ready=TRUTH,
            locked=TRUTH,
            trouble=or_null(TEXT),
            version=NUMBER,
            created_at=INSTANT,
            updated_at=INSTANT,
            last_used_at=or_null(INSTANT),
            last_test=or_null(object_of(**_TESTED)),
        ),
    ),
    "SavedSecret": (
        "SecretDocument",
        object_of(
            ready=TRUTH,
            trouble=or_null(TEXT),
            version=NUMBER,
            created_at=INSTANT,
            updated_at=INSTANT,
        ),
    ),
    "SavedVariable": (
        "VariableDocument",
        object_of(version=NUMBER, created_at=INSTANT, updated_at=INSTANT),
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
