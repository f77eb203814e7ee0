"""What a case comes to: what the engine gave, whether that was expected, and which way it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from oncue.core.json_text import Json


class Way(StrEnum):
    """How a case is put to the engine."""

    PUBLIC = "public JSON"
    OPERATOR = "operator"


class Verdict(StrEnum):
    """What came of a case; one without an expectation is not judged."""

    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"
    UNJUDGED = "unjudged"


class Unsupported(Exception):
    """A construct that the engine does not have; the message names it."""


@dataclass(frozen=True)
class Result:
    """What a case came to; `difference` names what the engines do differently by design."""

    id: str
    verdict: Verdict
    reason: str = ""
    actual: Json = None
    way: Way | None = None
    difference: str = ""


def text_of(value: Json) -> str:
    assert isinstance(value, str)
    return value


def number_of(value: Json) -> int:
    assert isinstance(value, int)
    return value


def object_of(value: Json) -> Mapping[str, Json]:
    assert isinstance(value, Mapping)
    return value


def list_of(value: Json) -> Sequence[Json]:
    assert isinstance(value, Sequence)
    return value


def objects_of(value: Json) -> list[Mapping[str, Json]]:
    return [object_of(each) for each in list_of(value)]
