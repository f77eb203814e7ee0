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
    list_rows,
    math_rows,
    operator_rows,
    optional_rows,
    string_rows,
    time_rows,
)

AREAS: Mapping[str, tuple[Function, ...]] = MappingProxyType(
    {
        "Operators": operator_rows.ROWS,
        "Types and conversions": conversion_rows.ROWS,
        "Text": string_rows.ROWS,
        "Lists": list_rows.ROWS,
        "Time": time_rows.ROWS,
        "Numbers": math_rows.ROWS,
        "Optional values": optional_rows.ROWS,
    }
)
"""Every function and operator, by area."""

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {function.name: function for rows in AREAS.values() for function in rows}
)
"""Every function by its name; operators are named as CEL names them, such as `_+_`."""
