"""
The table of all functions and operators: one row each.

A new function is a new row in the module of its area. The checker, the
compiler and the language page of the docs are made from this table, and every
example in it is run by the tests.
"""

from collections.abc import Mapping
from types import MappingProxyType

from oncue.core.expression.function import Function
from oncue.core.expression.library import (
    conversion_rows,
    math_rows,
    operator_rows,
    optional_rows,
    string_rows,
    time_rows,
)

_AREAS = (operator_rows, conversion_rows, string_rows, time_rows, math_rows, optional_rows)

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {function.name: function for area in _AREAS for function in area.ROWS}
)
"""Every function by its name; operators are named as CEL names them, such as `_+_`."""
