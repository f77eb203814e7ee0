"""Conditions: what they admit, and what is refused as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.pattern.conditions import MAX_TESTS, parse_conditions


def _admits(conditions: dict[str, Json], data: Json) -> bool:
    return parse_conditions(conditions, "conditions").failing(data) is None


@pytest.mark.parametrize(
    ("conditions", "admitted", "refused"),
    [
        ({"a": 1}, [{"a": 1}, {"a": 1.0}, {"a": [2, 1]}], [{"a": True}, {"a": "1"}, {}, None, [], {"a": []}]),
        ({"a": True}, [{"a": True}], [{"a": 1}, {"a": "true"}]),
        ({"a": None}, [{"a": None}, {"a": [None]}], [{}, {"a": 0}, {"a": []}]),
        ({"a": ["x", 2]}, [{"a": "x"}, {"a": 2}], [{"a": "y"}]),
        ({"a": {"b": "x"}}, [{"a": {"b": "x"}}, {"a": [{"b": "y"}, {"b": "x"}]}], [{"a": "x"}, {"a": {}}]),
        ({"a": "x", "b": "y"}, [{"a": "x", "b": "y"}], [{"a": "x"}, {"b": "y"}]),
        ({"a": {"prefix": "ab"}}, [{"a": "abc"}], [{"a": "cab"}, {"a": 7}, {}]),
        ({"a": [{"prefix": {"equals-ignore-case": "AB"}}]}, [{"a": "aBc"}], [{"a": "bab"}]),
        ({"a": {"suffix": ".png"}}, [{"a": "x.png"}], [{"a": "x.jpg"}]),
        ({"a": {"equals-ignore-case": "X"}}, [{"a": "x"}], [{"a": "xx"}]),
        ({"a": {"wildcard": "a*c\\*"}}, [{"a": "abbc*"}, {"a": "a\nc*"}], [{"a": "abbc"}, {"a": "abc*d"}]),
        ({"a": {"numeric": [">", 0, "<=", 5]}}, [{"a": 5}, {"a": 0.5}], [{"a": 0}, {"a": 6}, {"a": True}, {"a": "3"}]),
        ({"a": {"numeric": ["=", 3]}}, [{"a": 3.0}], [{"a": 3.1}]),
        ({"a": {"exists": True}}, [{"a": None}, {"a": []}, {"a": 0}], [{}, None]),
        ({"a": {"exists": False}}, [{}, None], [{"a": None}, {"a": []}]),
        ({"a": {"b": {"exists": False}}}, [{"a": {}}, {}, {"a": 1}, {"a": []}, {"a": [{"b": 1}, {}]}, None], [{"a": {"b": 1}}, {"a": [{"b": 1}]}]),
        ({"a": {"b": 1, "c": 2}}, [{"a": [{"b": 2}, {"b": [3, 1], "c": 2}]}], [{"a": [{"b": 1, "c": 1}, {"b": 2, "c": 2}]}]),
        ({"a": {"b": {"c": 1, "d": {"exists": False}}}}, [{"a": [{"b": [{"c": 1}]}]}], [{"a": [{"b": [{"c": 1, "d": 2}, {"c": 2}]}]}]),
        ({"a": {"$or": [{"b": 1}, {"c": 1}]}}, [{"a": [{}, {"c": 1}]}], [{"a": {"b": 2}}, {"b": 1}]),
        ({"a": {"anything-but": {"exists": False}}}, [{"a": 1}], [{}]),
        ({"a": {"anything-but": "x"}}, [{"a": "y"}, {"a": None}, {"a": ["x", "y"]}], [{"a": "x"}, {}, {"a": []}]),
        ({"a": {"anything-but": ["x", 1]}}, [{"a": 2}], [{"a": "x"}, {"a": 1.0}]),
        ({"a": {"anything-but": {"prefix": "x"}}}, [{"a": "yx"}], [{"a": "xy"}, {}]),
        ({"a": {"cidr": "10.0.0.0/8"}}, [{"a": "10.1.2.3"}], [{"a": "11.0.0.1"}, {"a": "x"}, {"a": 10}]),
        ({"a": {"cidr": "2001:db8::/32"}}, [{"a": "2001:db8::1"}], [{"a": "10.0.0.1"}]),
        ({"$or": [{"a": 1}, {"b": 2, "c": 3}]}, [{"a": 1}, {"b": 2, "c": 3}], [{"b": 2}, {}]),
        ({"z": 0, "$or": [{"a": 1}, {"a": 2}]}, [{"z": 0, "a": 2}], [{"a": 2}, {"z": 0}]),
        ({"prefix": "x"}, [{"prefix": "x"}], [{"a": "x"}]),
    ],
    ids=str,
)  # fmt: skip
def test_conditions_admit(
    conditions: dict[str, Json], admitted: list[Json], refused: list[Json]
) -> None:
    assert [data for data in admitted if not _admits(conditions, data)] == []
    assert [data for data in refused if _admits(conditions, data)] == []


@pytest.mark.parametrize(
    ("conditions", "paths"),
    [
        ({"a": []}, ["c.a"]),
        ({"a": {}}, ["c.a"]),
        ({"a": {"numeric": [">"]}}, ["c.a.numeric"]),
        ({"a": {"numeric": [">", "1"]}}, ["c.a.numeric"]),
        ({"a": {"numeric": ["!", 1]}}, ["c.a.numeric"]),
        ({"a": {"numeric": 1}}, ["c.a.numeric"]),
        ({"a": {"numeric": [["x"], 1]}}, ["c.a.numeric"]),
        ({"a": {"prefix": 1}, "b": [{"exists": "no"}]}, ["c.a.prefix", "c.b[0].exists"]),
        ({"a": {"cidr": "300.0.0.0/8"}}, ["c.a.cidr"]),
        ({"a": {"wildcard": None}}, ["c.a.wildcard"]),
        ({"a": {"suffix": {"equals-ignore-case": 1}}}, ["c.a.suffix"]),
        ({"$or": [{"a": 1}]}, ["c.$or"]),
        ({"$or": {"a": 1}}, ["c.$or"]),
        ({"$or": [{"a": []}, {"a": 1}]}, ["c.$or[0].a"]),
        ({"a": {"anything-but": {"prefix": 1}}}, ["c.a.anything-but.prefix"]),
        ({"a": list(range(MAX_TESTS + 1))}, ["c"]),
    ],
    ids=str,
)
def test_what_means_nothing_is_refused_with_its_path(
    conditions: dict[str, Json], paths: list[str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_conditions(conditions, "c")

    assert [problem.path for problem in caught.value.problems] == paths


def test_the_failing_clause_is_named() -> None:
    conditions = parse_conditions({"a": 1, "b": {"prefix": "x"}}, "conditions")

    assert conditions.failing({"a": 1, "b": "y"}) == "conditions.b"


_scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, "1", "a"])


@given(st.lists(_scalars, min_size=1), _scalars)
def test_a_list_admits_what_one_of_its_members_admits(wanted: list[Json], value: Json) -> None:
    each = [_admits({"a": one}, {"a": value}) for one in wanted]

    assert _admits({"a": wanted}, {"a": value}) == any(each)
    assert _admits({"a": {"anything-but": wanted}}, {"a": value}) == (not any(each))
