"""Secrets and variables as somebody writes them down; no message tells a secret's value."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationError

from oncue.core.documents import Document
from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json, encode_json
from oncue.core.masking import SHORTEST_SECRET
from oncue.core.problems import problems_of

MAX_SECRET: Final = 65_536
"""Of bytes in UTF-8: a private key with its certificates fits."""
MAX_VARIABLE: Final = 65_536
"""Of bytes as JSON."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
# A path of its own under `/secrets`.
_RESERVED: Final = frozenset(("rotate",))


def _identifier(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            "expected a name as expressions have it, of at most 63 letters, digits and '_'"
            f" and no digit first, got {text!r}"
        )
    if text in _RESERVED:
        raise ValueError(f"expected a name that is not reserved, got {text!r}")
    return text


Identifier = Annotated[str, AfterValidator(_identifier)]


def _short(value: Json) -> Json:
    size = len(encode_json(value))
    if size > MAX_VARIABLE:
        raise ValueError(f"expected at most {MAX_VARIABLE} bytes as JSON, got {size}")
    return value


class SecretDocument(Document):
    """A value that only calls see, under the name that expressions know it by."""

    kind: Literal["secret"] = "secret"
    name: Identifier = Field(examples=["STRIPE_KEY"])
    description: str = Field(default="", max_length=1_000, description="For people.")
    value: str | None = Field(
        default=None,
        description="Goes in and never comes out; may be given later.",
        json_schema_extra={"writeOnly": True},
    )


class VariableDocument(Document):
    """A value that expressions read as `vars.NAME`."""

    kind: Literal["variable"] = "variable"
    name: Identifier = Field(examples=["support_address"])
    description: str = Field(default="", max_length=1_000, description="For people.")
    value: Annotated[Json, AfterValidator(_short)] = Field(description="Any JSON.")


def parse_secret(document: Json) -> SecretDocument:
    """
    Return the secret that `document` spells.

    Raises:
        InvalidInput: with all problems, none of which tells its value.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput([Problem("", "expected an object, got something else")])
    problems = []
    shown = {**document}
    if "value" in shown and (trouble := _trouble_with(shown["value"])):
        problems.append(Problem("value", trouble))
        del shown["value"]
    try:
        parsed = SecretDocument.model_validate(shown)
    except ValidationError as exc:
        names = SecretDocument.model_fields
        # Without its cause, which holds what was given.
        raise InvalidInput([*problems_of(exc, shown, names=names), *problems]) from None
    if problems:
        raise InvalidInput(problems)
    return parsed


def parse_variable(document: Json) -> VariableDocument:
    """
    Return the variable that `document` spells.

    Raises:
        InvalidInput: with all problems.
    """
    try:
        return VariableDocument.model_validate(document)
    except ValidationError as exc:
        names = VariableDocument.model_fields
        raise InvalidInput(problems_of(exc, document, names=names)) from exc


def _trouble_with(value: Json) -> str | None:
    if not isinstance(value, str):
        return "expected text, got something else"
    size = len(value.encode())
    if len(value) < SHORTEST_SECRET:
        return (
            f"expected at least {SHORTEST_SECRET} characters, got {len(value)}:"
            " fewer could not be masked where they are echoed"
        )
    if size > MAX_SECRET:
        return f"expected at most {MAX_SECRET} bytes, got {size}"
    return None
