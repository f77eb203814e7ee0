"""CEL: conditions, templates and transforms, compiled to Python functions."""

from oncue.core.expression.expression import Expression, compile_expression
from oncue.core.expression.json_values import to_json
from oncue.core.expression.template import Template, compile_template

__all__ = ["Expression", "Template", "compile_expression", "compile_template", "to_json"]
