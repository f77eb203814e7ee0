"""The lists, sets and regex extensions, as cel-go and cel-java document them, and totals."""

from typing import Any

import pytest

from oncue.core.errors import EvaluationError
from oncue.core.expression import compile_expression, to_json

DATA = {
    "numbers": [3, 1, 2.5],
    "names": ["b", "c", "a"],
    "items": [{"sku": "a", "price": 2}, {"sku": "b", "price": 3}, {"sku": "a", "price": 2.0}],
    "large": [2**53 + 1, 2**53, float(2**53)],
    "same": [[1, {"a": 1}], [1.0, {"a": 1.0}], [True, {"a": 1}]],
    "mixed": [1, "b"],
    "empty": [],
    "text": "id=1, id=23, id=",
}


def evaluate(text: str) -> Any:
    return compile_expression(text, roots=list(DATA)).evaluate(DATA)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("lists.range(4)", [0, 1, 2, 3]),
        ("lists.range(0)", []),
        ("[5, 1, 2, 3].reverse()", [3, 2, 1, 5]),
        ("[].reverse()", []),
        ("'añb'.reverse()", "bña"),
        ("[1, 2, 3, 4].slice(0, 4)", [1, 2, 3, 4]),
        ("[1, 2, 3, 4].slice(1, 1)", []),
        ("[1, 2, 3, 4].slice(4, 4)", []),
        ("[].flatten()", []),
        ("[1, [2, [3, 4]]].flatten()", [1, 2, [3, 4]]),
        ("[1, 2, [], [], [3, 4]].flatten()", [1, 2, 3, 4]),
        ("[1, [2, [3, 4]]].flatten(2)", [1, 2, 3, 4]),
        ("[1, [2, [3, 4]]].flatten(0)", [1, [2, [3, 4]]]),
        ("[1, [2]].flatten(9223372036854775807)", [1, 2]),
        ("[4, 3, 2, 1].sort()", [1, 2, 3, 4]),
        ("names.sort()", ["a", "b", "c"]),
        ("numbers.sort()", [1, 2.5, 3]),
        ("[true, false].sort()", [False, True]),
        ("[b'b', b'a'].sort() == [b'a', b'b']", True),
        ("[duration('2s'), duration('1s')].sort()[0] == duration('1s')", True),
        ("[timestamp(2), timestamp(1)].sort()[0] == timestamp(1)", True),
        ("[-3, 1, -5, -2, 4].sortBy(e, -(e * e))", [-5, 4, -3, -2, 1]),
        ("['c', 'b', 'first'].sortBy(e, e == 'first' ? '' : e)", ["first", "b", "c"]),
        ("lists.range(3).sortBy(e, -e)", [2, 1, 0]),
        ("[].sortBy(e, e)", []),
        ("items.sortBy(i, i.sku).map(i, i.sku)", ["a", "a", "b"]),
        ("[[1].sortBy(e, e), [2].sortBy(e, e)]", [[1], [2]]),
        ("[-2, 5, -2, 1, 1, 5, -2, 1].distinct()", [-2, 5, 1]),
        ("[1, 2.0, 'c', 3, 'c', 1].distinct()", [1, 2.0, "c", 3]),
        ("[1, 1.0, 2, 2u].distinct()", [1, 2]),
        ("[true, 1, 'true'].distinct()", [True, 1, "true"]),
        ("[null, null, false].distinct()", [None, False]),
        ("[[1], [1], [2]].distinct()", [[1], [2]]),
        ("items.distinct().size()", 2),
        ("large.distinct() == [large[0], large[1]]", True),
        ("same.distinct().size()", 2),
        ("[0.0 / 0.0, 0.0 / 0.0].distinct().size()", 2),
        ("[optional.of(1), optional.none(), optional.of(1.0)].distinct().size()", 2),
        ("empty.first().hasValue() || empty.last().hasValue()", False),
        ("names.first().value() + names.last().value()", "ba"),
        ("empty.last().orValue('none')", "none"),
        ("numbers.sum()", 6.5),
        ("[1, 2].sum()", 3),
        ("[1u, 2u].sum() == 3u", True),
        ("[].sum()", 0),
        ("[duration('1s'), duration('500ms')].sum() == duration('1500ms')", True),
        ("items.map(i, i.price).sum()", 7.0),
        ("[1, 2, 6].avg()", 3.0),
        ("numbers.min() == 1 && numbers.max() == 3", True),
        ("names.min() + names.max()", "ac"),
        ("[timestamp(2), timestamp(1)].min() == timestamp(1)", True),
    ],
)
def test_lists(text: str, value: Any) -> None:
    found = evaluate(text)

    assert found == value
    assert found.__class__ is value.__class__


