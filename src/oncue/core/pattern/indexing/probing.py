"""
The code of a leaf: from an event to the numbers of the entries that may admit it.

    def admitted(event, values, …):
        data = event.data
        if data.__class__ is not dict: data = nothing_1
        out = []
        v3_plan = data.get('plan', missing_2)
        if v3_plan.__class__ is str:
            v5 = table_4.get(v3_plan)
            if v5 is not None: out += v5
        elif v3_plan.__class__ is list:
            for v6 in v3_plan: each_7(event, data, v6, out)
        v8_amount = data.get('amount', missing_2)
        if v8_amount.__class__ is int or v8_amount.__class__ is float:
            out += owners_9[:place_10(limits_11, v8_amount)]
        out += rest_12
        return decide_13(event, values, out) if out else ()

Each field is read once, and the class of its value decides what is asked of it; so nothing
here can raise, and true is not found under 1. A bucket is a tuple of numbers or, where more
can be asked, a function like this one, made when an event first comes to it.

Invariant: an event that an entry's predicate admits finds the entry's number. Rejected: a
loop over tables, which would decide for each event what is decided here once for each leaf.

What limits it is memory: with 10 000 patterns, an event that comes costs 1.4 times one that
is looked at again (bench/match_event.py), so constants are parameters and code is shared.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

from oncue.core.event import Event
from oncue.core.expression.arithmetic import to_double
from oncue.core.expression.compiler import compile_body
from oncue.core.expression.conjuncts import Equals, StartsWith, Within
from oncue.core.expression.writing import Part
from oncue.core.json_text import Json
from oncue.core.pattern.conditions import MISSING
from oncue.core.pattern.indexing.access import MAX_EXACT
from oncue.core.pattern.indexing.layout import Entry, Probe, lay_out
from oncue.core.pattern.indexing.spans import Rows
from oncue.core.pattern.indexing.tables import Bucket, Find, Later, Table, Tables, fill

Branches: TypeAlias = dict[str, list[str]]
"""What is written for each sort of value, by the test for it; they exclude each other."""
Hit: TypeAlias = tuple[str, int]
"""A slot, and the bit set of those selectors of it that admit an event."""
Admitted: TypeAlias = Callable[[Event, Mapping[str, Json] | None], Sequence[Hit]]
Decide: TypeAlias = Callable[[Event, Mapping[str, Json] | None, list[int]], Sequence[Hit]]

_NO_FIELDS: Final[Mapping[str, object]] = {}

_MAX_DEPTH: Final = 8
# A list of values puts an entry into many buckets. Beyond so many places for each entry,
# buckets are no longer told apart, so that lists within lists make no product.
_MAX_PLACES: Final = 30

_TEXT: Final = "{0}.__class__ is str"
_NUMBER: Final = "{0}.__class__ is int or {0}.__class__ is float"
_LIST: Final = "{0}.__class__ is list"
_MISSING: Final = "{0} is {1}"
_MAPS: Final[Mapping[str, str]] = {"data": "data", "attributes": "event.attributes"}


class Grower:
    """Makes the code of one leaf; `decide` is called with the numbers that it finds."""

    def __init__(self, entries: Sequence[Entry], decide: Decide) -> None:
        self.unmet: list[int] = []
        """How often a field was missing or of another kind, by place in `failing`."""
        self.failing: list[tuple[int, ...]] = []
        """The entries whose `where` ended in an error then."""
        self._places = _MAX_PLACES * len(entries) + 10_000
        self.admitted = self._grow_root(entries, decide)

    def _grow_root(self, entries: Sequence[Entry], decide: Decide) -> Admitted:
        def write(part: Part) -> None:
            name = part.module.name_constant
            part.line("data = event.data")
            part.line(f"if data.__class__ is not dict: data = {name('nothing', _NO_FIELDS)}")
            part.line("out = []")
            self._write(part, lay_out(entries), 0)
            part.line(f"return {name('decide', decide)}(event, values, out) if out else ()")

        admitted: Admitted
        admitted, _ = compile_body("admitted", ("event", "values"), write)
        return admitted

    def _grow(self, entries: Sequence[Entry], depth: int) -> Find:
        def write(part: Part) -> None:
            self._write(part, lay_out(entries), depth)
            part.line("return")

        find: Find
        find, _ = compile_body("find", ("event", "data", "out"), write)
        return find

    def _write(self, part: Part, laid_out: tuple[list[Probe], list[int]], depth: int) -> None:
        probes, rest = laid_out
        for probe in probes:
            self._write_probe(part, probe, depth)
        if rest:
            part.line(f"out += {part.module.name_constant('rest', tuple(rest))}")

    def _write_probe(self, part: Part, probe: Probe, depth: int) -> None:
        tables = fill(probe, partial(self._bucket, depth=depth))
        value = _read(part, probe)
        branches = _branches(part, value, tables)
        if probe.sees_elements:
            each = part.module.name_constant("each", _of_elements(tables))
            element = part.fresh()
            branches[_LIST] = [f"for {element} in {value}: {each}(event, data, {element}, out)"]
        self._count_errors(part, probe, branches)
        _write_branches(part, value, branches)

    def _bucket(self, entries: Sequence[Entry], depth: int) -> Bucket:
        unique = {entry.number: entry for entry in entries}
        self._places -= len(unique)
        is_clear = len(unique) == 1 and not _is_worth_asking(entries[0])
        if is_clear or depth >= _MAX_DEPTH or self._places < 0:
            return tuple(unique)
        return Later(lambda: self._grow(list(unique.values()), depth + 1))

    def _count_errors(self, part: Part, probe: Probe, branches: Branches) -> None:
        """Count for each sort of value the entries whose `where` cannot take it."""
        if not probe.errors:
            return
        unmet = part.module.name_constant("unmet", self.unmet)
        for test, refused in _REFUSED.items():
            numbers = {number for sort, number in probe.errors if sort in refused}
            if numbers:
                lines = branches.setdefault(test, [])
                lines.append(f"{unmet}[{part.constant(len(self.unmet))}] += 1")
                self.unmet.append(0)
                self.failing.append(tuple(numbers))


def _is_worth_asking(entry: Entry) -> bool:
    """Return whether one more look at an event is likely to spare the evaluation of an entry."""
    return any(not isinstance(way, Within) for access in entry.accesses for way in access.ways)


# What of each sort ends in an error: no order but among numbers, no beginning but of text.
_REFUSED: Final[Mapping[str, tuple[type, ...]]] = {
    _TEXT: (Within,),
    _NUMBER: (StartsWith,),
    _MISSING: (Equals, StartsWith, Within),
}


def _read(part: Part, probe: Probe) -> str:
    """Write the way to what stands at a path, and return its name."""
    missing = part.module.name_constant("missing", MISSING)
    root, *names = probe.path
    if root in _MAPS and names:
        name = names.pop(0)
        text = f"{_MAPS[root]}.get({name!r}, {missing})"
    else:
        name, text = root, f"event.{root}"
    value = part.fresh(name)
    part.line(f"{value} = {text}")
    for inner in names:
        outer, value = value, part.fresh(inner)
        part.line(f"if {outer}.__class__ is dict: {value} = {outer}.get({inner!r}, {missing})")
        if probe.sees_elements:
            gather = part.module.name_constant("gather", _gather)
            part.line(f"elif {outer}.__class__ is list: {value} = {gather}({outer}, {inner!r})")
        part.line(f"else: {value} = {missing}")
    return value


def _gather(elements: Iterable[object], name: str) -> list[object]:
    """Return what the elements of an array have under a name, the elements of arrays each."""
    found: list[object] = []
    for element in elements:
        if isinstance(element, dict) and name in element:
            value = element[name]
            if isinstance(value, list):
                found += value
            else:
                found.append(value)
    return found


def _of_elements(tables: Tables) -> Callable[..., None]:
    def write(part: Part) -> None:
        _write_branches(part, "value", _branches(part, "value", tables))
        part.line("return")

    each: Callable[..., None]
    each, _ = compile_body("each", ("event", "data", "value", "out"), write)
    return each


def _write_branches(part: Part, value: str, branches: Branches) -> None:
    missing = part.module.name_constant("missing", MISSING)
    word = "if"
    for test, lines in branches.items():
        with part.block(f"{word} {test.format(value, missing)}:"):
            for line in lines:
                part.line(line)
        word = "elif"


def _branches(part: Part, value: str, tables: Tables) -> Branches:
    branches = {
        _TEXT: [*_texts(part, value, tables)],
        _NUMBER: [*_numbers(part, value, tables)],
    }
    for constant in tables.constants:
        branches[f"{{0}} is {constant}"] = _look(part, tables.constants, repr(constant))
    return {test: lines for test, lines in branches.items() if lines}


def _texts(part: Part, value: str, tables: Tables) -> list[str]:
    lines = _look(part, tables.texts, value)
    for length, texts in tables.prefixes.items():
        lines += _look(part, texts, f"{value}[:{length}]")
    return lines


def _numbers(part: Part, value: str, tables: Tables) -> list[str]:
    # Equal to one of these as a double may be a longer integer.
    if any(abs(key) >= MAX_EXACT for key in tables.numbers if isinstance(key, float)):
        double = part.module.name_constant("double", to_double)
        lines = _look(part, tables.numbers, f"{double}({value})")
    else:
        lines = _look(part, tables.numbers, value)
    name = part.module.name_constant
    for (limits, owners), side in ((tables.floors, "[:{}]"), (tables.ceilings, "[{}:]")):
        if len(owners) == 1:
            relation = ">=" if side == "[:{}]" else "<="
            limit, found = part.constant(limits[0]), name("owners", owners)
            lines.append(f"if {value} {relation} {limit}: out += {found}")
        elif owners:
            search = name("place", bisect_right if side == "[:{}]" else bisect_left)
            place = f"{search}({name('limits', limits)}, {value})"
            lines.append(f"out += {name('owners', owners)}{side.format(place)}")
    if isinstance(tables.spans, Rows):
        place = f"{name('place', bisect_right)}({name('bounds', tables.spans.bounds)}, {value})"
        lines.append(f"out += {name('rows', tables.spans.numbers)}[{place}]")
    elif tables.spans:
        lines.append(f"{name('spans', tables.spans)}({value}, out)")
    return lines


def _look(part: Part, table: Table, key: str) -> list[str]:
    """Return the lines that look for a key and go on with what is found."""
    if not table:
        return []
    if len(table) == 1:
        ((wanted, bucket),) = table.items()
        is_wanted = f"if {key} == {part.constant(wanted)}:"
        if isinstance(bucket, tuple):
            return [f"{is_wanted} out += {part.module.name_constant('numbers', bucket)}"]
        then = part.module.name_constant("table", table)
        return [f"{is_wanted} {then}[{key}](event, data, out)"]
    name = part.module.name_constant("table", table)
    found = part.fresh()
    lines = [f"{found} = {name}.get({key})"]
    are_numbers = {isinstance(bucket, tuple) for bucket in table.values()}
    if are_numbers == {True}:
        return [*lines, f"if {found} is not None: out += {found}"]
    if are_numbers == {False}:
        return [*lines, f"if {found} is not None: {found}(event, data, out)"]
    plain = part.module.name_constant("plain", tuple)
    return [
        *lines,
        f"if {found}.__class__ is {plain}: out += {found}",
        f"elif {found} is not None: {found}(event, data, out)",
    ]
