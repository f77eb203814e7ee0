"""
Ours against cel-cpp: as many random expressions as asked for.

    python -m tests.core.expression.oracle 200000 [SEED]

Both get the same expression and event and must give the same value, or both an error. What
OnCue has beyond the standard is left out of the table of functions before.
"""

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from oncue.core.errors import EvaluationError
from oncue.core.expression.budget import OverBudget
from oncue.core.expression.checker import Names
from oncue.core.expression.excerpts import SourceError
from oncue.core.expression.expression import compile_source
from oncue.core.expression.function import Function, Overload
from oncue.core.expression.library import FUNCTIONS
from oncue.core.expression.values import (
    TYPES,
    BoolKey,
    CelType,
    Duration,
    Kind,
    OptionalValue,
    Timestamp,
    from_key,
    kind_of,
)
from tests.core.expression.random_expressions import RandomExpressions

_BATCH = 2_000
_CHILD = Path(__file__).with_name("cel_cpp.py")
_OURS = frozenset({"sum", "avg", "min", "max"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = {TYPES[Kind.TIMESTAMP]: "timestamp", TYPES[Kind.DURATION]: "duration"}


class Unreadable(Exception):
    """A value that the binding cannot hand to Python."""


class Quirk(NamedTuple):
    """What the binding does otherwise, by what stands in the case, and in its answer."""

    reason: str
    case: str
    answer: str

    def explains(self, case: str, answer: str) -> bool:
        """Return whether it may be why the answers differ."""
        return re.search(self.case, case) is not None and self.answer in answer


_QUIRKS = (
    Quirk("unchecked, it cannot make maps of transformMap", r"transformMap", "error"),
    Quirk("its optional indexes must be ints, others need not", r"\[\?", "_[?_](list, "),
    Quirk("two minuses are none before the least int", r"- -9223372036854775808", "invalid int"),
    Quirk("it stops at empty matches, cel-go returns them", r"regex\.extractAll", ""),
    Quirk("it counts empty matches otherwise", r"regex\.replace\(.*''", "is"),
    Quirk("against its documents no end may be the size", r"substring", "is greater than <string>"),
    Quirk(
        "sortBy is refused by how its list is written", r"sortBy", "sortBy can only be applied to"
    ),
    Quirk("has() is refused by how its operand is written", r"has\(", "SELECT to non-message type"),
    Quirk("unchecked, it takes a bool for an int", r"\bu?int\(|double\(", "is"),
    Quirk("a variable bound after a loop has its value", r"\(v\d+, v\d+, .*\bv[3-9]", ""),
    Quirk("a variable bound after a loop has its value", r"\(v\d+, .*cel\.bind", ""),
    Quirk("the sign of a NaN shows", r"math\.sqrt", "-nan"),
    Quirk("the sign of a NaN shows", r"math\.sqrt", "-NAN"),
    Quirk("ours sorts numbers of all kinds, as JSON has them", r"sort", "must have the same type"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """An expression that the two do not agree on."""

    text: str
    event: Any
    ours: object
    theirs: object

    def __str__(self) -> str:
        return f"{self.text}\n  event  {self.event}\n  ours   {self.ours}\n  theirs {self.theirs}"


def compare(count: int, seed: int) -> tuple[Counter[str], list[Difference]]:
    """Return how many agreed in what, and on which expressions they differed."""
    cases = RandomExpressions(seed, STANDARD)
    outcomes: Counter[str] = Counter()
    differences = []
    for begin in range(0, count, _BATCH):
        batch = [cases.draw() for _ in range(min(_BATCH, count - begin))]
        for (text, event), theirs in zip(batch, _their_answers(batch), strict=True):
            outcome = _judge(text, event, theirs)
            if isinstance(outcome, Difference):
                differences.append(outcome)
            else:
                outcomes[outcome] += 1
    return outcomes, differences


def _standard(function: Function) -> Function:
    """Return `function` as the standard has it: no arithmetic of ints with doubles."""
    is_mixed = function.name in {"_+_", "_-_", "_*_", "_/_"}
    kept = [one for one in function.overloads if not (is_mixed and _mixes(one))]
    return replace(function, overloads=tuple(kept), _chosen={}, _fitting={})


def _mixes(overload: Overload) -> bool:
    return set(overload.takes) == {Kind.INT, Kind.DOUBLE}


STANDARD: Mapping[str, Function] = {
    name: _standard(function) for name, function in FUNCTIONS.items() if name not in _OURS
}
"""The table of functions without what is OnCue's own."""


def _their_answers(batch: list[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield an answer for each case; where the binding ends its process, begin a new one."""
    rest = iter(batch)
    while asked := list(islice(rest, _BATCH)):
        lines = "".join(json.dumps({"expr": text, "event": event}) + "\n" for text, event in asked)
        child = subprocess.run(
            [sys.executable, _CHILD], input=lines, capture_output=True, text=True, check=False
        )
        answers = [json.loads(line) for line in child.stdout.splitlines()]
        yield from answers
        if len(answers) < len(asked):
            yield {"crash": child.returncode}
            rest = iter(asked[len(answers) + 1 :])


def _judge(text: str, event: Any, theirs: dict[str, Any]) -> str | Difference:
    if "crash" in theirs:
        return "crash"
    try:
        names = Names(["event"], is_checked=False, functions=STANDARD)
        ours: object = tagged(compile_source(text, names).evaluate({"event": event}))
    except (SourceError, EvaluationError) as exc:
        if "error" in theirs:
            return "error"
        if isinstance(exc, OverBudget):
            return "budget"
        ours = str(exc)
    except Unreadable:
        return "unreadable"
    if theirs.get("is") == ours:
        return "value"
    if _unordered(theirs.get("is")) == _unordered(ours):
        return "order of a map"
    case = f"{text} {event}"
    is_quirk = any(quirk.explains(case, str(theirs)) for quirk in _QUIRKS)
    return "quirk" if is_quirk else Difference(text, event, ours, theirs)


def _unordered(tagged: object) -> object:
    """Return a tagged list without its order: members that come from a map have none."""
    if isinstance(tagged, list) and tagged[:1] == ["list"]:
        return sorted(map(repr, map(_unordered, tagged[1])))
    return tagged


def tagged(value: Any) -> list[Any]:
    """
    Return a value with the kind of each part, as JSON.

    Raises:
        Unreadable: an optional is in it, or a map that Python cannot have.
    """
    kind = kind_of(value).value
    match value:
        case list():
            return [kind, [tagged(item) for item in value]]
        case dict():
            return [kind, sorted(_pair(key, inner, value) for key, inner in value.items())]
        case float():
            return [kind, "nan" if math.isnan(value) else repr(value)]
        case bytes():
            return [kind, value.hex()]
        case Timestamp():
            return [kind, (_EPOCH + _microseconds(value)).isoformat()]
        case Duration():
            return [kind, repr(_microseconds(value))]
        case OptionalValue():
            raise Unreadable
        case CelType():
            return [
                kind,
                "null" if value is TYPES[Kind.NULL] else str(_NAMES.get(value, value.name)),
            ]
        case _:
            return [kind, str(value)]


def _microseconds(moment: Timestamp | Duration) -> timedelta:
    return timedelta(microseconds=moment.nanoseconds // 1_000)


def _pair(key: object, value: object, of: dict[object, object]) -> list[Any]:
    if isinstance(key, BoolKey) and int(key.value) in of:
        raise Unreadable  # Python's dictionaries take true for 1.
    return [str(from_key(key)), tagged(value)]


def main() -> int:
    """Return 1 if there is a difference."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    outcomes, differences = compare(count, seed)
    for difference in differences:
        sys.stdout.write(f"{difference}\n")
    told = ", ".join(f"{number} {name}" for name, number in outcomes.most_common())
    sys.stdout.write(f"{count} expressions: {told}, {len(differences)} differences\n")
    return 1 if differences else 0


if __name__ == "__main__":
    raise SystemExit(main())
