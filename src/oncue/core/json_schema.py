"""
JSON Schemas that users write: compiled once, and never a way out of the machine.

References to other places are refused, and the patterns of a schema run in an
engine that gives up instead of going through every way there is.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jsonschema_rs import Draft202012Validator, ReferencingError, ValidationError

from oncue.core.errors import Problem
from oncue.core.json_text import Json, encode_json
from oncue.core.problems import join_path

_MAX_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A schema of draft 2020-12, ready to judge."""

    _validator: Draft202012Validator

    def problems(self, data: Json) -> list[Problem]:
        """Return what is wrong with `data`, the first hundred, in the order of their paths."""
        found = [
            Problem(join_path(list(error.instance_path)), error.message)
            for error, _ in zip(
                self._validator.iter_errors(data), range(_MAX_PROBLEMS), strict=False
            )
        ]
        return sorted(found, key=lambda problem: problem.path)


def compile_schema(schema: Json) -> JsonSchema:
    """
    Return a schema that is ready to judge.

    Raises:
        ValueError: it is no JSON Schema, or leads to another place.
    """
    return _compiled(encode_json(schema))


@lru_cache(maxsize=256)
def _compiled(text: bytes) -> JsonSchema:
    try:
        return JsonSchema(Draft202012Validator(text.decode(), offline=True))
    except (ValidationError, ReferencingError) as exc:
        first = str(exc).partition("\n")[0]
        raise ValueError(f"expected a JSON Schema, got: {first}") from exc
