"""What a simulated vendor can be told to do with calls: once each, or by chance with each."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from http import HTTPStatus
from itertools import count
from typing import Annotated, Final, Literal, Self, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from oncue.core.documents import Document, DurationMs
from oncue.core.errors import InvalidInput
from oncue.core.ids import digest
from oncue.core.json_text import Json
from oncue.core.problems import problems_of


@dataclass(frozen=True, slots=True)
class Fixed:
    """An answer given without doing anything."""

    status: int
    body: Json | bytes = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Lost(Enum):
    """The connection ends without an answer."""

    BEFORE = "before"
    AFTER = "after"


DROP: Final = Lost.BEFORE
"""Nothing is done, and the connection ends."""
LOSE_ANSWER: Final = Lost.AFTER
"""What was asked is done, and the connection ends before the answer."""


class Refused(StrEnum):
    """Nothing is done, and the vendor says so with the status and the words that are its own."""

    UNAUTHORIZED = "unauthorized"
    """It does not know the key: 401."""
    FORBIDDEN = "forbidden"
    """It knows who asks, who may not: 403."""
    CONFLICT = "conflict"
    """Something is in the way: 409."""
    INVALID = "invalid"
    """What was asked makes no sense to it: 422, with many vendors 400."""
    RATE_LIMITED = "rate_limited"
    """It was asked too often: 429, with its headers."""
    BROKEN = "broken"
    """A bug of its own: 500."""
    UNAVAILABLE = "unavailable"
    """It is not there for a while: 503."""

    @property
    def status(self) -> HTTPStatus:
        """What HTTP has for it."""
        return _STATUSES[self]


_STATUSES: Final = {
    Refused.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    Refused.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Refused.CONFLICT: HTTPStatus.CONFLICT,
    Refused.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refused.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    Refused.BROKEN: HTTPStatus.INTERNAL_SERVER_ERROR,
    Refused.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Slow:
    """What was asked is done, and the answer comes so late."""

    duration_ms: int


class Held:
    """An answer that waits: `await arrived()`, look, then `release()`."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()

    async def arrived(self) -> None:
        """Return when the request is there."""
        await self._arrived.wait()

    def release(self) -> None:
        """Let the request be carried out and answered."""
        self._released.set()

    async def hold(self) -> None:
        """Return when released."""
        self._arrived.set()
        await self._released.wait()


OnOrder: TypeAlias = Fixed | Lost | Refused | Slow | Held | None
"""None: as usual."""

USUAL_FAULTS: Final = (Refused.RATE_LIMITED, Refused.UNAVAILABLE, DROP, LOSE_ANSWER)
"""What happens to everybody in the end."""


@dataclass(slots=True)
class Faults:
    """Of each call it is left to chance, by `rate`, whether it goes wrong; the same for a seed."""

    rate: float
    seed: str = ""
    kinds: Sequence[OnOrder] = USUAL_FAULTS
    _next: Callable[[], int] = field(default_factory=lambda: count().__next__)

    def draw(self) -> OnOrder:
        """Return what becomes of the next call."""
        drawn = digest([self.seed, self._next()])
        if int(drawn[:8], 16) >= self.rate * 2**32:
            return None
        return self.kinds[int(drawn[8:16], 16) % len(self.kinds)]


ParsedT = TypeVar("ParsedT")

_LONGEST_MS: Final = 600_000

_Late = Annotated[DurationMs, Field(gt=0, le=_LONGEST_MS)]


class OrderDocument(Document):
    """One answer as it is ordered over HTTP."""

    status: int | None = Field(default=None, ge=200, le=599)
    headers: dict[str, str | int | float] = Field(default_factory=dict)
    body: Json = ""
    lost: Literal["before", "after"] | None = None
    refused: Refused | None = None
    slow: _Late | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in ("status", "lost", "refused", "slow") if getattr(self, name)]
        if len(given) != 1:
            got = " and ".join(given) or "none"
            raise ValueError(f"expected one of status, lost, refused and slow, got {got}")
        return self

    @property
    def order(self) -> OnOrder:
        """What it means."""
        if self.status is not None:
            named = {name: str(value) for name, value in self.headers.items()}
            return Fixed(self.status, self.body, named)
        if self.slow is not None:
            return Slow(self.slow)
        return Lost(self.lost) if self.lost else self.refused


class FaultsDocument(Document):
    """Chance as it is ordered over HTTP."""

    rate: float = Field(ge=0, le=1)
    seed: str = ""
    of: list[OrderDocument] | None = Field(default=None, min_length=1)

    @property
    def faults(self) -> Faults:
        """What it means."""
        kinds = [one.order for one in self.of] if self.of else USUAL_FAULTS
        return Faults(self.rate, self.seed, kinds)


_ORDERS: Final[TypeAdapter[list[OrderDocument | None]]] = TypeAdapter(list[OrderDocument | None])
_FAULTS: Final = TypeAdapter(FaultsDocument)
_NAMES: Final = (*OrderDocument.model_fields, *FaultsDocument.model_fields)


def parse_orders(document: Json) -> list[OnOrder]:
    """
    Return answers in their order; null is as usual.

    Raises:
        InvalidInput: with all that is wrong.
    """
    return [one.order if one else None for one in _parsed(_ORDERS, document)]


def parse_faults(document: Json) -> Faults:
    """
    Return what is left to chance from now on.

    Raises:
        InvalidInput: with all that is wrong.
    """
    return _parsed(_FAULTS, document).faults


def _parsed(model: TypeAdapter[ParsedT], document: Json) -> ParsedT:
    try:
        return model.validate_python(document)
    except ValidationError as exc:
        raise InvalidInput(problems_of(exc, document, names=_NAMES)) from exc
