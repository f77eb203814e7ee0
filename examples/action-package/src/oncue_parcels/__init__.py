"""Actions of OnCue for a parcel service: one that has a parcel collected."""

from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from oncue.extend import (
    Action,
    Call,
    Credential,
    HttpRequest,
    Idempotency,
    Integration,
    Json,
    Need,
    Reach,
    encode_json,
    judge,
    read_object,
)

VENDOR = "the parcel service"


class PickupInput(BaseModel):
    """What a step gives under `with`; unknown fields are refused when the workflow is saved."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field(description="Where the parcel waits.", min_length=1)
    day: date = Field(description="When it is collected.", examples=["2026-12-01"])
    note: str | None = Field(default=None, description="For the driver.")


class PickupOutput(BaseModel):
    """What later steps find under `steps.<id>.output`."""

    id: str
    window: str


async def _book(call: Call[PickupInput]) -> Json:
    # `call.send` is the only way out: it refuses private addresses, and bounds time and sizes.
    answer = await call.send(
        HttpRequest(
            "POST",
            f"{_endpoint(call.credentials)}/v1/pickups",
            {
                "Authorization": f"Bearer {call.credentials['api_key']}",
                "Content-Type": "application/json",
                # The same for each attempt of a step: the vendor books once, however often we ask.
                "Idempotency-Key": call.idempotency_key,
            },
            encode_json(call.input.model_dump(mode="json", exclude_none=True)),
        )
    )
    # 408, 409, 425, 429 and 5xx are tried again, other refusals are final.
    judge(answer, VENDOR)
    booked = read_object(answer, VENDOR)
    return {"id": booked.get("id"), "window": booked.get("window")}


async def _ask(values: Mapping[str, str], reach: Reach) -> str:
    """Ask something harmless, for `oncue connections test`."""
    request = HttpRequest(
        "GET", f"{_endpoint(values)}/v1/me", {"Authorization": f"Bearer {values['api_key']}"}
    )
    answer = await reach.send(request)
    judge(answer, VENDOR)
    return f"{VENDOR} knows the key of {read_object(answer, VENDOR).get('name')}"


def _endpoint(values: Mapping[str, str]) -> str:
    return values["base_url"].rstrip("/")


PARCELS = Integration(
    name="parcels",
    title="Parcel service",
    credentials=(
        Credential("api_key", "Key of the parcel service.", example="pk_123456789"),
        # By this name `oncue test` leads calls to a simulated vendor.
        Credential(
            "base_url",
            "Where the service is.",
            is_secret=False,
            default="https://api.parcels.example",
            pattern=r"https?://.+",
        ),
    ),
    enough=(("api_key",),),
    probe=_ask,
)

BOOK_PICKUP = Action(
    name="parcels_book_pickup",
    summary="Have a parcel collected.",
    integration="parcels",
    category="logistics",
    input=PickupInput,
    output=PickupOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"address": "1 Main Street, Springfield", "day": "2026-12-01"},
    perform=_book,
    needs=(Need("api_key"),),
)

CONTENTS = (PARCELS, BOOK_PICKUP)
