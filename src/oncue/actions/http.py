"""Any HTTP API."""

from typing import Annotated, Self
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator
from yarl import URL

from oncue.core.action import Action, Call, HttpRequest, Idempotency
from oncue.core.http_answer import HttpOutput, judge, show_answer
from oncue.core.instants import parse_duration
from oncue.core.json_text import Json, encode_json

Scalar = str | int | float | bool


class HttpInput(BaseModel):
    """What to ask, and of whom."""

    model_config = ConfigDict(extra="forbid")

    method: Annotated[str, Field(pattern=r"^[A-Za-z]{1,20}$")] = Field(
        default="GET", description="GET, POST, PUT, PATCH, DELETE, …"
    )
    url: str = Field(description="Where to, http or https.", examples=["https://api.example.com"])
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send.")
    query: dict[str, Scalar] = Field(default_factory=dict, description="Added to the URL.")
    json_: Json = Field(default=None, alias="json", description="A body of JSON.")
    form: dict[str, Scalar] | None = Field(default=None, description="A body of form fields.")
    body: str | None = Field(default=None, description="A body as it is.")
    timeout: str = Field(default="30s", description="How long to wait for the answer.")
    fail_on_status: bool = Field(default=True, description="Whether another status than 2xx fails.")

    @model_validator(mode="after")
    def _is_one_request(self) -> Self:
        given = self.model_fields_set & {"json_", "form", "body"}
        if len(given) > 1:
            raise ValueError("expected at most one of json, form and body, got several")
        parse_duration(self.timeout)
        return self


async def _request(call: Call[HttpInput]) -> Json:
    given = call.input
    media_type, body = _body(given)
    headers = {"Idempotency-Key": call.idempotency_key}
    if media_type:
        headers["Content-Type"] = media_type
    own = {name.lower() for name in given.headers}
    headers = {name: value for name, value in headers.items() if name.lower() not in own}
    answer = await call.send(
        HttpRequest(
            method=given.method.upper(),
            url=_with_query(given),
            headers={**headers, **given.headers},
            body=body,
            timeout_ms=parse_duration(given.timeout),
        )
    )
    if given.fail_on_status:
        judge(answer, "the server")
    return show_answer(answer)


def _body(given: HttpInput) -> tuple[str | None, bytes | None]:
    if "json_" in given.model_fields_set:
        return "application/json", encode_json(given.json_)
    if given.form is not None:
        fields = {name: _text(value) for name, value in given.form.items()}
        return "application/x-www-form-urlencoded", urlencode(fields).encode()
    if given.body is not None:
        return "text/plain; charset=utf-8", given.body.encode()
    return None, None


def _with_query(given: HttpInput) -> str:
    if not given.query:
        return given.url
    return str(URL(given.url).extend_query({k: _text(v) for k, v in given.query.items()}))


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


HTTP_REQUEST = Action(
    name="http_request",
    summary="Call any HTTP API.",
    integration="http",
    category="data",
    input=HttpInput,
    output=HttpOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"method": "POST", "url": "https://api.example.com/orders", "json": {"id": 42}},
    perform=_request,
)