@pytest.mark.parametrize(
    "text",
    [
        "lists.range(-1)",
        "[1, 2, 3, 4].slice(3, 0)",
        "[1, 2, 3, 4].slice(0, 10)",
        "[1, 2, 3, 4].slice(-5, 10)",
        "[1, 2, 3, 4].slice(-5, -3)",
        "[1, [2]].flatten(-1)",
        "mixed.sort()",
        "[[1, 2, 3]].sort()",
        "[null].sort()",
        "mixed.sortBy(e, e)",
        "dyn({'a': 1}).sortBy(e, e)",
        "mixed.sum()",
        "[true].sum()",
        "[1, 2u].sum()",
        "[9223372036854775807, 1].sum()",
        "[].avg()",
        "['a'].avg()",
        "empty.min()",
        "empty.max()",
        "mixed.max()",
        "optional.unwrap([1])",
    ],
)
def test_lists_refuse(text: str) -> None:
    with pytest.raises(EvaluationError, match="expected"):
        evaluate(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sets.contains([], [])", True),
        ("sets.contains([], [1])", False),
        ("sets.contains([1, 2, 3, 4], [2, 3])", True),
        ("sets.contains([1], [1, 1])", True),
        ("sets.contains([1, 2.0, 3u], [1.0, 2u, 3])", True),
        ("sets.contains([1, true], [1.0, 'x'])", False),
        ("sets.equivalent([], [])", True),
        ("sets.equivalent([1], [1, 1])", True),
        ("sets.equivalent([1], [1u, 1.0])", True),
        ("sets.equivalent([1, 2, 3], [3u, 2.0, 1])", True),
        ("sets.equivalent([1, 2], [1])", False),
        ("sets.intersects([1], [])", False),
        ("sets.intersects([1], [1, 2])", True),
        ("sets.intersects([[1], [2, 3]], [[1, 2], [2, 3.0]])", True),
        ("sets.intersects([{'a': 1}], [{'a': 1.0}])", True),
        ("sets.intersects(['1'], [1])", False),
    ],
)
def test_sets(text: str, value: Any) -> None:
    assert evaluate(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("regex.replace('abc', '^', 'start_')", "start_abc"),
        ("regex.replace('abc', '$', '_end')", "abc_end"),
        (r"regex.replace('a-b', r'\b', '|')", "|a|-|b|"),
        (r"regex.replace('foo bar', '(fo)o (ba)r', r'\2 \1')", "ba fo"),
        (r"regex.replace('foo bar', 'foo', r'\\')", r"\ bar"),
        ("regex.replace('banana', 'ana', 'x')", "bxna"),
        (r"regex.replace('ac', 'a(b)?c', r'[\1]')", "[]"),
        (r"regex.replace('foo bar', r'\w+', r'(\0)')", "(foo) (bar)"),
        ("regex.replace('', 'a', 'b')", ""),
        ("regex.replace('aba', 'b*', '-')", "-a-a-"),
        ("regex.replace('añb ☃', '☃', '❄')", "añb ❄"),
        (r"regex.replace('id=1', r'id=(?P<v>\d+)', '${v}')", "${v}"),
        ("regex.replace('banana', 'a', 'x', 0)", "banana"),
        ("regex.replace('banana', 'a', 'x', 2)", "bxnxna"),
        ("regex.replace('banana', 'a', 'x', 100)", "bxnxnx"),
        ("regex.replace('banana', 'a', 'x', -12)", "bxnxnx"),
        (r"regex.replace('abc def', '(abc)', r'\\2')", r"\2 def"),
        ("regex.extract('hello world', 'hello(.*)')", " world"),
        (r"regex.extract('item-A, item-B', r'item-(\w+)')", "A"),
        ("regex.extract('brand', 'b.*d')", "brand"),
        ("regex.extract('HELLO', 'hello')", None),
        ("regex.extract('ac', 'a(b)?c')", None),
        (r"regex.extract('', r'\w+').orValue('none')", "none"),
        ("regex.extract('abc', '').value()", ""),
        ("regex.extractAll('id:123, id:456', 'assa')", []),
        (r"regex.extractAll('id:123, id:456', r'id:\d+')", ["id:123", "id:456"]),
        (r"regex.extractAll(text, r'id=(\d*)')", ["1", "23"]),
        (r"regex.extractAll('a b c', r'(\S*)\s*')", ["a", "b", "c"]),
        ("regex.extractAll('banananana', '(ana)')", ["ana", "ana"]),
        ("regex.extractAll('aab', 'a*')", ["aa", ""]),
    ],
)
def test_regex(text: str, value: Any) -> None:
    assert to_json(evaluate(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "regex.extract('foo bar', '(')",
        "regex.extractAll('foo bar', '[a-z')",
        r"regex.replace('id', 'id', r'value: \values')",
        r"regex.replace('test', '(.)', r'\2')",
        r"regex.replace('id', 'id', '\\')",
        r"regex.extract('phone: 415-5551212', r'phone: ((\d{3})-)?')",
        "regex.extractAll('user@domain', '(.*)@([^.]*)')",
    ],
)
def test_regex_refuses(text: str) -> None:
    with pytest.raises(EvaluationError, match="expected"):
        evaluate(text)
