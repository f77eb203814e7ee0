"""
All errors, split by who must act.

    OnCueError
    ├── MalformedJson         the body is not JSON                  → 400
    ├── InvalidInput          the caller must change the request    → 422, with all problems
    ├── NotFound              no such thing in this account         → 404
    ├── Conflict              it changed or exists already          → 409
    ├── Overloaded            try again after `retry_after_s`       → 503
    ├── QuotaExceeded         the account has used what it may      → 429
    ├── NewerFormat           a newer OnCue wrote this folder       → it does not start
    ├── Unverified            its sender is not who may send it     → 401
    ├── UnknownBody           a body that nothing can be made of    → 415
    ├── EvaluationError       an expression met a value it cannot take
    └── ActionError           the outside world said no             → recorded, never an HTTP error
        ├── RetryableError    nothing happened; try again, perhaps after `retry_after_ms`
        ├── PermanentError    never try again
        ├── NotNow            the vendor takes no calls now: nothing was sent, no attempt used up
        └── OutcomeUnknown    it was sent and no answer came: it may have happened

Anything else that escapes is a bug.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class OnCueError(Exception):
    """Whatever OnCue itself refuses or reports."""


class MalformedJson(OnCueError):
    """The body is not JSON as OnCue accepts it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document: `path` like `steps[2].for`, and expected against got."""

    path: str
    message: str


class InvalidInput(OnCueError):
    """A well-formed document that means nothing; carries every problem at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in self.problems))


class NotFound(OnCueError):
    """No such thing in this account."""


class Conflict(OnCueError):
    """It changed meanwhile, or exists already."""


class Overloaded(OnCueError):
    """There is no room for more work now."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class QuotaExceeded(OnCueError):
    """The account has used up what it may."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class NewerFormat(OnCueError):
    """A file has a form that only a newer OnCue knows."""

    def __init__(self, file: str, found: int, known: int) -> None:
        super().__init__(
            f"{file} has format {found}, written by a newer OnCue; this one reads up to {known}"
        )


class Unverified(OnCueError):
    """A request whose sender is not known by what its scheme asks for."""


class UnknownBody(OnCueError):
    """A body of a media type that no data can be made of."""


class EvaluationError(OnCueError):
    """An expression met a value that it cannot take; the message names the path."""


class ActionError(OnCueError):
    """The outside world said no."""


class RetryableError(ActionError):
    """The attempt changed nothing outside; another one may succeed."""

    def __init__(self, message: str, *, retry_after_ms: int | None = None) -> None:
        self.retry_after_ms = retry_after_ms
        super().__init__(message)


class PermanentError(ActionError):
    """Another attempt would fail the same way."""


class NotNow(ActionError):
    """The vendor behind a gate takes no calls before `until_ms`; nothing was sent."""

    def __init__(self, message: str, *, gate: str, until_ms: int) -> None:
        self.gate = gate
        self.until_ms = until_ms
        super().__init__(message)


class OutcomeUnknown(ActionError):
    """The request went out and no answer came back: it may have been carried out."""
