"""Cases of CEL's official suite: an expression, values by name, and what it gives."""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from oncue.core.errors import EvaluationError
from oncue.core.expression.checker import Names
from oncue.core.expression.excerpts import SourceError
from oncue.core.expression.expression import compile_source
from oncue.core.expression.moments import (
    format_duration,
    format_timestamp,
    parse_duration,
    parse_timestamp,
)
from oncue.core.expression.values import (
    CelType,
    Duration,
    OptionalValue,
    Timestamp,
    Uint,
    from_key,
    to_key,
)
from oncue.core.json_text import Json
from tests.conformance.cases import Result, Verdict, Way, list_of, object_of, text_of

FORMAT: Final = "cel-cases/1"


def judge(case: Mapping[str, Json], _: Mapping[str, Json] | None) -> Result:
    """Return what an expression gives, against what the suite expects of it."""
    values = {name: read(object_of(value)) for name, value in object_of(case["bindings"]).items()}
    names = Names(
        values,
        container=text_of(case.get("container", "")),
        is_checked=not case.get("disable_check"),
    )
    id_ = text_of(case["id"])
    actual: Json
    found: object = None
    error = ""
    try:
        found = compile_source(text_of(case["expr"]), names).evaluate(values)
        actual = written(found)
    except (SourceError, EvaluationError) as exc:
        error = str(exc)
        actual = {"error": error}
    if "expected" not in case or "error" not in case:
        return Result(id_, Verdict.UNJUDGED, actual=actual, way=Way.PUBLIC)
    if case["error"]:
        is_right = bool(error)
    else:
        is_right = not error and is_same(found, read(object_of(case["expected"])))
    verdict = Verdict.PASSED if is_right else Verdict.FAILED
    reason = "" if is_right else f"expected {case['expected']}, got {actual}"
    return Result(id_, verdict, reason, actual, Way.PUBLIC)


def read(tagged: Mapping[str, Json]) -> object:
    """Return the value that a case spells with its tag."""
    ((tag, value),) = tagged.items()
    return _READERS[tag](value)


_READERS: Final[Mapping[str, Callable[[Json], object]]] = {
    "null": lambda _: None,
    "bool": bool,
    "int": lambda text: int(text_of(text)),
    "uint": lambda text: Uint(text_of(text)),
    "double": lambda number: float(number),  # type: ignore[arg-type] # a number or its name
    "string": text_of,
    "bytes": lambda text: base64.b64decode(text_of(text)),
    "list": lambda items: [read(object_of(item)) for item in list_of(items)],
    "map": lambda pairs: {
        to_key(read(object_of(key))): read(object_of(value))
        for key, value in map(list_of, list_of(pairs))
    },
    "timestamp": lambda text: parse_timestamp(text_of(text)),
    "duration": lambda text: parse_duration(text_of(text)),
    "type": lambda name: CelType(text_of(name)),
}


def written(value: object) -> Json:
    """Return a value with its tag, as cases spell it."""
    match value:
        case None:
            return {"null": True}
        case bool() | str():
            return {"bool" if isinstance(value, bool) else "string": value}
        case Uint() | int():
            return {"uint" if isinstance(value, Uint) else "int": str(int(value))}
        case float():
            return {"double": value if math.isfinite(value) else _name(value)}
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case list():
            return {"list": [written(item) for item in value]}
        case dict():
            return {"map": [[written(from_key(key)), written(v)] for key, v in value.items()]}
    return _written_of_cel(value)


def _written_of_cel(value: object) -> Json:
    match value:
        case Timestamp():
            return {"timestamp": format_timestamp(value)}
        case Duration():
            return {"duration": format_duration(value)}
        case CelType():
            return {"type": value.name}
        case OptionalValue():
            return {"optional": written(value.content) if value.is_present else None}
    return {"unknown": repr(value)}


def _name(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def is_same(one: object, other: object) -> bool:
    """Return whether two values are the same, without Python's `1 == 1.0 == True`."""
    if one.__class__ is not other.__class__:
        return False
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))  # type: ignore[arg-type] # of one class
    if isinstance(one, list) and isinstance(other, Sequence):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    return one == other
