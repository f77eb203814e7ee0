"""
What an action declares about itself, and what one attempt of it is given.

An action is a value: validation, docs, forms and `GET /actions` are read off
it. It does no I/O of its own: everything outside goes through `Call.send`,
`Call.query` and `Call.deliver`, which guard addresses and limit sizes and times.
What the account keeps with us is reached through `Call.store`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from oncue.core.errors import PermanentError
from oncue.core.event import IncomingEvent
from oncue.core.json_text import Json
from oncue.core.key_values import Count, Entry, Slot, Terms
from oncue.core.mail import Mail
from oncue.core.objects import StoredObject
from oncue.core.statements import Rows, Statement


class Idempotency(StrEnum):
    """How a repeated attempt is kept from acting twice."""

    NATIVE_KEY = "native_key"
    """The vendor takes an idempotency key."""
    CLIENT_ID = "client_id"
    """We choose the id of the thing made; a second one with it is refused."""
    UPSERT = "upsert"
    """Written by a unique property: a repeat finds the first."""
    PROBE = "probe"
    """The vendor can be asked whether the first attempt arrived."""
    NONE = "none"
    """Nothing keeps a repeat from acting twice."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """
    One outgoing request; `body` is already encoded and `headers` are complete.

    Where `is_encoded`, the URL is sent character for character, as signatures need it.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout_ms: int = 30_000
    is_encoded: bool = False


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[HttpRequest], Awaitable[HttpAnswer]]
Query = Callable[[str, Statement], Awaitable[Rows]]
"""Runs a statement on the database at a URL."""
Deliver = Callable[[str, Mail], Awaitable[None]]
"""Hands an e-mail to the server at a URL; returns once the server answers for it."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out of the machine; each checks the addresses that it connects to."""

    send: Send
    query: Query
    deliver: Deliver


@dataclass(frozen=True, slots=True)
class AccountStore:
    """
    What the account of a call keeps with us, and nobody else's.

    `get` and the three after it are those of `KeyValues`, `query` and the last two those
    of `Files`; an event that was appended before is not appended again; `events` answers
    a question over the stored ones.
    """

    get: Callable[[Slot], Awaitable[Entry | None]]
    set: Callable[[Slot, Json, Terms], Awaitable[int]]
    increment: Callable[[Slot, float, Terms], Awaitable[Count]]
    delete: Callable[[Slot, Terms], Awaitable[bool]]
    append: Callable[[IncomingEvent], Awaitable[None]]
    query: Callable[[Statement], Awaitable[Rows]]
    events: Callable[[Statement], Awaitable[Rows]]
    put_object: Callable[[str, bytes, str], Awaitable[str]]
    get_object: Callable[[str], Awaitable[StoredObject | None]]


@dataclass(frozen=True, slots=True)
class Origin:
    """
    The execution that a call belongs to.

    `depth` counts the executions before it in a chain where each was started
    by an event of the one before; one that was started from outside has 0.
    A step that waits for its vendor since `waits_since_ms` for too long is not
    patient any more: it tries.
    """

    execution_id: str
    depth: int
    path: str = ""
    waits_since_ms: int | None = None
    is_patient: bool = True


InputT = TypeVar("InputT", bound=BaseModel)
GivenT = TypeVar("GivenT", bound=BaseModel, covariant=True)


@dataclass(frozen=True, slots=True)
class Call(Generic[GivenT]):
    """
    One attempt of one step.

    `idempotency_key` is the same for every attempt of a step. `is_repeat` says
    that an earlier attempt may have been carried out although no answer came.
    `credentials` are those of the action's integration, already decrypted.
    `ways` lead out of the machine; `send`, `query` and `deliver` are theirs. Without an `origin` no execution asks, but somebody who tries the action.
    """

    account: str
    input: GivenT
    idempotency_key: str
    credentials: Mapping[str, str]
    ways: Ways
    store: AccountStore
    now_ms: int
    is_repeat: bool = False
    origin: Origin | None = None

    @property
    def send(self) -> Send:
        """What sends a request, and returns its answer."""
        return self.ways.send

    @property
    def query(self) -> Query:
        """What runs a statement on the database at a URL."""
        return self.ways.query

    @property
    def deliver(self) -> Deliver:
        """What hands an e-mail to the server at a URL."""
        return self.ways.deliver


@dataclass(frozen=True, slots=True)
class Need:
    """A credential with which an action can go, and the setting that gives it, if one does."""

    credential: str
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Action(Generic[InputT]):
    """
    One operation that a step can perform.

    `perform` returns the step's output. It raises `RetryableError` when nothing
    happened, `PermanentError` when no attempt can succeed, and lets
    `OutcomeUnknown` of `Call.send` pass. `is_harmless_to_repeat` decides what
    follows an unknown outcome where nothing keeps a repeat from acting twice.
    Of `needs` one is enough. `is_safe_with` says of a step's input, templates and
    all, whether the declared class holds for it; without it, it always does.
    `key_lives_ms` is how long the vendor remembers an idempotency key, if not for good.
    An `obstacle` keeps it from going in this installation, whatever its connection.
    A `package` brings it, unless it is one of OnCue's own.
    all, whether the declared class holds for it; without it, it always does. One that
    keeps its input, or gives it back, takes no secrets of the account.
    """

    name: str
    summary: str
    integration: str
    category: str
    input: type[InputT]
    output: type[BaseModel]
    idempotency: Idempotency
    example: Mapping[str, Json]
    perform: Callable[[Call[InputT]], Awaitable[Json]]
    is_harmless_to_repeat: bool = False
    needs: tuple[Need, ...] = ()
    is_safe_with: Callable[[Mapping[str, Json]], bool] | None = None
    obstacle: str | None = None
    package: str | None = None
    takes_secrets: bool = True
    key_lives_ms: int | None = None

    def may_repeat(self, document: Json) -> bool:
        """Return whether an attempt whose outcome is unknown is repeated unless a step says other."""
        if self.is_harmless_to_repeat:
            return True
        if self.is_safe_with and isinstance(document, Mapping):
            return self.is_safe_with(document)
        return self.idempotency is not Idempotency.NONE

    def is_ready(self, credentials: Mapping[str, str]) -> bool:
        """Return whether these credentials suffice: any one need that is met does."""
        return not self.needs or any(need.credential in credentials for need in self.needs)

    @property
    def remedy(self) -> str:
        """The settings of which one makes it go; empty where only a connection does."""
        return " or ".join(need.setting for need in self.needs if need.setting)


AnyAction = Action[Any]


ABSENT: Final = "absent"
"""The integration of actions that are not here."""


class Anything(BaseModel):
    """Whatever it is given."""

    model_config = ConfigDict(extra="allow")


def _fail(call: Call[Anything]) -> Awaitable[Json]:  # noqa: ARG001 as all actions
    raise PermanentError("the action is not installed")


def absent(name: str) -> AnyAction:
    """
    Return what stands for an action that this installation does not have.

    Workflows that were saved with it can be read, disabled and mended; a call fails.
    """
    return Action(
        name=name,
        summary="Not installed.",
        integration=ABSENT,
        category=ABSENT,
        input=Anything,
        output=Anything,
        idempotency=Idempotency.NONE,
        example={},
        perform=_fail,
        obstacle=f"no action {name!r} here: its package is not installed, or was left out",
    )
