"""Access tokens of OAuth 2, fetched with refresh tokens (RFC 6749 §6), each once while it lasts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from weakref import WeakValueDictionary

from oncue.core.action import HttpAnswer, HttpRequest, Send
from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.http_answer import error_object, retry_after_ms
from oncue.ports import Clock

_PATIENCE_MS: Final = 10_000
_USUAL_S: Final = 3_600
_LONGEST_S: Final = 86_400
# Nobody should find a token expired on its way.
_MARGIN_MS: Final = 60_000
# RFC 6749 §5.2; whatever else a vendor says may repeat what it was sent.
_ERRORS: Final = frozenset(
    (
        *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"),
        *("unsupported_grant_type", "invalid_scope"),
    )
)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    until_ms: int


class AccessTokens:
    """The tokens at hand, by what they were fetched for."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._tokens: dict[str, _Token] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def token(self, key: str, values: Mapping[str, str]) -> str:
        """
        Return an access token; whoever asks meanwhile waits for the same one.

        Raises:
            ActionError: the vendor gives none. No secret stands in its words.
        """
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._tokens.get(key)
            if known is None or known.until_ms <= self._clock.now_ms():
                known = self._tokens[key] = await self._fetch(values)
            return known.text

    def drop(self, key: str) -> bool:
        """Return whether a token was at hand, which now is not: its vendor refused it."""
        return self._tokens.pop(key, None) is not None

    async def _fetch(self, values: Mapping[str, str]) -> _Token:
        form = {
            "grant_type": "refresh_token",
            **{name: values[name] for name in ("client_id", "client_secret", "refresh_token")},
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = HttpRequest(
            "POST", values["token_url"], headers, urlencode(form).encode(), _PATIENCE_MS
        )
        asked_ms = self._clock.now_ms()
        try:
            answer = await self._send(request)
        except OutcomeUnknown as exc:
            # A second token does no harm; the action itself was not called yet.
            raise RetryableError(f"no access token: {exc}") from exc
        body = error_object(answer)
        token, lasts_s = body.get("access_token"), body.get("expires_in", _USUAL_S)
        if answer.status != 200 or not isinstance(token, str) or not token:
            raise _refusal(answer)
        known_s = lasts_s if isinstance(lasts_s, int) else _USUAL_S
        lasts_ms = min(max(known_s, 0), _LONGEST_S) * 1_000
        return _Token(token, asked_ms + lasts_ms - min(_MARGIN_MS, lasts_ms // 2))


def _refusal(answer: HttpAnswer) -> ActionError:
    error = error_object(answer).get("error")
    code = f" ({error})" if error in _ERRORS else ""
    message = f"no access token: the vendor answered {answer.status}{code}"
    if answer.status == 429 or answer.status >= 500:
        return RetryableError(message, retry_after_ms=retry_after_ms(answer))
    return PermanentError(message)
