"""A short run of the comparison with cel-cpp, always the same."""

import importlib.util
import signal

import pytest

from tests.core.expression.oracle import compare

IS_THERE = importlib.util.find_spec("cel_expr_python") is not None and hasattr(signal, "alarm")
NEEDED = "needs cel-expr-python, a developer's dependency, and alarms, which Windows does not have"


@pytest.mark.skipif(not IS_THERE, reason=NEEDED)
def test_cel_cpp_agrees() -> None:
    outcomes, differences = compare(2_000, seed=1)

    assert list(map(str, differences)) == []
    assert outcomes["value"] > 800
    assert outcomes["error"] > 600
