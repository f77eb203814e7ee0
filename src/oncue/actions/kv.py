"""What workflows remember under keys."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from oncue.core.action import Action, Call, Idempotency
from oncue.core.documents import DurationMs
from oncue.core.json_text import Json
from oncue.core.key_values import MAX_KEY, Namespace, Slot, Terms

_Ttl = Annotated[DurationMs, Field(gt=0)]
_Version = Annotated[int, Field(ge=0, strict=True)]


class _Keyed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=1, max_length=MAX_KEY, description="The key.", examples=["last"])
    namespace: Namespace = Field(
        default=Namespace.STATE, description="`state`, or `cache` for the answers of steps."
    )

    @property
    def slot(self) -> Slot:
        """The place that is meant."""
        return Slot(self.namespace, self.key)


class GetInput(_Keyed):
    """What to look up."""

    default: Json = Field(default=None, description="The value where there is none.")


class GetOutput(BaseModel):
    """What is kept there; without anything `version` is 0."""

    value: Json
    found: bool
    version: int


class SetInput(_Keyed):
    """What to keep, and on what terms."""

    value: Json = Field(description="Any JSON, at most 256 KiB.")
    ttl: _Ttl | None = Field(default=None, description="After which it is gone.", examples=["24h"])
    if_version: _Version | None = Field(
        default=None, description="Fail unless this version is there; 0: nothing may be."
    )


class SetOutput(BaseModel):
    """The version that the value got; it counts from 1 for each key."""

    version: int


class IncrementInput(_Keyed):
    """What to count, and by how much."""

    amount: StrictInt | StrictFloat = Field(
        default=1, description="Added to the number there; without one to 0."
    )
    ttl: _Ttl | None = Field(
        default=None, description="After which a number that this begins is gone.", examples=["1h"]
    )


class IncrementOutput(BaseModel):
    """The number as it is now."""

    value: int | float
    version: int


class DeleteInput(_Keyed):
    """What to forget."""

    if_version: _Version | None = Field(
        default=None, description="Fail unless this version is there."
    )


class DeleteOutput(BaseModel):
    """Whether there was something."""

    deleted: bool


async def _get(call: Call[GetInput]) -> Json:
    found = await call.store.get(call.input.slot)
    if found is None:
        return {"value": call.input.default, "found": False, "version": 0}
    return {"value": found.value, "found": True, "version": found.version}


async def _set(call: Call[SetInput]) -> Json:
    given = call.input
    terms = Terms(given.ttl, given.if_version, call.idempotency_key)
    return {"version": await call.store.set(given.slot, given.value, terms)}


async def _increment(call: Call[IncrementInput]) -> Json:
    given = call.input
    terms = Terms(given.ttl, once=call.idempotency_key)
    count = await call.store.increment(given.slot, given.amount, terms)
    return {"value": count.value, "version": count.version}


async def _delete(call: Call[DeleteInput]) -> Json:
    given = call.input
    terms = Terms(if_version=given.if_version, once=call.idempotency_key)
    return {"deleted": await call.store.delete(given.slot, terms)}


KV_GET = Action(
    name="kv_get",
    summary="Look up what is kept under a key.",
    integration="oncue",
    category="data",
    input=GetInput,
    output=GetOutput,
    idempotency=Idempotency.NONE,
    example={"key": "last-order", "default": 0},
    perform=_get,
    takes_secrets=False,
    is_harmless_to_repeat=True,
)
KV_SET = Action(
    name="kv_set",
    summary="Keep a value under a key.",
    integration="oncue",
    category="data",
    input=SetInput,
    output=SetOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"key": "last-order", "value": {"id": 42}, "ttl": "24h"},
    perform=_set,
    takes_secrets=False,
)
KV_INCREMENT = Action(
    name="kv_increment",
    summary="Add to a number under a key, whoever else does so at once.",
    integration="oncue",
    category="data",
    input=IncrementInput,
    output=IncrementOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"key": "signups", "amount": 1},
    perform=_increment,
    takes_secrets=False,
)
KV_DELETE = Action(
    name="kv_delete",
    summary="Forget what is kept under a key.",
    integration="oncue",
    category="data",
    input=DeleteInput,
    output=DeleteOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"key": "last-order"},
    perform=_delete,
    takes_secrets=False,
)
KV_ACTIONS = (KV_GET, KV_SET, KV_INCREMENT, KV_DELETE)
