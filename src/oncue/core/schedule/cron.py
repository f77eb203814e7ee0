"""
Cron: from an expression and a time zone to instants.

The fields are cronsim's, which reads them as Debian's cron does. It is asked for
dates and times of day only; how these lie in a time zone is decided here, also
as Debian's cron does it. An expression whose minute and hour both begin without
a star names times of day: what the clocks skip is made up for right after the
skip, what they show twice counts the first time. Any other goes by the time that
passes: it fires whenever the clocks show what it says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cronsim import CronSim, CronSimError

from oncue.core.problems import nearest
from oncue.core.schedule.offsets import instant_of, moment, offset_at, second_of, stretch_at

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MAX_CHARS: Final = 200
_FIELDS: Final = ("second", "minute", "hour", "day-of-month", "month", "day-of-week")
_EXPECTED: Final = {
    "second": "a second from 0 to 59",
    "minute": "a minute from 0 to 59",
    "hour": "an hour from 0 to 23",
    "day-of-month": "a day of month from 1 to 31 that its months have, 'L' or 'LW'",
    "month": "a month from 1 to 12, or 'JAN' to 'DEC'",
    "day-of-week": "a day of week from 0 to 7, 'SUN' to 'SAT', or such as '5L' and '1#2'",
}
# From 1970 to the year 9900: no time zone reaches beyond the calendar there.
_LAST: Final = 250_246_627_200
# Beyond the difference of any two offsets of a zone.
_DAY_S: Final = 86_400


def check_cron(text: str) -> str:
    """
    Return `text` if it is a cron expression that comes to pass.

    Raises:
        ValueError: it is none.
    """
    if text.startswith("@") and text not in ALIASES:
        expected = f"expected one of {', '.join(ALIASES)}"
        raise ValueError(f"{expected}, got {text[:MAX_CHARS]!r}{nearest(text, ALIASES)}")
    if len(text) > MAX_CHARS:
        raise ValueError(f"expected at most {MAX_CHARS} characters, got {len(text)}")
    fields = ALIASES.get(text, text).split()
    if len(fields) not in (5, 6):
        raise ValueError(
            "expected 5 fields (minute, hour, day of month, month, day of week), "
            f"or 6 with seconds first, got {len(fields)} in {text!r}"
        )
    try:
        first = next(CronSim(" ".join(fields), moment(0)), None)
    except CronSimError as exc:
        name = str(exc).removeprefix("Bad ")
        field = fields[_FIELDS.index(name) - 6]
        raise ValueError(f"expected {_EXPECTED[name]}, got {field!r} in {text!r}") from exc
    if first is None:
        raise ValueError(f"expected a cron that comes to pass, got {text!r}, which never does")
    return text


@dataclass(frozen=True, slots=True)
class Cron:
    """The instants, in milliseconds, that a checked expression names in a time zone."""

    text: str
    zone: str

    def after(self, instant_ms: int) -> Iterator[int]:
        """Yield those after an instant, the first one first."""
        begin = max(instant_ms // 1_000, 0)
        if begin >= _LAST:
            return iter(())
        seconds = self._named_after if self._names_times else self._shown_after
        return (second * 1_000 for second in seconds(begin))

    def upto(self, instant_ms: int) -> Iterator[int]:
        """Yield those up to an instant, the last one first."""
        begin = min(instant_ms // 1_000, _LAST)
        if begin < 0:
            return iter(())
        seconds = self._named_upto if self._names_times else self._shown_upto
        return (second * 1_000 for second in seconds(begin))

    @property
    def _names_times(self) -> bool:
        *_, minute, hour, _, _, _ = self._fields.split()
        return not (minute.startswith("*") or hour.startswith("*"))

    @property
    def _fields(self) -> str:
        return ALIASES.get(self.text, self.text)

    def _named_after(self, second: int) -> Iterator[int]:
        last = second
        for local in self._forward(second + offset_at(self.zone, second)):
            named = instant_of(self.zone, local)
            # Clocks that go back show times that have been; several that they skip are one.
            if named > last:
                yield named
                last = named

    def _named_upto(self, second: int) -> Iterator[int]:
        last = second + 1
        # Clocks that went back show less than what has been.
        for local in self._backward(second + offset_at(self.zone, second) + _DAY_S):
            named = instant_of(self.zone, local)
            if named < last:
                yield named
                last = named

    def _shown_after(self, second: int) -> Iterator[int]:
        while second < _LAST:
            stretch = stretch_at(self.zone, second + 1)
            for local in self._forward(second + stretch.offset):
                shown = local - stretch.offset
                if shown >= stretch.end:
                    break
                yield shown
            else:
                return
            second = stretch.end - 1

    def _shown_upto(self, second: int) -> Iterator[int]:
        while second > 0:
            stretch = stretch_at(self.zone, second)
            for local in self._backward(second + stretch.offset):
                shown = local - stretch.offset
                if shown < stretch.begin:
                    break
                yield shown
            else:
                return
            second = stretch.begin - 1

    def _forward(self, local: int) -> Iterator[int]:
        yield from map(second_of, CronSim(self._fields, moment(local)))

    def _backward(self, local: int) -> Iterator[int]:
        yield from map(second_of, CronSim(self._fields, moment(local + 1), reverse=True))


@dataclass(frozen=True, slots=True)
class Every:
    """The instants, in milliseconds, that lie whole periods after another one."""

    period_ms: int
    anchor_ms: int

    def after(self, instant_ms: int) -> Iterator[int]:
        """Yield those after an instant, the first one first."""
        count = max((instant_ms - self.anchor_ms) // self.period_ms, 0)
        while True:
            count += 1
            yield self.anchor_ms + count * self.period_ms

    def upto(self, instant_ms: int) -> Iterator[int]:
        """Yield those up to an instant, the last one first."""
        last = (instant_ms - self.anchor_ms) // self.period_ms
        return (self.anchor_ms + count * self.period_ms for count in range(last, 0, -1))


Ticks = Cron | Every
