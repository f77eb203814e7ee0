"""A row pattern over a few events, as the operator sees them."""

from collections.abc import Sequence

import msgspec

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.sql import SqlPattern
from oncue.core.pattern.operator import Arrival, Hit
from oncue.core.pattern.rows.compiled import CompiledRows, compile_rows
from oncue.core.pattern.rows.operator import RowOperator
from tests.make import make_event

LONG = 10**12


def pattern_of(query: str, **fields: Json) -> SqlPattern:
    return SqlPattern.model_validate({"type": "sql", "query": query, **fields})


def compiled(query: str, **fields: Json) -> CompiledRows:
    return compile_rows(pattern_of(query, **fields), "pattern")


def make_rows(values: Sequence[Json], step_ms: int = 1_000, subject: str = "") -> list[Event]:
    """An event for each value, one a second."""
    return [
        make_event(offset=n, type="row", time_ms=n * step_ms, subject=subject, data={"v": value})
        for n, value in enumerate(values)
    ]


class Driver:
    """An operator that can be saved and read back between any two events."""

    def __init__(self, query: str, **fields: Json) -> None:
        self._pattern = pattern_of(query, **fields)
        self._rows = compile_rows(self._pattern, "pattern")
        self.operator = self._fresh()
        self.watermark_ms = 0

    def _fresh(self) -> RowOperator:
        return RowOperator(self._rows.plan, self._pattern.limits)

    def admit(self, event: Event) -> list[Hit]:
        """Show it an event; timers that are due fire before."""
        self.watermark_ms = max(self.watermark_ms, event.time_ms)
        found = self.advance(self.watermark_ms)
        if not self._rows.selection.admits(event, {}):
            return found
        key = self._rows.key.text(event, {})
        assert key is not None
        return [*found, *self.operator.admit(Arrival(key, 1, event, {}, self.watermark_ms))]

    def advance(self, watermark_ms: int = LONG) -> list[Hit]:
        """Let event time go on."""
        return list(self.operator.advance(watermark_ms))

    def restart(self) -> None:
        """Go on with what a checkpoint would have kept."""
        before = self.operator
        self.operator = self._fresh()
        self.operator.counts = before.counts
        for sort, keyed in before.states().items():
            saved = msgspec.json.decode(msgspec.json.encode(keyed.rows()))
            self.operator.states()[sort].load([tuple(row) for row in saved])
        self.operator.restored()


def run(query: str, events: Sequence[Event], **fields: Json) -> list[Hit]:
    """Return what a statement gives, the clock having run on."""
    driver = Driver(query, **fields)
    found = [hit for event in events for hit in driver.admit(event)]
    return found + driver.advance()


def row_pattern(pattern: str, define: str = "", **parts: str) -> str:
    """Return a statement with a pattern; `parts` are measures, rows, skip, within and subset."""
    measures = parts.get("measures", "MATCH_NUMBER() AS n")
    within = f"WITHIN INTERVAL {parts['within']}" if "within" in parts else ""
    return " ".join(
        (
            "SELECT * FROM events MATCH_RECOGNIZE (",
            parts.get("partition", ""),
            f"ORDER BY time MEASURES {measures}",
            parts.get("rows", ""),
            parts.get("skip", ""),
            f"PATTERN ({pattern})",
            within,
            parts.get("subset", ""),
            f"DEFINE {define}" if define else "",
            ")",
        )
    )
