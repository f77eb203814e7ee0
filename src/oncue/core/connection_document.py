"""A connection as somebody writes it down; its values never stand in a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field, ValidationError
from pydantic.types import StrictBool

from oncue.core.documents import Document, Name
from oncue.core.errors import InvalidInput, Problem
from oncue.core.integration import Integration
from oncue.core.json_text import Json
from oncue.core.problems import nearest, problems_of

# Paths of their own under `/connections`.
_RESERVED: Final = frozenset(("schemas",))


def _unreserved(name: str) -> str:
    if name in _RESERVED:
        raise ValueError(f"expected a name that is not reserved, got {name!r}")
    return name


class ConnectionDocument(Document):
    """Credentials for an integration, under a name."""

    name: Annotated[Name, AfterValidator(_unreserved)]
    integration: str = Field(examples=["slack"])
    default: StrictBool = Field(
        default=False, description="Take it for steps that name none, if there are several."
    )
    values: dict[str, Json] = Field(
        default_factory=dict, description="As `GET /connections/schemas` tells for the integration."
    )


@dataclass(frozen=True, slots=True)
class WantedConnection:
    """A connection that means something."""

    name: str
    integration: Integration
    is_default: bool
    values: Mapping[str, str]


def parse_connection(
    document: Json,
    integrations: Mapping[str, Integration],
    hints: Mapping[str, str] | None = None,
) -> WantedConnection:
    """
    Return the connection that `document` spells; a secret that is its hint stands for itself.

    Raises:
        InvalidInput: with all problems, none of which tells a value.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput([Problem("", "expected an object, got something else")])
    given = {name: value for name, value in document.items() if name != "kind"}
    values = given.get("values", {})
    problems = []
    if not isinstance(values, Mapping):
        problems.append(Problem("values", "expected an object, got something else"))
        values = {}
    if document.get("kind", "connection") != "connection":
        problems.append(Problem("kind", "expected 'connection', got another kind"))
    name = given.get("integration")
    integration = integrations.get(name) if isinstance(name, str) else None
    if isinstance(name, str) and integration is None:
        known = nearest(name, integrations)
        problems.append(Problem("integration", f"expected an integration, got {name!r}{known}"))
    if integration:
        kept = hints or {}
        changed = {k: v for k, v in values.items() if k not in kept or v != kept[k]}
        problems += integration.problems_in(changed)
    try:
        parsed = ConnectionDocument.model_validate({**given, "values": values})
    except ValidationError as exc:
        names = ConnectionDocument.model_fields
        problems = [*problems_of(exc, {**given, "values": values}, names=names), *problems]
        raise InvalidInput(problems) from exc
    if problems or integration is None:
        raise InvalidInput(problems)
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return WantedConnection(parsed.name, integration, parsed.default, texts)
