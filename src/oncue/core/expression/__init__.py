"""CEL: conditions, templates and transforms, compiled to Python functions."""

from oncue.core.expression.clauses import Clause, Clauses, Failure, Fragment, compile_clauses
from oncue.core.expression.expression import (
    Checked,
    Expression,
    check_expression,
    compile_expression,
)
from oncue.core.expression.json_values import to_json
from oncue.core.expression.template import Template, compile_template

__all__ = [
    "Checked",
    "Clause",
    "Clauses",
    "Expression",
    "Failure",
    "Fragment",
    "Template",
    "check_expression",
    "compile_clauses",
    "compile_expression",
    "compile_template",
    "to_json",
]
