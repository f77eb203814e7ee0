"""Whether what came of a test is what was expected: data in, findings out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from oncue.core.errors import EvaluationError, MalformedJson
from oncue.core.expression import compile_expression
from oncue.core.expression.values import Duration
from oncue.core.json_text import Json, encode_json, parse_json
from oncue.testing.automation.document import (
    CALL_ROOTS,
    AutomationTest,
    ExpectedCalls,
    ExpectedExecutions,
)
from oncue.testing.vendors.wire import SentCall

# What is found is shown so that a wrong word can be spotted, not in full.
_SHOWN_LINES: Final = 20
_SHOWN_CHARS: Final = 160


@dataclass(frozen=True, slots=True)
class Found:
    """An execution as it stands in the end."""

    workflow: str
    status: str
    output: Json
    error: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test; matches are counted by the name of their pattern."""

    matches: Mapping[str, int]
    executions: Sequence[Found]
    calls: Sequence[SentCall]


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold: its path, expected against got, and what was found."""

    path: str
    message: str
    found: tuple[str, ...] = ()


def judge(test: AutomationTest, outcome: Outcome) -> list[Failure]:
    """Return all expectations of `test` that do not hold."""
    return [
        *_matches(test, outcome),
        *_executions(test, outcome),
        *_calls(test, outcome),
    ]


def _matches(test: AutomationTest, outcome: Outcome) -> Iterator[Failure]:
    for index, expected in enumerate(test.expect.matches):
        got = outcome.matches.get(expected.pattern, 0)
        if got != expected.count:
            wanted = _number(expected.count, "match", "matches")
            message = f"expected {wanted} of {expected.pattern}, got {got}"
            yield Failure(f"expect.matches[{index}]", message)


def _executions(test: AutomationTest, outcome: Outcome) -> Iterator[Failure]:
    for index, expected in enumerate(test.expect.executions):
        those = [found for found in outcome.executions if found.workflow == expected.workflow]
        got = sum(_is_like(found, expected) for found in those)
        if got != expected.count:
            yield Failure(
                f"expect.executions[{index}]",
                f"expected {_wanted_executions(expected)}, got {got}",
                _few(_shown_execution(found) for found in those),
            )


def _is_like(found: Found, expected: ExpectedExecutions) -> bool:
    is_output_asked = "output" in expected.model_fields_set
    return expected.status in (None, found.status) and (
        not is_output_asked or found.output == expected.output
    )


def _wanted_executions(expected: ExpectedExecutions) -> str:
    number = _number(expected.count, "execution", "executions")
    status = f" {expected.status}" if expected.status else ""
    has_output = "output" in expected.model_fields_set
    output = f" with the output {_short(expected.output)}" if has_output else ""
    return f"{number} of {expected.workflow}{status}{output}"


def _shown_execution(found: Found) -> str:
    last = found.error or f"output {_short(found.output)}"
    return f"{found.status}: {last}"


def _calls(test: AutomationTest, outcome: Outcome) -> Iterator[Failure]:
    for index, expected in enumerate(test.expect.calls):
        those = [call for call in outcome.calls if call.vendor == expected.vendor]
        verdicts = [_holds(expected, call, test.start) for call in those]
        got = verdicts.count("yes")
        if got != expected.count:
            where = f" where {expected.where}" if expected.where else ""
            wanted = _number(expected.count, "call", "calls")
            yield Failure(
                f"expect.calls[{index}]",
                f"expected {wanted} of {expected.vendor}{where}, got {got} of {len(those)}",
                _few(
                    f"{verdict}: {_shown_call(call, test.start)}" if expected.where
                    else _shown_call(call, test.start)
                    for call, verdict in zip(those, verdicts, strict=True)
                ),
            )  # fmt: skip


def _holds(expected: ExpectedCalls, call: SentCall, start_ms: int) -> str:
    """Return `yes`, `no`, or why nobody can tell."""
    if expected.where is None:
        return "yes"
    where = compile_expression(expected.where, roots=CALL_ROOTS)
    try:
        holds = where.evaluate({"call": view(call, start_ms)})
    except EvaluationError as exc:
        return f"no ({exc})"
    return "yes" if holds is True else "no"


def view(call: SentCall, start_ms: int) -> dict[str, object]:
    """Return a call as the `where` of an expectation sees it."""
    request = call.request
    parts = urlsplit(request.url)
    content = request.body or b""
    try:
        parsed = parse_json(content)
    except MalformedJson:
        parsed = None
    return {
        "method": request.method,
        "url": request.url,
        "host": parts.hostname or "",
        "path": parts.path,
        "query": {name: values[0] for name, values in parse_qs(parts.query).items()},
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": content.decode("utf-8", "replace"),
        "json": parsed,
        "after": Duration((call.at_ms - start_ms) * 1_000_000),
    }


def _shown_call(call: SentCall, start_ms: int) -> str:
    content = (call.request.body or b"").decode("utf-8", "replace")
    after = _after(call.at_ms - start_ms)
    return f"{after} {call.request.method} {call.request.url} {_cut(content)}".rstrip()


def _after(duration_ms: int) -> str:
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if duration_ms >= size:
            return f"{duration_ms / size:g}{unit}"
    return f"{duration_ms}ms" if duration_ms else "0s"


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _few(lines: Iterator[str]) -> tuple[str, ...]:
    shown = list(lines)
    left = len(shown) - _SHOWN_LINES
    return (*shown[:_SHOWN_LINES], *([f"… and {left} more"] if left > 0 else []))


def _short(value: Json) -> str:
    return _cut(encode_json(value).decode())


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
