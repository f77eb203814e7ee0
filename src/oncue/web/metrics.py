"""`/metrics`: numbers of the whole machine in Prometheus' text format."""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oncue import __version__
from oncue.web.context import Context
from oncue.web.endpoint import OPEN, Endpoint, Gives

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts requests, and shows these and the engine's numbers; no account is named in them."""

    def __init__(self, context: Context) -> None:
        self._engine = context.engine
        self._archiving = context.world.archiving
        self._requests: Counter[tuple[str, int]] = Counter()
        self._durations = [0] * (len(_BUCKETS_S) + 1)
        self._seconds = 0.0

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [Endpoint("GET /metrics", self.show, OPEN, Gives("Metrics", media_type=_TEXT))]

    async def show(self, _: Request) -> Response:
        """Return what Prometheus reads."""
        # Imported late: whoever is not watched does not wait for it.
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(self)
        return Response(generate_latest(registry), media_type=_TEXT)

    def counting(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, its requests counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            elapsed = asyncio.get_running_loop().time
            began = elapsed()
            status = 500

            async def noting(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, noting)
            finally:
                seconds = elapsed() - began
                self._requests[scope["method"], status] += 1
                self._durations[bisect_left(_BUCKETS_S, seconds)] += 1
                self._seconds += seconds

        return counted

    def collect(self) -> Iterator["Metric"]:
        """Yield all numbers, for `prometheus_client`."""
        from prometheus_client.metrics_core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
            InfoMetricFamily,
        )

        numbers = self._engine.numbers()
        archived, trouble = self._archiving.archived(), self._archiving.trouble
        newest_s = (archived.newest_ms or 0) // 1_000
        failing_since_s = trouble.since_ms // 1_000 if trouble else 0
        yield InfoMetricFamily("oncue", "What runs.", {"version": __version__})
        for name, told, count in (
            ("oncue_events_accepted", "Events accepted.", numbers.events),
            ("oncue_events_duplicate", "Events that were there already.", numbers.duplicates),
            ("oncue_matches", "Matches of all patterns.", numbers.matches),
            ("oncue_patterns_paused", "Patterns paused for failing.", numbers.paused),
            ("oncue_executions_started", "Executions begun.", numbers.started),
            ("oncue_events_emitted", "Events that OnCue emitted itself.", numbers.emitted),
            ("oncue_loops_cut", "Matches that ended a loop of executions.", numbers.loops),
            ("oncue_schedules_fired", "Times that schedules fired.", numbers.fired),
            (
                "oncue_schedules_missed",
                "Times that they could not, and never will.",
                numbers.missed,
            ),
        ):
            yield CounterMetricFamily(name, told, value=count)
        polls = CounterMetricFamily(
            "oncue_polls", "Queries of patterns, by what came of them.", labels=["outcome"]
        )
        for outcome in ("polled", "failed", "missed"):
            polls.add_metric([outcome], numbers.polls[outcome])
        yield polls
        ended = CounterMetricFamily(
            "oncue_executions_ended", "Executions ended.", labels=["status"]
        )
        for status, count in numbers.ended.items():
            ended.add_metric([status], count)
        yield ended
        labels = ["action", "outcome"]
        attempts = CounterMetricFamily("oncue_attempts", "Calls of actions.", labels=labels)
        for key, count in numbers.attempts.items():
            attempts.add_metric(key, count)
        yield attempts
        dead = CounterMetricFamily("oncue_dead_letters", "Dead letters.", labels=["queue"])
        for queue, count in numbers.dead.items():
            dead.add_metric([queue], count)
        yield dead
        for name, told, count in (
            (
                "oncue_events_unmatched",
                "Records that patterns have not seen yet.",
                numbers.unmatched,
            ),
            ("oncue_executions_live", "Executions at work.", numbers.live),
            ("oncue_executions_ready", "Executions that wait for their turn.", numbers.ready),
            ("oncue_timers", "Instants that executions wait for.", numbers.timers),
            ("oncue_steps_parked", "Steps that wait for a vendor's limit.", numbers.parked),
            ("oncue_circuits_open", "Vendors that do not answer.", numbers.circuits_open),
            ("oncue_archive_bytes", "Bytes of the archive's files.", archived.size),
            ("oncue_archive_files", "Files of the archive.", archived.files),
            ("oncue_archive_missing", "Files that it lacks.", archived.missing),
            ("oncue_archive_events", "Events in the archive.", archived.events),
            (
                "oncue_archive_newest_timestamp_seconds",
                "When the newest archived record arrived.",
                newest_s,
            ),
            (
                "oncue_archive_waiting",
                "Records that are due to be archived, and are not yet.",
                archived.waiting,
            ),
            (
                "oncue_archive_failing_since_timestamp_seconds",
                "Since when the archive takes nothing; 0 if it does.",
                failing_since_s,
            ),
        ):
            yield GaugeMetricFamily(name, told, value=count)
        requests = CounterMetricFamily(
            "oncue_http_requests", "Requests answered.", labels=["method", "status"]
        )
        for (method, status_code), count in self._requests.items():
            requests.add_metric([method, str(status_code)], count)
        yield requests
        yield HistogramMetricFamily(
            "oncue_http_request_duration_seconds",
            "From the head of a request to the end of its answer.",
            buckets=[*self._buckets()],
            sum_value=self._seconds,
        )

    def _buckets(self) -> Iterator[tuple[str, float]]:
        total = 0
        for bound, count in zip((*map(str, _BUCKETS_S), "+Inf"), self._durations, strict=True):
            total += count
            yield bound, total
