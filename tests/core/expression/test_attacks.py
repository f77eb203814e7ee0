"""What wants to stall or exhaust the process is refused, or stopped within the budget."""

import tracemalloc
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

import pytest

from oncue.core.errors import EvaluationError, InvalidInput
from oncue.core.expression import compile_expression, compile_template, to_json
from oncue.core.expression.budget import MAX_UNITS, Budget
from oncue.core.expression.checker import Names
from oncue.core.expression.expression import compile_source
from tests.core.expression.attacks import NUMBERS, REFUSED, STOPPED, TEXT

MAX_BYTES = 50_000_000


def peak_of(run: Callable[[], object]) -> int:
    """Return the memory that `run` takes, whatever comes of it."""
    tracemalloc.start()
    try:
        run()
    except EvaluationError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_it_is_evaluated(source: str) -> None:
    with pytest.raises(InvalidInput, match="expected"):
        compile_expression(source, roots=["event"])


@pytest.mark.parametrize(("source", "event"), STOPPED.values(), ids=STOPPED.keys())
def test_within_the_budget(source: str, event: Any) -> None:
    evaluate = compile_source(source, Names(["event"], is_checked=False)).evaluate

    peaks = [peak_of(partial(evaluate, {"event": some})) for some in _sizes(event)]

    assert max(peaks) < MAX_BYTES


def _sizes(event: Any) -> list[Any]:
    """A loop pays for all its turns beforehand, so fewer of them may cost more."""
    if not isinstance(event, list | str | dict):
        return [event]
    sizes = sorted({min(size, len(event)) for size in (4_000, 250_000)})
    if isinstance(event, dict):
        return [dict(islice(event.items(), size)) for size in sizes]
    return [event[:size] for size in sizes]


@pytest.mark.parametrize(
    ("source", "event", "units"),
    [
        pytest.param("event == event", NUMBERS[:10], 13, id="a list compared: 3 and its members"),
        pytest.param("event.map(x, x)", NUMBERS[:10], 20, id="a loop: a unit for each turn, one for its body"),
        pytest.param("event + 'a'", TEXT[:1_600], 100, id="text: a unit for 16 characters"),
        pytest.param("event.sort()", NUMBERS[:10], 20, id="sorting: two for each member"),
        pytest.param("event.matches('a')", "b" * 64, 205, id="a pattern: 200 once, and its search"),
        pytest.param("event == 'a' && 1 < 2", "b", 0, id="what cannot cost much costs nothing"),
        pytest.param("event.exists(x, timestamp(x).getHours() > 25)", NUMBERS[:10], 200, id="moments: 8 for each step"),
    ],
)  # fmt: skip
def test_units_are_counted(
    source: str, event: Any, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate = compile_expression(source, roots=["event"]).evaluate
    spent = Budget()
    # All functions that are generated have the same globals.
    monkeypatch.setitem(evaluate.__globals__, "Budget", lambda: spent)

    evaluate({"event": event})

    assert MAX_UNITS - spent.left == units


def test_the_heaviest_expression_compiles_and_one_more_part_is_refused() -> None:
    heaviest = " && ".join(["event.a"] * 375)

    assert peak_of(partial(compile_expression, heaviest, roots=["event"])) < MAX_BYTES
    with pytest.raises(InvalidInput, match="split it"):
        compile_expression(f"{heaviest} && event.a", roots=["event"])


def test_a_result_too_large_to_write_is_refused() -> None:
    evaluate = compile_expression("lists.range(1000).map(x, event)", roots=["event"]).evaluate
    shared = evaluate({"event": TEXT})

    assert peak_of(partial(to_json, shared)) < MAX_BYTES
    with pytest.raises(EvaluationError, match="budget"):
        to_json(shared)


def test_a_template_cannot_multiply_text_without_bound() -> None:
    template = compile_template("{{ lists.range(2000).map(x, event) }} !", roots=["event"])

    with pytest.raises(EvaluationError, match="budget"):
        template.render({"event": TEXT})
