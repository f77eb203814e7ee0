"""The language page says what is so: its expressions are true, its limits are the limits."""

import re
from pathlib import Path

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.expression import budget, compile_expression
from oncue.core.expression.values import TYPES, Kind

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "expressions.md").read_text("utf-8")
VALUES = {
    "event": {
        "type": "user.signup",
        "time": "2026-11-23T06:32:00Z",
        "data": {"plan": "enterprise", "seats": 12, "items": [{"price": 3}, {"price": 200}]},
    },
    "cart": [{"data": {"total": total}} for total in (1, 2.5, 4)],
}
EXAMPLES = [
    line
    for block in re.findall(r"```cel\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_true(example: str) -> None:
    expression = compile_expression(example, roots=["event"], lists=["cart"])

    assert expression.evaluate(VALUES) is True


def test_the_refusal_is_as_shown() -> None:
    (shown,) = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    text = shown.splitlines()[1].strip()

    with pytest.raises(InvalidInput) as caught:
        compile_expression(text, roots=["event"])
    assert caught.value.problems[0].message == shown


def test_every_kind_of_value_is_listed() -> None:
    listed = set(re.findall(r"^\| `([\w.]+)` \| .* \| .* \|$", PAGE, re.MULTILINE))

    assert {named.name for kind, named in TYPES.items() if kind is not Kind.ANY} <= listed


@pytest.mark.parametrize(
    "limit",
    [
        budget.MAX_SOURCE_CHARS,
        budget.MAX_TOKENS,
        budget.MAX_BULK,
        budget.MAX_NESTING,
        budget.MAX_DEPTH,
        budget.MAX_UNITS,
    ],
)
def test_every_limit_is_told(limit: int) -> None:
    _, _, limits = PAGE.partition("## Limits")

    assert f"{limit:,}".replace(",", " ") in limits
