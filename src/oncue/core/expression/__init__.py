"""CEL: conditions, templates and transforms, compiled to Python functions."""

from oncue.core.expression.clauses import Clause, Clauses, Failure, Fragment, compile_clauses
from oncue.core.expression.concealed import Spot, names_at, put_in
from oncue.core.expression.expression import (
    Checked,
    Expression,
    check_expression,
    compile_expression,
)
from oncue.core.expression.json_values import to_json
from oncue.core.expression.template import Conceals, Template, compile_template, everywhere, nowhere

__all__ = [
    "Checked",
    "Clause",
    "Clauses",
    "Conceals",
    "Expression",
    "Failure",
    "Fragment",
    "Spot",
    "Template",
    "check_expression",
    "compile_clauses",
    "compile_expression",
    "compile_template",
    "everywhere",
    "names_at",
    "nowhere",
    "put_in",
    "to_json",
]
