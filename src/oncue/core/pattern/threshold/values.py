"""What is measured of an event: a number, or a value that is only told apart from others."""

import hashlib
import json
from dataclasses import dataclass
from typing import Final, TypeAlias

from oncue.core.errors import EvaluationError
from oncue.core.expression import Expression, to_json
from oncue.core.json_text import Json
from oncue.core.pattern.operator import Values
from oncue.core.pattern.threshold.numbers import finite

Sample: TypeAlias = float | str | tuple[Json, ...]
"""A number, the canonical text of a value that `distinct` counts, or what several measures take."""

COUNTED: Final = 1.0
"""What stands for an event of which no value is measured."""
_LONGEST_TEXT: Final = 80


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what is measured of an event; None is no value, and the event takes no part."""

    of: Expression | None
    is_distinct: bool = False
    is_non_negative: bool = False

    def read(self, values: Values) -> Sample | None:
        """Return what is measured."""
        if self.of is None:
            return COUNTED
        try:
            value = self.of.evaluate(values)
            if self.is_distinct:
                found = to_json(value)
                return None if found is None else canonical(found)
        except EvaluationError:
            return None
        number = finite(value)
        if number is not None and self.is_non_negative and number < 0:
            return None
        return number


def canonical(value: Json) -> str:
    """
    Return a text that equal values share and others do not.

    >>> canonical(1) == canonical(1.0), canonical(1) == canonical("1"), canonical(1) == canonical(True)
    (True, False, False)
    """
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT:
        # No other text here begins with a quote, so that the one at the end can be spared.
        return '"' + value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if len(text) <= _LONGEST_TEXT:
        return text
    # No JSON text begins so.
    return "#" + hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Json) -> Json:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
