"""JSON Schemas of events, of what patterns make of them, and of what queries give."""

from collections.abc import Mapping
from typing import Final

from oncue.core.pattern.operator import Kind
from oncue.engine.explanations import Fate
from oncue.web.shapes import (
    ANY,
    DECIMAL,
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

_EXPLAINED: Final = {
    "disposition": one_of(*Fate),
    "clause": or_null(TEXT),
    "error": or_null(TEXT),
    "match_id": or_null(TEXT),
    "outcome": or_null(OBJECT),
    "key": OBJECT,
    "state": OBJECT,
}
_RECEIPT: Final = {"id": TEXT, "status": one_of("accepted", "duplicate"), "offset": NUMBER}
_SHORT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 512}

EVENT_SCHEMAS: Final[Mapping[str, Schema]] = {
    "ArchiveStatus": object_of(
        files=NUMBER,
        bytes=NUMBER,
        events=NUMBER,
        newest_at=or_null(INSTANT),
        waiting=NUMBER,
        missing=NUMBER,
        trouble=or_null(object_of(since=INSTANT, message=TEXT)),
    ),
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
    "Receipt": {**object_of(**_RECEIPT), "description": "`offset` counts per account."},
    "BatchReceipt": object_of(accepted=NUMBER, duplicates=NUMBER, events=list_of(ref("Receipt"))),
    "Event": object_of(
        id=TEXT,
        source=TEXT,
        type=TEXT,
        subject=or_null(TEXT),
        time=INSTANT,
        data=ANY,
        offset=NUMBER,
        received_at=INSTANT,
    ),
    "EventWithDispositions": with_members(
        "Event",
        dispositions=list_of(
            object_of(pattern=TEXT, pattern_id=TEXT, version=NUMBER, **_EXPLAINED),
        ),
    ),
    "Explanation": object_of(pattern=TEXT, event=ref("Event"), **_EXPLAINED),
    "Match": object_of(
        id=TEXT,
        pattern=TEXT,
        pattern_id=TEXT,
        pattern_version=NUMBER,
        state_version=NUMBER,
        kind=one_of(*Kind),
        match_number=or_null(NUMBER),
        key=OBJECT,
        time=INSTANT,
        detected_at=INSTANT,
        events=list_of(OBJECT),
        event_count=NUMBER,
        first_offset=or_null(NUMBER),
        last_offset=or_null(NUMBER),
        bindings=OBJECT,
        values=OBJECT,
        window=or_null(object_of(start=INSTANT, end=INSTANT)),
        score=or_null(DECIMAL),
        suppressed=NUMBER,
        revision=NUMBER,
        outcome=or_null(OBJECT),
    ),
    "BacktestResult": {
        **object_of(
            match_count=NUMBER,
            matches=list_of(ref("Match")),
            events_scanned=NUMBER,
            truncated=TRUTH,
            failures=NUMBER,
            left_out=OBJECT,
            warnings=WARNINGS,
        ),
        "description": "With `comparison`, where it was asked for.",
    },
    "EventSchema": object_of(
        types=list_of(
            object_of(
                type=TEXT,
                count=NUMBER,
                first_at=INSTANT,
                last_at=INSTANT,
                fields=list_of(object_of(path=TEXT, kind=TEXT)),
                sample=ANY,
            )
        )
    ),
    "Completion": object_of(
        columns=list_of(object_of(name=TEXT, type=TEXT)),
        functions=list_of(
            object_of(
                name=TEXT,
                kind=one_of("scalar", "aggregate", "window", "macro", "row pattern"),
                parameters=list_of(TEXT),
                description=TEXT,
                example=TEXT,
                streams=TRUTH,
            )
        ),
        keywords=list_of(TEXT),
    ),
    "QueryResult": object_of(
        columns=list_of(object_of(name=TEXT, type=TEXT)),
        rows=list_of(list_of(ANY)),
        row_count=NUMBER,
        truncated=TRUTH,
        elapsed_ms=NUMBER,
    ),
}
