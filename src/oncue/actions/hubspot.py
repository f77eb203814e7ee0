"""Records in HubSpot's CRM."""

import re
from collections.abc import Mapping
from typing import Final, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oncue.actions.urls import segment
from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency, Need
from oncue.core.errors import OutcomeUnknown, RetryableError
from oncue.core.http_answer import error_object, failure, judge, read_object, retry_after_ms
from oncue.core.json_text import Json, encode_json

_VENDOR: Final = "HubSpot"
# HubSpot names the record that is in the way in the text of its 409 alone.
_EXISTING = re.compile(rb"Existing ID: (\d+)")
_CONFLICT: Final = frozenset((409,))
_MULTI_STATUS: Final = 207
_TOO_MANY: Final = 429
_OF_THE_DAY: Final = "DAILY"
# Its classic API is a number, the ones after it are dates: /crm/v3/objects, /crm/objects/2026-03.
_CLASSIC = re.compile(r"v\d+", re.ASCII)
# Of these HubSpot itself makes one property unique, and refuses a second record by 409.
_UNIQUE: Final[Mapping[str, str]] = {"contacts": "email", "0-1": "email"}

Scalar = str | int | float | bool | None


class RecordId(BaseModel):
    """Which record."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    id: str


class AssociationType(BaseModel):
    """What two records are to each other."""

    model_config = ConfigDict(extra="forbid")

    associationCategory: Literal["HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED"] = (  # noqa: N815 HubSpot's name
        "HUBSPOT_DEFINED"
    )
    associationTypeId: int  # noqa: N815 HubSpot's name


class Association(BaseModel):
    """A record that this one belongs to."""

    model_config = ConfigDict(extra="forbid")

    to: RecordId
    types: list[AssociationType] = Field(min_length=1)


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="contacts, companies, deals, tickets or a type of your own.",
        examples=["contacts"],
    )
    properties: dict[str, Scalar] = Field(
        description="Its properties, by HubSpot's names; null empties one."
    )


class RecordInput(_Record):
    """One record."""

    associations: list[Association] = Field(
        default_factory=list,
        description="What it belongs to: `{to: {id}, types: [{associationTypeId}]}`.",
    )
    id_property: str | None = Field(
        default=None,
        description="A unique property, such as `email`: a record that has its value is updated. "
        "Without it a record whose creation is in doubt is not made again unasked, but for "
        "contacts, whose e-mail is unique.",
    )

    @model_validator(mode="after")
    def _can_be_found_again(self) -> Self:
        if self.id_property is None:
            return self
        if self.id_property not in self.properties:
            missing = f"the property {self.id_property!r}, which id_property names"
            raise ValueError(f"expected {missing}, got none")
        if self.associations:
            raise ValueError("expected no associations beside id_property, got some")
        return self


class RecordOutput(BaseModel):
    """What HubSpot calls the record, and whether it is new."""

    id: str
    created: bool


class ChangeInput(_Record):
    """Which record, and what to change."""

    id: str = Field(
        min_length=1,
        coerce_numbers_to_str=True,
        description="HubSpot's id, or the value of `id_property`.",
    )
    id_property: str | None = Field(
        default=None, description="A unique property that `id` is a value of.", examples=["email"]
    )


class ChangeOutput(BaseModel):
    """What HubSpot calls the record."""

    id: str


async def _create(call: Call[RecordInput]) -> Json:
    given = call.input
    if given.id_property is not None:
        return await _upsert(call, given.id_property)
    body: dict[str, Json] = {
        "properties": _properties(given),
        "associations": [one.model_dump(mode="json") for one in given.associations],
    }
    answer = await _send(call, "POST", "", body)
    if answer.status in _CONFLICT:
        existing = _EXISTING.search(answer.body)
        if call.is_repeat and existing:
            # An earlier attempt arrived after all: what is in the way is what it made.
            return {"id": existing[1].decode(), "created": True}
    _judge(answer)
    return {"id": read_object(answer, _VENDOR).get("id"), "created": True}


async def _upsert(call: Call[RecordInput], id_property: str) -> Json:
    properties = _properties(call.input)
    record: dict[str, Json] = {
        "idProperty": id_property,
        "id": properties[id_property],
        "properties": properties,
    }
    answer = await _send(call, "POST", "/batch/upsert", {"inputs": [record]})
    if answer.status == _MULTI_STATUS:
        raise failure(answer, _VENDOR, says=_meaning(error_object(answer)))
    _judge(answer)
    match read_object(answer, _VENDOR).get("results"):
        case [{"id": id_, **rest}]:
            return {"id": id_, "created": bool(rest.get("new"))}
    raise OutcomeUnknown("expected HubSpot to answer with one record, got something else")


async def _update(call: Call[ChangeInput]) -> Json:
    given = call.input
    by = f"?idProperty={quote(given.id_property, safe='')}" if given.id_property else ""
    place = f"/{segment(given.id)}{by}"
    answer = await _send(call, "PATCH", place, {"properties": _properties(given)})
    _judge(answer)
    return {"id": read_object(answer, _VENDOR).get("id")}


async def _send(
    call: Call[RecordInput] | Call[ChangeInput], method: str, suffix: str, body: Json
) -> HttpAnswer:
    credentials = call.credentials
    version = credentials.get("api_version", "v3")
    objects = f"{version}/objects" if _CLASSIC.fullmatch(version) else f"objects/{version}"
    base_url = credentials["base_url"].rstrip("/")
    return await call.send(
        HttpRequest(
            method=method,
            url=f"{base_url}/crm/{objects}/{call.input.type}{suffix}",
            headers={
                "Authorization": f"Bearer {credentials['api_key']}",
                "Content-Type": "application/json",
            },
            body=encode_json(body),
        )
    )


def _judge(answer: HttpAnswer) -> None:
    error = error_object(answer) if answer.status >= 400 else {}
    says = _meaning(error)
    if answer.status == _TOO_MANY:
        refused = failure(answer, _VENDOR, says=says)
        raise RetryableError(str(refused), retry_after_ms=_window_ms(answer, error))
    judge(answer, _VENDOR, permanent=_CONFLICT, says=says)


def _window_ms(answer: HttpAnswer, error: Mapping[str, Json]) -> int | None:
    """Return when there is room again: HubSpot tells the length of its window, not what is left of it."""
    interval = answer.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    if (asked := retry_after_ms(answer)) is not None:
        return asked
    is_known = error.get("policyName") != _OF_THE_DAY and re.fullmatch(r"\d{1,9}", interval)
    return int(interval) if is_known else None


def _meaning(error: Mapping[str, Json]) -> str | None:
    """Return category and message; those of the first of several where a batch has them."""
    match error:
        case {"errors": [Mapping() as first, *_], "status": "COMPLETE"}:
            return _meaning(first)
        # What comes with 429 has a type in place of a category.
        case {"category": str(category), "message": str(message)} | {
            "errorType": str(category),
            "message": str(message),
        }:
            limit = error.get("policyName")
            return f"{category}: {message}" + (f" ({limit})" if limit else "")
        case _:
            return None


def _properties(given: RecordInput | ChangeInput) -> dict[str, str]:
    """Return the properties as HubSpot takes them: text only, empty text for none."""
    return {name: _text(value) for name, value in given.properties.items()}


def _text(value: Scalar) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_found_again(document: Mapping[str, Json]) -> bool:
    """Return whether HubSpot itself refuses to make a second record of the document."""
    if document.get("id_property"):
        return True
    properties = document.get("properties")
    unique = _UNIQUE.get(str(document.get("type")))
    return isinstance(properties, Mapping) and unique in properties


CREATE_CRM_RECORD = Action(
    name="create_crm_record",
    summary="Create a record in the CRM, or update the one with the same unique property.",
    integration="hubspot",
    category="integrations",
    input=RecordInput,
    output=RecordOutput,
    idempotency=Idempotency.PROBE,
    example={"type": "contacts", "properties": {"email": "ada@example.com"}},
    perform=_create,
    is_safe_with=_is_found_again,
    needs=(Need("api_key", "HUBSPOT_API_KEY"),),
)
UPDATE_CRM_RECORD = Action(
    name="update_crm_record",
    summary="Change properties of a record in the CRM.",
    integration="hubspot",
    category="integrations",
    input=ChangeInput,
    output=ChangeOutput,
    # Set twice they are what they were set to once.
    idempotency=Idempotency.UPSERT,
    example={
        "type": "contacts",
        "id": "ada@example.com",
        "id_property": "email",
        "properties": {"lifecyclestage": "customer"},
    },
    perform=_update,
    needs=(Need("api_key", "HUBSPOT_API_KEY"),),
)
