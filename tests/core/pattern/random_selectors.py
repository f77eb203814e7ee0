"""Random events and selectors, made of so few names and values that they often meet."""

from hypothesis import reject
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.shared import Selector
from oncue.core.pattern.selection import Selection, compile_selection
from tests.make import make_event

TYPES = ["order.paid", "order.sent", "user.signup", "x"]
GLOBS = [*TYPES, *TYPES, "order.*", "*.p*", "*", "nothing.*"]
NAMES = ["a", "b", "é"]
TEXTS = ["", "a", "ab", "abc", "B", "aß", "ASS", "1", "é", "10.0.0.1", "true"]
NUMBERS = [
    *(-1, 0, 1, 2, 0.5, 1.0, -0.0, 2.0, 1e300),
    *(2**53, 2**53 + 1, 2**53 + 2, float(2**53), 2**63, 10**30, 1e30, -(10**309)),
]

texts = st.sampled_from(TEXTS)
numbers = st.sampled_from(NUMBERS)
scalars: st.SearchStrategy[Json] = st.one_of(texts, numbers, st.none(), st.booleans())
names = st.sampled_from(NAMES)


def _inside(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(
        st.dictionaries(names, inner, max_size=3),
        st.lists(inner, max_size=3),
    )


values = st.recursive(scalars, _inside, max_leaves=6)
data = st.one_of(
    st.dictionaries(names, values, max_size=3),
    st.dictionaries(names, values, min_size=2, max_size=3),
    values,
)

events: st.SearchStrategy[Event] = st.builds(
    make_event,
    type=st.sampled_from(TYPES),
    source=st.sampled_from(["web", "shop"]),
    subject=st.sampled_from([None, "a", "ab"]),
    time_ms=st.sampled_from([0, 1]),
    data=data,
    attributes=st.dictionaries(st.just("ext"), st.sampled_from(["a", "ab", 1, True]), max_size=1),
)


def _operators(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    limits = st.lists(
        st.tuples(st.sampled_from(["<", "<=", "=", ">=", ">"]), numbers), min_size=1, max_size=2
    )
    return st.one_of(
        st.builds(lambda pairs: {"numeric": [x for pair in pairs for x in pair]}, limits),
        st.builds(
            lambda name, text: {name: text},
            st.sampled_from(["prefix", "suffix", "equals-ignore-case"]),
            texts,
        ),
        st.builds(
            lambda name, text: {name: {"equals-ignore-case": text}},
            st.sampled_from(["prefix", "suffix"]),
            texts,
        ),
        st.builds(
            lambda text: {"wildcard": text}, st.sampled_from(["a*", "*b*", "a", "*", "a*c", r"\*"])
        ),
        st.sampled_from([{"cidr": "10.0.0.0/8"}, {"cidr": "::/0"}, {"exists": True}]),
        st.just({"exists": False}),
        st.builds(lambda test: {"anything-but": test}, inner),
    )


_choices: st.SearchStrategy[Json] = st.one_of(scalars, st.deferred(lambda: _operators(_choices)))
_tests: st.SearchStrategy[Json] = st.one_of(
    scalars,
    _choices,
    st.lists(_choices, min_size=1, max_size=6),
    st.lists(texts, min_size=1, max_size=7),
    st.deferred(lambda: conditions),
)
_fields = st.dictionaries(names, _tests, min_size=1, max_size=2)
conditions: st.SearchStrategy[dict[str, Json]] = st.one_of(
    _fields,
    _fields,
    st.builds(
        lambda ways, more: {**more, "$or": ways},
        st.lists(_fields, min_size=2, max_size=3),
        st.one_of(st.just({}), _fields),
    ),
)

PATHS = [
    *("event.data.a", "event.data.b", "event.data.é", "event.data.a.b", "event.data['a']"),
    *("event.data.a['b'].a", "event.data", "event.source", "event.subject", "event.type"),
    *("event.time", "event.ext", "event.id", "event.data.b[0]", "event.data.a.b.a"),
]
_paths = st.sampled_from([path.replace(".é", "['é']") for path in PATHS])
_LITERALS = [
    *("'a'", "'ab'", "'abc'", "''", "'é'", "'web'", "'order.paid'", "null", "true", "false"),
    *(
        "1",
        "0",
        "-1",
        "1.0",
        "0.5",
        "-0.0",
        "2u",
        "1e300",
        "9007199254740993",
        "9007199254740992.0",
    ),
    *("[1]", "{'b': 1}", "'1970-01-01T00:00:00.000Z'"),
]
_literals = st.sampled_from(_LITERALS)
_relations = st.sampled_from(["==", "==", "!=", "<", "<=", ">", ">="])
_atoms = st.one_of(
    st.builds("{0} {1} {2}".format, _paths, _relations, _literals),
    st.builds("{2} {1} {0}".format, _paths, _relations, _literals),
    st.builds("{0} {1} {2}".format, _paths, _relations, _paths),
    st.builds("{0} in [{1}, {2}]".format, _paths, _literals, _literals),
    st.builds("{0}.startsWith({1})".format, _paths, st.sampled_from(["'a'", "'ab'", "''"])),
    st.builds("{0}.endsWith('b')".format, _paths),
    st.builds("size({0}) > 1".format, _paths),
    st.builds("{0} + 1 > 2".format, _paths),
    st.builds("{0}.exists(x, x == {1})".format, _paths, _literals),
    st.builds("event.data.?{0}.orValue({1}) == {2}".format, st.sampled_from("ab"), _literals, _literals),
    st.builds("has(event.data.{0})".format, st.sampled_from("ab")),
    _paths,
    st.builds("!{0}".format, _paths),
    st.just("size(event) > 5"),
)  # fmt: skip
wheres = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.builds("({0} && {1})".format, inner, inner),
        st.builds("({0} && {1})".format, inner, inner),
        st.builds("({0} || {1})".format, inner, inner),
        st.builds("!({0})".format, inner),
        st.builds("({0} ? {1} : {2})".format, inner, inner, inner),
    ),
    max_leaves=4,
)


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    fields: dict[str, Json] = {
        "event": draw(st.lists(st.sampled_from(GLOBS), min_size=1, max_size=2)),
        "source": draw(st.sampled_from([None, None, "web", "shop"])),
        "conditions": draw(st.one_of(st.none(), conditions)),
        "where": draw(st.one_of(st.none(), wheres)),
    }
    try:
        return compile_selection(Selector.model_validate(fields), "pattern")
    except InvalidInput:
        # The checker knows of some that they can never be true or false.
        reject()
