"""Requests that create something, once for each `Idempotency-Key`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.errors import Conflict, InvalidInput, Problem
from oncue.core.ids import digest
from oncue.core.json_text import Json, encode_json
from oncue.ports import Answers, Clock, KeptAnswer, Vault

KEPT_MS: Final = 86_400_000
"""How long an answer is kept."""
MAX_KEY: Final = 512


def once_key(request: Request) -> str | None:
    """
    Return the `Idempotency-Key` of a request, if it has one.

    Raises:
        InvalidInput: it is empty or too long.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= MAX_KEY:
        message = f"expected 1 to {MAX_KEY} characters, got {len(key)}"
        raise InvalidInput([Problem("Idempotency-Key", message)])
    return key


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that tells a secret, and the one without it that is kept for a repeat."""

    answer: Response
    kept: Response


class Once:
    """
    Answers a repeat as the first request with its key.

    A crash between the creation and the keeping of its answer leaves the
    repeat to the resource itself, whose name is taken then.
    """

    def __init__(self, answers: Answers, clock: Clock, vault: Vault) -> None:
        self._answers = answers
        self._clock = clock
        self._vault = vault
        # As long as somebody holds or awaits it.
        self._under_way: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def answer(
        self, account: str, request: Request, body: Json, create: Callable[[], Awaitable[Response]]
    ) -> Response:
        """
        Return what `create` answers, or answered before.

        Raises:
            Conflict: the key came with another request.
        """
        key = once_key(request)
        if key is None:
            return await create()
        place = f"{request.method} {request.url.path} {key}"
        told = digest([encode_json(body).decode()])
        async with self._under_way.setdefault((account, place), asyncio.Lock()):
            since_ms = self._clock.now_ms() - KEPT_MS
            kept = await self._answers.find(account, place, since_ms)
            if kept is None:
                made = await create()
                kept = KeptAnswer(
                    told, made.status_code, dict(made.headers), bytes(made.body), since_ms + KEPT_MS
                )
                await self._answers.keep(account, place, kept, since_ms)
        if kept.digest != told:
            raise Conflict(f"Idempotency-Key {key!r} came with another request before")
        return Response(kept.body, kept.status, kept.headers)

    async def answer_sealed(
        self, account: str, request: Request, body: Json, create: Callable[[], Awaitable[Response]]
    ) -> Response:
        """
        Answer as `answer` does, a body that holds secrets: nobody should guess them by what is kept.

        Raises:
            Conflict: the key came with another request.
        """
        told = self._vault.fingerprint(account, encode_json(body))
        return await self.answer(account, request, told, create)

    async def answer_told(
        self, account: str, request: Request, body: Json, create: Callable[[], Awaitable[Told]]
    ) -> Response:
        """
        Answer as `answer_sealed` does, but tell what is secret in the answer only once.

        Raises:
            Conflict: the key came with another request.
        """
        first: list[Response] = []

        async def create_kept() -> Response:
            told = await create()
            first.append(told.answer)
            return told.kept

        kept = await self.answer_sealed(account, request, body, create_kept)
        return first[0] if first else kept
