"""
Steps into values: fields, elements, members; and what is said where there are none.

Generated code takes the short way (`value["field"]`) and comes here when that
raises, so these functions say what went wrong. A step into an optional gives an
optional (CEL's optional values, "Field Selection").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from oncue.core.errors import EvaluationError
from oncue.core.expression.budget import OverBudget
from oncue.core.expression.comparison import KEYS, NUMBERS, find_key
from oncue.core.expression.values import ABSENT, Kind, OptionalValue, from_key, kind_of

FAULTS = (KeyError, TypeError)
"""What the short way raises."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What is bound to a name where the value could not be had: an error at each use of it."""

    error: EvaluationError

    def fail(self) -> NoReturn:
        """Raise the error."""
        raise self.error.with_traceback(None)


def given(values: Mapping[str, object], name: str) -> object:
    """Return the value of a root. Raises: EvaluationError where the caller gave none."""
    if name in values:
        return values[name]
    raise EvaluationError(f"{name}: not known here")


def seek(values: Mapping[str, object], root: str, names: Sequence[str]) -> object:
    """
    Return what is found under a root and one name after the other.

    Raises:
        EvaluationError: no such root or field; the message names the path.
    """
    return descend(given(values, root), root, names)


def missing(values: Mapping[str, object], root: str, names: Sequence[str]) -> EvaluationError:
    """
    Return the error of a path on which the short way has just raised.

    The path is walked again; where nothing is wrong with it, what was raised is a bug and
    goes on.
    """
    try:
        seek(values, root, names)
    except EvaluationError as error:
        return kept(error)
    raise


def descend(value: object, path: str, names: Sequence[str]) -> object:
    """
    Return what is found in `value` under one name after the other.

    Raises:
        EvaluationError: no such field; the message names the path from `path` on.
    """
    for name in names:
        path = f"{path}.{name}" if path else name
        value = _field(value, name, path)
    return value


def optional_field(value: object, name: str) -> OptionalValue:
    """Return an optional of a field. Raises: EvaluationError where `value` has no fields."""
    if value.__class__ is OptionalValue:
        assert isinstance(value, OptionalValue)
        return optional_field(value.content, name) if value.is_present else ABSENT
    fields = _fields(value, name)
    return OptionalValue(fields[name]) if name in fields else ABSENT


def has_field(value: object, name: str) -> bool:
    """Return whether a field is there. Raises: EvaluationError where `value` has no fields."""
    return optional_field(value, name).is_present


def element(value: object, index: object, path: str) -> object:
    """
    Return a member of a list, or what a map holds under a key.

    Raises:
        EvaluationError: none there; the message names `path`.
    """
    if isinstance(value, OptionalValue):
        return optional_element(value, index)
    if isinstance(value, dict) and find_key(index) not in value:
        raise EvaluationError(f"{path or 'map'}[{index!r}]: no such key")
    found = optional_element(value, index)
    if found.is_present:
        return found.content
    assert isinstance(value, list)
    raise EvaluationError(f"{path or 'list'}[{index}]: expected an index below {len(value)}")


def optional_element(value: object, index: object) -> OptionalValue:
    """Return an optional of a member. Raises: EvaluationError for what has no members."""
    if isinstance(value, OptionalValue):
        return optional_element(value.content, index) if value.is_present else ABSENT
    if isinstance(value, dict):
        key = find_key(index) if index.__class__ in KEYS else ABSENT
        return OptionalValue(value[key]) if key in value else ABSENT
    if not isinstance(value, list):
        raise EvaluationError(f"expected a list or map to look into, got {kind_of(value)}")
    place = _place(index)
    return OptionalValue(value[place]) if 0 <= place < len(value) else ABSENT


def end_of(value: object, path: str, name: str) -> object:
    """Return the `first` or `last` member. Raises: EvaluationError for an empty list."""
    if items := as_list(value):
        return items[0 if name == "first" else -1]
    raise EvaluationError(f"{path}.{name}: expected a member, got an empty list")


def members(value: object) -> list[object]:
    """Return the members of a list or the keys of a map. Raises: EvaluationError for others."""
    if value.__class__ is list:
        return value
    if isinstance(value, dict):
        return [from_key(key) for key in value]
    raise EvaluationError(f"expected a list or map to go through, got {kind_of(value)}")


def entries(value: object) -> list[tuple[object, object]]:
    """Return index and member, or key and value. Raises: EvaluationError for others."""
    if isinstance(value, dict):
        return [(from_key(key), inner) for key, inner in value.items()]
    return list(enumerate(members(value)))


def refuse_non_bool(value: object) -> NoReturn:
    """Raise what there is to say of a value that should be a bool."""
    raise EvaluationError(f"expected a bool, got {kind_of(value)}")


def as_list(value: object) -> list[object]:
    """Return `value`. Raises: EvaluationError where it is no list."""
    if value.__class__ is list:
        return value
    raise EvaluationError(f"expected a list, got {kind_of(value)}")


def as_optional(value: object) -> OptionalValue:
    """Return `value`. Raises: EvaluationError where it is no optional."""
    if isinstance(value, OptionalValue):
        return value
    raise EvaluationError(f"expected an optional, got {kind_of(value)}")


def kept(error: EvaluationError) -> EvaluationError:
    """
    Return an error that `&&`, `||`, `all` and `exists` may absorb.

    Raises:
        OverBudget: it is one; an evaluation out of budget is over.
    """
    if isinstance(error, OverBudget):
        raise error
    # It will be kept in a variable of the frame that its traceback holds.
    return error.with_traceback(None)


def put(into: dict[object, object], key: object, value: object) -> None:
    """Add an entry to a map being made. Raises: EvaluationError for a key it has."""
    if key in into:
        raise EvaluationError(f"expected each key once, got {from_key(key)!r} twice")
    into[key] = value


def _field(value: object, name: str, path: str) -> object:
    if isinstance(value, OptionalValue):
        return optional_field(value, name)
    if isinstance(value, dict):
        if name in value:
            return value[name]
        raise EvaluationError(f"{path}: no such field")
    raise EvaluationError(f"{path}: expected a map with this field, got {kind_of(value)}")


def _fields(value: object, name: str) -> Mapping[object, object]:
    if isinstance(value, dict):
        return value
    raise EvaluationError(f"expected a map with field {name!r}, got {kind_of(value)}")


def _place(index: object) -> int:
    if index.__class__ in NUMBERS:
        assert isinstance(index, int | float)
        if index == index // 1:
            return int(index)
    kind = kind_of(index)
    shown = index if kind is Kind.DOUBLE else kind
    raise EvaluationError(f"expected a whole number as index, got {shown}")
