"""Anomalies in the matcher: with order, time and cooldown, as users have them."""

from collections.abc import Iterable

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.watch import Finding
from tests.make import make_event

SECOND = 1_000
MINUTE = 60 * SECOND


def matcher_of(**pattern: Json) -> Matcher:
    document = {"type": "anomaly", "event": "request", "value": "event.data.ms"} | pattern
    parsed = parse_pattern({"name": "slow", "pattern": document})
    matcher = Matcher()
    matcher.put(parsed.named("pat_1", 1, 1, None), 0)
    return matcher


def request(offset: int, value: float, at_ms: int | None = None, **changes: object) -> Event:
    time_ms = offset * SECOND if at_ms is None else at_ms
    fields: dict[str, object] = {"offset": offset, "id": str(offset), "type": "request"}
    fields |= {"time_ms": time_ms, "received_at_ms": offset * SECOND, "data": {"ms": value}}
    return make_event(**(fields | changes))


def findings_of(matcher: Matcher, events: Iterable[Event]) -> list[Finding]:
    return [finding for event in events for finding in matcher.fold(event)]


def summary(findings: Iterable[Finding]) -> list[tuple[int, int, int | None]]:
    return [(each.hit.time_ms // SECOND, each.suppressed, each.number) for each in findings]


def test_the_default_learns_300_values_and_is_quiet_for_200() -> None:
    spikes = {150, 400, 410, 600, 601}
    events = [request(n, 900 if n in spikes else 20 + n % 3) for n in range(700)]

    assert summary(findings_of(matcher_of(), events)) == [(400, 0, 1), (601, 2, 2)]


def test_a_level_that_stays_far_matches_again_when_the_cooldown_has_passed() -> None:
    events = [request(n, 20 + n % 3 if n < 10 else 900) for n in range(60)]
    matcher = matcher_of(min_samples=10, learn="freeze", cooldown="4s")

    assert summary(findings_of(matcher, events)) == [(10, 0, 1), (14, 0, 2), (18, 0, 3)]


def test_what_waits_behind_the_watermark_is_learnt_in_the_order_of_time() -> None:
    values = [20 + n * 7 % 5 for n in range(40)]
    values[35] = 500
    shuffled = [n ^ 1 for n in range(40)]
    sorted_ = [request(n, values[n]) for n in range(40)]
    jittered = [request(offset, values[n], at_ms=n * SECOND) for offset, n in enumerate(shuffled)]
    late = request(200, 20)

    found = [
        findings_of(
            matcher_of(min_samples=20, half_life="10s", watermark={"delay": "5s"}), [*events, late]
        )
        for events in (sorted_, jittered)
    ]
    assert [each.hit.values for each in found[0]] == [each.hit.values for each in found[1]]
    assert summary(found[0]) == summary(found[1]) == [(35, 0, 1)]


def test_silence_is_found_when_time_goes_on() -> None:
    matcher = matcher_of(value={"measure": "count", "window": "1m"}, min_samples=5)
    findings_of(matcher, (request(n, 20) for n in range(0, 600, 10)))
    (finding,) = findings_of(matcher, [request(0, 0, received_at_ms=800 * SECOND, type="other")])

    assert finding.hit.window == (10 * MINUTE, 11 * MINUTE)
    assert finding.hit.values["actual"] == 0.0
    assert finding.hit.event_count == 0
