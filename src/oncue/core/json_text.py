"""
JSON as OnCue accepts it (RFC 8259 as narrowed by I-JSON, RFC 7493).

A value that got in can always be written out again as the same value: no
NaN, no infinity, no lone surrogates, no member given twice, no nesting that
could exhaust a reader further down.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from oncue.core.errors import MalformedJson

if TYPE_CHECKING:
    Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
else:
    # msgspec and pydantic read annotations, and neither reads a recursive alias.
    Json = Any

MAX_DEPTH = 64


def parse_json(body: bytes) -> Json:
    """
    Return the value that `body` spells.

    Raises:
        MalformedJson: not JSON, not UTF-8, a member given twice, or nested too deep.
    """
    try:
        value: Json = msgspec.json.decode(body)
    except UnicodeDecodeError as exc:
        raise MalformedJson(f"expected UTF-8, got byte 0x{exc.object[exc.start]:02x}") from exc
    except RecursionError as exc:
        raise MalformedJson(f"expected at most {MAX_DEPTH} levels of nesting") from exc
    except (msgspec.MsgspecError, ValueError) as exc:
        raise MalformedJson(f"expected JSON, got something else: {exc}") from exc
    # Brackets inside strings only make the cheap test over-cautious.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise MalformedJson(f"expected at most {MAX_DEPTH} levels of nesting")
    if b"{" in body:
        # msgspec keeps the last of two equal members without a word.
        json.loads(body, object_pairs_hook=_refuse_repeats)
    return value


def encode_json(value: object) -> bytes:
    """Return `value` as compact JSON."""
    return msgspec.json.encode(value)


def _refuse_repeats(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) > 1 and len(dict(pairs)) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise MalformedJson(f"expected each member once, got {name!r} twice")
            seen.add(name)


def _depth(value: Json) -> int:
    deepest = 0
    stack: list[tuple[Json, int]] = [(value, 1)]
    while stack:
        inner, depth = stack.pop()
        if isinstance(inner, Mapping):
            deepest = max(deepest, depth)
            stack.extend((child, depth + 1) for child in inner.values())
        elif isinstance(inner, list):
            deepest = max(deepest, depth)
            stack.extend((child, depth + 1) for child in inner)
    return deepest
