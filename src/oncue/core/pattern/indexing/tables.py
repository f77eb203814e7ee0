"""What a probe finds, by the sort of value that stands at its path."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, TypeAlias

from oncue.core.event import Event
from oncue.core.expression.conjuncts import Equals, Key, StartsWith, Within
from oncue.core.expression.values import BoolKey
from oncue.core.pattern.indexing.layout import Entry, Probe
from oncue.core.pattern.indexing.spans import Find as FindSpans
from oncue.core.pattern.indexing.spans import Rows, Span, arrange

Find: TypeAlias = Callable[[Event, Mapping[str, object], list[int]], None]


class Later:
    """Finds among entries by code that is made when it is first called, and takes its places."""

    def __init__(self, make: Callable[[], Find]) -> None:
        self._make = make
        self._made: Find | None = None
        self._places: list[tuple[Table, object]] = []

    def __call__(self, event: Event, data: Mapping[str, object], out: list[int]) -> None:
        """Find as the code does."""
        if self._made is None:
            self._made = self._make()
            for table, key in self._places:
                table[key] = self._made
        self._made(event, data, out)

    def stand(self, table: "Table", key: object) -> None:
        """Stand in a table until the code is made."""
        table[key] = self
        self._places.append((table, key))


Bucket: TypeAlias = tuple[int, ...] | Later
"""Numbers of entries, or what finds them among those that remain."""
Table: TypeAlias = dict[object, tuple[int, ...] | Find]

# Each length is one more look at each text; a longer prefix is found by its beginning, too.
_MAX_LENGTHS: Final = 4


@dataclass(slots=True)
class Tables:
    """
    Buckets by value; `constants` are null, true and false, `prefixes` by their length.

    `floors` and `ceilings` are sorted limits, and whose they are.
    """

    texts: Table = field(default_factory=dict)
    numbers: Table = field(default_factory=dict)
    constants: Table = field(default_factory=dict)
    prefixes: dict[int, Table] = field(default_factory=dict)
    floors: tuple[tuple[float, ...], tuple[int, ...]] = ((), ())
    ceilings: tuple[tuple[float, ...], tuple[int, ...]] = ((), ())
    spans: Rows | FindSpans | None = None


def fill(probe: Probe, bucket: Callable[[Sequence[Entry]], Bucket]) -> Tables:
    """Return the tables of a probe; `bucket` makes one of entries."""
    keys: dict[Key, list[Entry]] = defaultdict(list)
    prefixes: dict[str, list[Entry]] = defaultdict(list)
    spans: list[Span] = []
    for way, entry in probe.found:
        match way:
            case Equals(keys=wanted):
                for key in wanted:
                    keys[key].append(entry)
            case StartsWith(prefix=prefix):
                prefixes[prefix].append(entry)
            case Within(least=least, most=most):
                spans.append(Span(least, most, entry.number))
    shelf = _Shelf(bucket)
    tables = Tables()
    for key, found in keys.items():
        if isinstance(key, BoolKey):
            shelf.put(tables.constants, key.value, found)
        elif key is None:
            shelf.put(tables.constants, None, found)
        else:
            shelf.put(tables.texts if isinstance(key, str) else tables.numbers, key, found)
    for prefix, beginning in _shortened(prefixes).items():
        shelf.put(tables.prefixes.setdefault(len(prefix), {}), prefix, beginning)
    _fill_ranges(tables, spans)
    return tables


class _Shelf:
    """Puts buckets into tables, one and the same for the same entries."""

    def __init__(self, bucket: Callable[[Sequence[Entry]], Bucket]) -> None:
        self._make = bucket
        self._made: dict[tuple[int, ...], Bucket] = {}

    def put(self, table: Table, key: object, entries: Sequence[Entry]) -> None:
        numbers = tuple(entry.number for entry in entries)
        made = self._made.get(numbers)
        if made is None:
            made = self._made[numbers] = self._make(entries)
        if isinstance(made, Later):
            made.stand(table, key)
        else:
            table[key] = made


def _shortened(prefixes: Mapping[str, Iterable[Entry]]) -> Mapping[str, Sequence[Entry]]:
    """Return entries by beginnings of their prefixes that have few lengths."""
    lengths = sorted({len(prefix) for prefix in prefixes})
    kept = lengths[:: max(1, -(-len(lengths) // _MAX_LENGTHS))]
    found: dict[str, list[Entry]] = defaultdict(list)
    for prefix, entries in prefixes.items():
        length = kept[bisect_right(kept, len(prefix)) - 1]
        found[prefix[:length]] += entries
    return found


def _fill_ranges(tables: Tables, spans: Iterable[Span]) -> None:
    floors = sorted((span.least, span.number) for span in spans if span.most == inf)
    ceilings = sorted(
        (span.most, span.number) for span in spans if span.least == -inf and span.most != inf
    )
    both = [span for span in spans if span.least != -inf and span.most != inf]
    tables.floors = tuple(limit for limit, _ in floors), tuple(number for _, number in floors)
    tables.ceilings = tuple(limit for limit, _ in ceilings), tuple(number for _, number in ceilings)
    tables.spans = arrange(both) if both else None
