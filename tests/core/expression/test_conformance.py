"""Google's official suite for CEL, as far as values look like JSON."""

import base64
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import EvaluationError
from oncue.core.expression.checker import Names
from oncue.core.expression.excerpts import SourceError
from oncue.core.expression.expression import compile_source
from oncue.core.expression.moments import parse_duration, parse_timestamp
from oncue.core.expression.values import CelType, Uint, to_key

CASES = Path(__file__).parents[4] / "shared" / "cases" / "cel"


def _cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.json")):
        for case in json.loads(file.read_text())["cases"]:
            yield pytest.param(case, id=case["id"])


@pytest.mark.skipif(not CASES.is_dir(), reason="the conformance cases are not on this machine")
@pytest.mark.parametrize("case", [*_cases()])
def test_official_case(case: dict[str, Any]) -> None:
    values = {name: _read(value) for name, value in case["bindings"].items()}
    names = Names(values, container=case["container"], is_checked=not case["disable_check"])

    if case["error"]:
        with pytest.raises((SourceError, EvaluationError)):
            compile_source(case["expr"], names).evaluate(values)
    else:
        found = compile_source(case["expr"], names).evaluate(values)
        assert _is_same(found, _read(case["expected"])), found


def _read(tagged: dict[str, Any]) -> Any:
    ((tag, value),) = tagged.items()
    return _READERS[tag](value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "null": lambda _: None,
    "bool": bool,
    "int": int,
    "uint": Uint,
    "double": float,
    "string": str,
    "bytes": base64.b64decode,
    "list": lambda items: [_read(item) for item in items],
    "map": lambda pairs: {to_key(_read(key)): _read(inner) for key, inner in pairs},
    "timestamp": parse_timestamp,
    "duration": parse_duration,
    "type": CelType,
}


def _is_same(one: Any, other: Any) -> bool:
    """Compare without Python's `1 == 1.0 == True`."""
    if one.__class__ is not other.__class__:
        return False
    match one:
        case float():
            return one == other or (math.isnan(one) and math.isnan(other))
        case list():
            return len(one) == len(other) and all(map(_is_same, one, other))
        case dict():
            return one.keys() == other.keys() and all(_is_same(one[k], other[k]) for k in one)
    return bool(one == other)
