"""
An endpoint that speaks OpenAI's chat completions: `POST /v1/chat/completions`, `GET /v1/models`.

It says what it is told to by `say_next`; otherwise it repeats the last message,
or makes up the smallest answer that fits the schema that was asked for.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from oncue.core.json_text import Json, encode_json
from oncue.testing.vendors.orders import Fixed, Refused
from oncue.testing.vendors.simulator import ReceivedCall, Simulator

_REQUESTS_PER_MINUTE: Final = 500
_TOKENS_PER_MINUTE: Final = 200_000


class ModelSimulator(Simulator):
    """A language model that thinks nothing."""

    origin = "https://ai.example.com"
    api_key: Final = "sk-simulated-key"
    model: Final = "simulated-model"

    def __init__(self) -> None:
        super().__init__()
        self._replies: deque[str] = deque()

    @property
    def settings(self) -> Mapping[str, str]:
        """Endpoint, key and model."""
        return {
            "ONCUE_AI_BASE_URL": self.base_url,
            "ONCUE_AI_API_KEY": self.api_key,
            "ONCUE_AI_MODEL": self.model,
        }

    def say_next(self, *replies: str) -> None:
        """Answer the next questions so, each once."""
        self._replies.extend(replies)

    def saying(self, reply: str) -> Fixed:
        """Return the answer to any question that says `reply`."""
        return Fixed(200, _completion(self.model, "", reply, 1))

    @property
    def allowance(self) -> Mapping[str, str]:
        """Requests and tokens in a minute."""
        return _allowance(_REQUESTS_PER_MINUTE - 1)

    def refuse(self, refused: Refused) -> Fixed:
        """Say no by OpenAI's codes."""
        answer = _error(refused.status, *_REFUSALS[refused])
        if refused is Refused.RATE_LIMITED:
            late = {"retry-after": "1", "retry-after-ms": "1000"}
            return replace(answer, headers={**_allowance(0), **late})
        return answer

    def answer(self, call: ReceivedCall) -> Fixed:
        """Answer a question."""
        if call.headers.get("authorization") != f"Bearer {self.api_key}":
            return _error(401, "Incorrect API key provided.", "invalid_api_key")
        match call.method, call.path:
            case "POST", "/v1/chat/completions":
                return self._complete(call)
            case "GET", "/v1/models":
                model: Json = {"id": self.model, "object": "model", "created": 0, "owned_by": "us"}
                return Fixed(200, {"object": "list", "data": [model]})
            case _:
                return _error(404, "Unknown request URL.", "unknown_url")

    def _complete(self, call: ReceivedCall) -> Fixed:
        match call.body:
            case {"model": str(model), "messages": [*_, {"role": str(), "content": str(last)}]}:
                reply = self._replies.popleft() if self._replies else _reply(call.body, last)
                self.effects.append({"model": model, "reply": reply})
                return Fixed(200, _completion(model, last, reply, len(self.effects)))
            case _:
                return _error(400, "Missing required parameter: 'messages'.", "missing_parameter")


_REFUSALS: Final[Mapping[Refused, tuple[str, str]]] = {
    Refused.UNAUTHORIZED: ("Incorrect API key provided.", "invalid_api_key"),
    Refused.FORBIDDEN: (
        "Country, region, or territory not supported",
        "unsupported_country_region_territory",
    ),
    Refused.CONFLICT: ("The resource was updated by another request.", "conflict"),
    Refused.INVALID: ("Unprocessable entity.", "invalid_request"),
    Refused.RATE_LIMITED: ("Rate limit reached for requests", "rate_limit_exceeded"),
    Refused.BROKEN: ("The server had an error.", "server_error"),
    Refused.UNAVAILABLE: ("The engine is currently overloaded.", "server_overloaded"),
}


def _allowance(left: int) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(_REQUESTS_PER_MINUTE),
        "x-ratelimit-limit-tokens": str(_TOKENS_PER_MINUTE),
        "x-ratelimit-remaining-requests": str(left),
        "x-ratelimit-remaining-tokens": str(_TOKENS_PER_MINUTE - 1),
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-reset-tokens": "6ms",
    }


def _completion(model: str, asked: str, reply: str, number: int) -> Json:
    counts = {"prompt_tokens": len(asked.split()), "completion_tokens": len(reply.split())}
    message: Json = {"role": "assistant", "content": reply}
    choice: Json = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
        "usage": {**counts, "total_tokens": sum(counts.values())},
    }


def _reply(body: Json, last: str) -> str:
    match body:
        case {"response_format": {"json_schema": {"schema": Mapping() as schema}}}:
            return encode_json(_smallest(schema)).decode()
        case _:
            return last


def _smallest(schema: Mapping[str, Json]) -> Json:
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"type": "object"}:
            properties = schema.get("properties", {})
            assert isinstance(properties, Mapping)
            return {
                name: _smallest(inner)
                for name, inner in properties.items()
                if isinstance(inner, Mapping)
            }
        case {"type": "array"}:
            return []
        case {"type": "number" | "integer"}:
            return schema.get("minimum", 0)
        case {"type": "boolean"}:
            return False
        case _:
            return ""


def _error(status: int, message: str, code: str) -> Fixed:
    error: Json = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Fixed(status, {"error": error})
