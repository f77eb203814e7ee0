"""Notifications to whatever has a URL of Apprise: chats, phones, pagers, text messages."""

import asyncio
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from oncue.actions.apprise_vendors import BY_SCHEME, Vendor
from oncue.actions.apprise_wire import Exchange, apprise, in_thread
from oncue.core.action import Action, Call, Idempotency
from oncue.core.errors import (
    OutcomeUnknown,
    PermanentError,
    RetryableError,
)
from oncue.core.http_answer import failure
from oncue.core.integration import Credential, Integration, Reach
from oncue.core.json_text import Json
from oncue.core.masking import mask
from oncue.core.problems import nearest

_INSTALL: Final = "Apprise is not installed: pip install 'oncue[notify]'"
_OBSTACLE: Final = None if find_spec("apprise") else _INSTALL
_NO_URL: Final = "no URL: give 'url', or make a connection for apprise"
_MAX_BODY: Final = 65_536
_EXCERPT: Final = 300


class NotificationInput(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid")

    body: Annotated[str, Field(min_length=1, max_length=_MAX_BODY)] = Field(
        description="The message.", examples=["Checkout is down"]
    )
    title: str = Field(default="", max_length=1_000, description="Its title, where there is one.")
    type: Literal["info", "success", "warning", "failure"] = Field(
        default="info", description="How grave it is: `info`, `success`, `warning` or `failure`."
    )
    format: Literal["text", "markdown", "html"] = Field(
        default="text", description="What the body is: `text`, `markdown` or `html`."
    )
    url: str | None = Field(
        default=None,
        description="Where to, as Apprise writes it; by default that of the connection. "
        "It is a secret: a connection keeps it.",
        examples=["ntfys://ntfy.example.com/alerts"],
    )


class NotificationOutput(BaseModel):
    """The vendor took it; `requests` is what that needed."""

    ok: bool
    vendor: str
    requests: int


async def _send(call: Call[NotificationInput]) -> Json:
    given = call.input
    url = given.url or call.credentials.get("url")
    if url is None:
        raise PermanentError(_NO_URL)
    vendor = _vendor_of(url)
    exchange = Exchange(call.send, asyncio.get_running_loop())
    message = {
        "body": given.body,
        "title": given.title,
        "notify_type": given.type,
        "body_format": given.format,
    }
    found = await in_thread(exchange, partial(_notify, vendor, url, message))
    try:
        _judge(vendor, exchange, found)
    except (RetryableError, PermanentError, OutcomeUnknown) as exc:
        exc.args = (mask(str(exc), {"url": url}),)
        raise
    return {"ok": True, "vendor": vendor.name, "requests": len(exchange.answers)}


def _vendor_of(url: str) -> Vendor:
    scheme, sign, _ = url.partition("://")
    vendor = BY_SCHEME.get(scheme.strip().lower()) if sign else None
    if vendor is None:
        shown = repr(scheme[:20]) if sign else "no scheme"
        hint = nearest(scheme, BY_SCHEME) if sign else ""
        raise PermanentError(
            f"expected the URL of a vendor such as 'ntfys://ntfy.example.com/alerts', "
            f"got {shown}{hint}"
        )
    return vendor


def _opened(vendor: Vendor, url: str) -> Any:
    plugin = apprise().instantiate(url.strip())
    if plugin is None or str(plugin.service_name) != vendor.name:
        raise PermanentError(f"expected a URL of {vendor.name} such as {vendor.form!r}")
    if not apprise().is_bound(plugin):
        raise PermanentError(f"{vendor.name} does not send by OnCue's client in this Apprise")
    # What comes too fast is retried by us; nobody sleeps in a thread.
    plugin.throttle = _at_once
    return plugin


def _at_once(*_: object, **__: object) -> None:
    pass


def _notify(vendor: Vendor, url: str, message: Mapping[str, str]) -> bool:
    return bool(_opened(vendor, url).notify(**message))


def _judge(vendor: Vendor, exchange: Exchange, found: object) -> None:
    """Return if the vendor took the message; `found` is what its plugin gave or raised."""
    if isinstance(found, PermanentError):
        raise found
    if exchange.error:
        raise _after(exchange, exchange.error)
    refused = next((one for one in exchange.answers if not 200 <= one.status < 300), None)
    if refused:
        raise _after(exchange, failure(refused, vendor.name))
    if isinstance(found, BaseException):
        kind = type(found).__name__
        if not exchange.answers:
            raise PermanentError(f"{vendor.name} cannot be told this ({kind})")
        raise OutcomeUnknown(f"expected an answer of {vendor.name}, got something else ({kind})")
    if not exchange.answers:
        raise PermanentError(f"nothing was sent: the URL names nobody at {vendor.name}")
    if found is not True:
        words = " ".join(exchange.answers[-1].body.decode("utf-8", "replace").split())
        raise PermanentError(f"{vendor.name} refused: {words[:_EXCERPT]}")


def _after(exchange: Exchange, error: BaseException) -> BaseException:
    """Return an error as it stands after the requests that were answered before it."""
    taken = sum(200 <= one.status < 300 for one in exchange.answers)
    if isinstance(error, RetryableError) and taken:
        # Whoever has the message already would get it again.
        return OutcomeUnknown(f"{error}; {taken} of its requests were taken before")
    return error


async def _ask(values: Mapping[str, str], reach: Reach) -> str:
    """Say whether the URL is understood: there is nothing harmless to ask a vendor for."""
    if _OBSTACLE:
        raise PermanentError(_OBSTACLE)
    vendor = _vendor_of(values["url"])
    exchange = Exchange(reach.send, asyncio.get_running_loop())
    found = await in_thread(exchange, partial(_opened, vendor, values["url"]))
    if isinstance(found, BaseException):
        raise found
    return f"it is a URL of {vendor.name}; nothing was sent"


APPRISE = Integration(
    name="apprise",
    title="Notifications (Apprise)",
    credentials=(
        Credential(
            "url",
            "Where to, as Apprise writes it.",
            pattern=r"[A-Za-z0-9]+://.+",
            example="ntfys://ntfy.example.com/alerts",
        ),
    ),
    enough=(("url",),),
    probe=_ask,
)

SEND_NOTIFICATION = Action(
    name="send_notification",
    summary="Notify by any of 150 services: chats, phones, pagers.",
    integration="apprise",
    category="communication",
    input=NotificationInput,
    output=NotificationOutput,
    idempotency=Idempotency.NONE,
    example={"title": "Checkout", "body": "It is down", "type": "failure"},
    perform=_send,
    obstacle=_OBSTACLE,
)
