"""What is wrong with a document, in our words: expected against got, with the path."""

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from oncue.core.errors import Problem
from oncue.core.json_text import Json

if TYPE_CHECKING:
    # Whoever asks for a near name alone does not wait for it.
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


def nearest(name: str, known: Collection[str]) -> str:
    """Return `"; did you mean 'x'?"` for the known name nearest to `name`, or nothing."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {str(near[0])!r}?" if near else ""


def join_path(parts: Sequence[str | int]) -> str:
    """
    Return a path as people read it.

    >>> join_path(["steps", 2, "for"])
    'steps[2].for'
    """
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def problems_of(
    error: "ValidationError",
    document: Json,
    *,
    names: Collection[str] = (),
    prefix: str = "",
    counts: Callable[["ErrorDetails"], bool] = lambda _: True,
) -> list[Problem]:
    """
    Return pydantic's findings in our words, those for which `counts` holds.

    `names` are the fields to suggest. Where a value fits none of several shapes,
    what is wrong inside of it says more than that it is not another shape.
    """
    found = {
        _join(prefix, join_path(_steps_in(document, detail))): _message(detail, names)
        for detail in error.errors(include_url=False)
        if counts(detail)
    }
    return [
        Problem(path, message)
        for path, message in found.items()
        if not any(other.startswith((f"{path}.", f"{path}[")) for other in found)
    ]


def _join(prefix: str, inner: str) -> str:
    if prefix and inner:
        return f"{prefix}{inner}" if inner.startswith("[") else f"{prefix}.{inner}"
    return prefix or inner


def _steps_in(document: Json, detail: "ErrorDetails") -> list[str | int]:
    """Return the place of a finding without the names of union members, which no document has."""
    parts: list[str | int] = []
    location = detail["loc"]
    here = document
    may_be_tag = False
    for depth, part in enumerate(location):
        is_absent_field = depth == len(location) - 1 and detail["type"] == "missing"
        if isinstance(part, int) and isinstance(here, list):
            here = here[part] if part < len(here) else None
        elif is_absent_field:
            pass
        elif (
            isinstance(here, Mapping)
            and part in here
            and not (may_be_tag and _is_tag(part, here, location[depth + 1 :], detail))
        ):
            here = here[str(part)]
        else:
            may_be_tag = False
            continue
        may_be_tag = True
        parts.append(part)
    if detail["type"].startswith("union_tag_"):
        parts.append("type")
    return parts


def _is_tag(
    part: str | int, here: Mapping[str, Json], rest: Sequence[str | int], detail: "ErrorDetails"
) -> bool:
    """
    Return whether `part` names the kind of `here`, and no field of it.

    A step of type `action` has a field `action`, too: the tag comes first, and a
    field of the step comes after it.
    """
    is_field_next = not rest or rest[0] in here
    is_field_missing = detail["type"] == "missing" and len(rest) == 1
    return here.get("type") == part and (is_field_next or is_field_missing)


_EXPECTED: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "int_parsing": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
}
_WORDS: Final = {None: "null", True: "true", False: "false"}
_SIZES: Final = {
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
}


def _message(detail: "ErrorDetails", names: Collection[str]) -> str:
    got = detail["input"]
    context = detail.get("ctx", {})
    if words := _EXPECTED.get(detail["type"]):
        bounds = {name: _written(bound) for name, bound in context.items()}
        return f"expected {words.format(**bounds)}, got {_quoted(got)}"
    if size := _SIZES.get(detail["type"]):
        bound, limit, unit = size
        plural = "" if context[limit] == 1 else "s"
        return f"expected {bound} {context[limit]} {unit}{plural}, got {len(got)}"
    match detail["type"]:
        case "missing":
            return "expected a value, got none"
        case "extra_forbidden":
            name = str(detail["loc"][-1])
            # A name that is right elsewhere was not mistyped.
            meant = "" if name in names else nearest(name, names)
            if name == "true" and "on" in names:
                meant = "; did you mean 'on'? YAML 1.1 reads a bare on as true, \"on\" as text"
            return f"expected no such field, got {name!r}{meant}"
        case "union_tag_invalid":
            expected = context["expected_tags"]
            tag = context["tag"]
            known = [name.strip(" '") for name in expected.split(",")]
            return f"expected a type out of {expected}, got {tag!r}{nearest(tag, known)}"
        case "union_tag_not_found":
            return "expected a type, got none"
        case "value_error":
            return str(context["error"])
    expected = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"expected {expected[:1].lower()}{expected[1:]}, got {_quoted(got)}"


def _written(bound: object) -> object:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _quoted(value: object) -> str:
    text = _WORDS.get(value) if value is None or isinstance(value, bool) else None
    text = text or repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
