"""Data made and judged without leaving the machine."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oncue.core.action import Action, Call, Idempotency
from oncue.core.errors import EvaluationError, InvalidInput, PermanentError
from oncue.core.expression import compile_expression, compile_template, to_json
from oncue.core.json_schema import compile_schema
from oncue.core.json_text import Json

_ROOTS = ("data",)


class TransformInput(BaseModel):
    """Data, and what to make of it."""

    model_config = ConfigDict(extra="forbid")

    data: Json = Field(description="What is there, seen as `data`.")
    expr: str | None = Field(default=None, description="CEL over `data`.", examples=["data.size()"])
    output: Json = Field(default=None, description="A template over `data`, instead of `expr`.")

    @model_validator(mode="after")
    def _has_one_recipe(self) -> Self:
        if len(self.model_fields_set & {"expr", "output"}) != 1:
            got = "both" if self.expr is not None else "none"
            raise ValueError(f"expected either 'expr' or 'output', got {got}")
        return self


class AnyOutput(BaseModel):
    """Whatever was made."""


class ValidateInput(BaseModel):
    """Data, and the schema that it must keep."""

    model_config = ConfigDict(extra="forbid")

    data: Json = Field(description="What to judge.")
    schema_: dict[str, Json] = Field(alias="schema", description="JSON Schema, draft 2020-12.")
    fail: bool = Field(default=True, description="Whether invalid data fails the step.")


class ValidateOutput(BaseModel):
    """The judgement; each error has a `path` and a `message`."""

    valid: bool
    errors: list[dict[str, str]]


async def _transform(call: Call[TransformInput]) -> Json:
    given = call.input
    values = {"data": given.data}
    try:
        if given.expr is None:
            return compile_template(given.output, roots=_ROOTS, path="output").render(values)
        return to_json(compile_expression(given.expr, roots=_ROOTS, path="expr").evaluate(values))
    except (InvalidInput, EvaluationError) as exc:
        raise PermanentError(str(exc)) from exc


async def _validate(call: Call[ValidateInput]) -> Json:
    given = call.input
    try:
        found = compile_schema(given.schema_).problems(given.data)
    except ValueError as exc:
        raise PermanentError(f"schema: {exc}") from exc
    if found and given.fail:
        place = found[0].path or "data"
        raise PermanentError(f"{len(found)} errors in the data; {place}: {found[0].message}")
    errors: list[Json] = [{"path": one.path, "message": one.message} for one in found]
    return {"valid": not errors, "errors": errors}


TRANSFORM_DATA = Action(
    name="transform_data",
    summary="Make data of data, by an expression or a template.",
    integration="oncue",
    category="data",
    input=TransformInput,
    output=AnyOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"data": [1, 2, 3], "expr": "data.filter(n, n > 1)"},
    perform=_transform,
    takes_secrets=False,
)
VALIDATE_DATA = Action(
    name="validate_data",
    summary="Judge data by a JSON Schema.",
    integration="oncue",
    category="data",
    input=ValidateInput,
    output=ValidateOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"data": {"id": 42}, "schema": {"type": "object", "required": ["id"]}},
    perform=_validate,
    takes_secrets=False,
)
