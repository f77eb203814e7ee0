"""Records in HubSpot's CRM."""

import re
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency, Need
from oncue.core.errors import OutcomeUnknown, PermanentError
from oncue.core.http_answer import failure, judge, read_object
from oncue.core.json_text import Json, encode_json

# HubSpot names the record that is in the way in the text of its 409 alone.
_EXISTING = re.compile(rb"Existing ID: (\d+)")
_CONFLICT: Final = 409

Scalar = str | int | float | bool | None


class RecordInput(BaseModel):
    """One record."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="contacts, companies, deals, tickets or a type of your own.",
        examples=["contacts"],
    )
    properties: dict[str, Scalar] = Field(description="Its properties, by HubSpot's names.")
    associations: list[dict[str, Json]] = Field(
        default_factory=list, description="What it belongs to, as HubSpot takes it."
    )
    id_property: str | None = Field(
        default=None,
        description="A unique property, such as `email`: a record that has its value is updated.",
    )


class RecordOutput(BaseModel):
    """What HubSpot calls the record, and whether it is new."""

    id: str
    created: bool


async def _create(call: Call[RecordInput]) -> Json:
    if call.input.id_property is not None:
        return await _upsert(call, call.input.id_property)
    body: dict[str, Json] = {
        "properties": _properties(call.input),
        "associations": call.input.associations,
    }
    answer = await _post(call, "", body)
    if answer.status == _CONFLICT:
        existing = _EXISTING.search(answer.body)
        if call.is_repeat and existing:
            # An earlier attempt arrived after all: what is in the way is what it made.
            return {"id": existing[1].decode(), "created": True}
        raise failure(answer, "HubSpot", permanent=frozenset((_CONFLICT,)))
    judge(answer, "HubSpot")
    return {"id": read_object(answer, "HubSpot").get("id"), "created": True}


async def _upsert(call: Call[RecordInput], id_property: str) -> Json:
    properties = _properties(call.input)
    if id_property not in properties:
        raise PermanentError(
            f"expected the property {id_property!r} named by id_property, got none"
        )
    record: dict[str, Json] = {
        "idProperty": id_property,
        "id": properties[id_property],
        "properties": properties,
    }
    answer = await _post(call, "/batch/upsert", {"inputs": [record]})
    judge(answer, "HubSpot", permanent=frozenset((_CONFLICT,)))
    match read_object(answer, "HubSpot").get("results"):
        case [{"id": id_, **rest}]:
            return {"id": id_, "created": bool(rest.get("new"))}
    raise OutcomeUnknown("expected HubSpot to answer with one record, got something else")


async def _post(call: Call[RecordInput], suffix: str, body: Json) -> HttpAnswer:
    base_url = call.credentials["base_url"].rstrip("/")
    return await call.send(
        HttpRequest(
            method="POST",
            url=f"{base_url}/crm/v3/objects/{call.input.type}{suffix}",
            headers={
                "Authorization": f"Bearer {call.credentials['api_key']}",
                "Content-Type": "application/json",
            },
            body=encode_json(body),
        )
    )


def _properties(given: RecordInput) -> dict[str, str]:
    """Return the properties as HubSpot takes them: text only, empty text for none."""
    return {name: _text(value) for name, value in given.properties.items()}


def _text(value: Scalar) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


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
    needs=(Need("api_key", "HUBSPOT_API_KEY"),),
)
