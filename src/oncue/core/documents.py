"""What the documents of users have in common: strict models, names, times."""

import re
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
)
from pydantic_core import CoreSchema

from oncue.core.instants import parse_duration, parse_instant

MAX_NAME: Final = 63
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
# An id has an underscore, which no name has.
RESERVED_NAMES = frozenset(("test", "templates"))


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"expected a name of at most 63 lower-case letters, digits and '-', got {text!r}"
        )
    if text in RESERVED_NAMES:
        raise ValueError(f"expected a name that is not reserved, got {text!r}")
    return text


def _duration(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f"expected a duration such as '24h', got {value!r}")  # noqa: TRY004 pydantic wants it
    return parse_duration(value)


def _instant(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f"expected an instant such as '2026-11-23T06:32:00Z', got {value!r}")  # noqa: TRY004 pydantic wants it
    return parse_instant(value)


Name = Annotated[str, AfterValidator(_name)]
DurationMs = Annotated[int, BeforeValidator(_duration, json_schema_input_type=str)]
InstantMs = Annotated[int, BeforeValidator(_instant, json_schema_input_type=str)]


def _take_literally(schema: object) -> None:
    # Strict models would refuse the lists of JSON where there are tuples, and text for enums.
    if isinstance(schema, dict):
        if schema.get("type") in ("bool", "int", "float"):
            schema["strict"] = True
        for part in schema.values():
            _take_literally(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            _take_literally(part)


class Document(BaseModel):
    """Something a user wrote; what it does not know is an error, and "5" and "no" are text."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return how pydantic reads it."""
        schema = handler(source)
        _take_literally(schema)
        return schema
