"""Optional values: what may be there, and steps into it that cannot fail for its absence."""

from oncue.core.errors import EvaluationError
from oncue.core.expression.values import ABSENT, Duration, OptionalValue, Timestamp, kind_of


def content_of(optional: OptionalValue) -> object:
    """Return what the optional holds. Raises: EvaluationError when it holds nothing."""
    if optional.is_present:
        return optional.content
    raise EvaluationError("expected an optional with a value, got optional.none()")


def of_non_zero(value: object) -> OptionalValue:
    """Return an optional of `value`, or of nothing where it is empty, zero, false or null."""
    return ABSENT if is_zero(value) else OptionalValue(value)


def is_zero(value: object) -> bool:
    """Return whether `value` is the value that its kind has by default."""
    kind_of(value)
    if isinstance(value, Duration | Timestamp):
        return value.nanoseconds == 0
    return not isinstance(value, OptionalValue) and not value
