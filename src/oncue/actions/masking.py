"""Secrets on their way: not in requests that people are shown, and not in what is kept here."""

import quopri
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from oncue.core.action import AccountStore, HttpRequest
from oncue.core.errors import MalformedJson, PermanentError
from oncue.core.event import IncomingEvent
from oncue.core.json_text import Json, parse_json
from oncue.core.key_values import Count, Slot, Terms
from oncue.core.mail import Mail
from oncue.core.masking import MASK, mask, mask_json
from oncue.core.statements import Rows, Statement

_SECRET_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "x-api-key", "webhook-signature")
)


def show_request(request: HttpRequest, credentials: Mapping[str, str]) -> Json:
    """Return a request as people may see it."""
    headers: dict[str, Json] = {
        name: MASK if name.lower() in _SECRET_HEADERS else mask(value, credentials)
        for name, value in request.headers.items()
    }
    content = mask((request.body or b"").decode("utf-8", "replace"), credentials)
    try:
        body: Json = parse_json(content.encode()) if content else None
    except MalformedJson:
        body = content
    return {
        "method": request.method,
        "url": mask(request.url, credentials),
        "headers": headers,
        "body": body,
    }


def show_mail(mail: Mail, secrets: Mapping[str, str]) -> Json:
    """Return a mail as people may see it."""
    shown = mask(mail.content.decode("utf-8", "replace"), secrets)
    # Encoded for the way, a secret may go over several lines: then nothing is shown of it.
    joined = shown.replace("\r\n", "")
    decoded = quopri.decodestring(shown.encode()).decode("utf-8", "replace")
    if any(mask(text, secrets) != text for text in (joined, decoded)):
        shown = MASK
    return {"from": mail.sender, "to": mask_json([*mail.recipients], secrets), "mail": shown}


def keeping_no(secrets: Mapping[str, str], store: AccountStore) -> AccountStore:
    """Return what an account keeps with us, where nothing with a secret in it can be kept."""

    def check(*values: Json) -> None:
        if any(mask_json(value, secrets) != value for value in values):
            raise PermanentError("expected no secret in what is kept here in clear, got one")

    async def put(slot: Slot, value: Json, terms: Terms) -> int:
        check(slot.key, value)
        return await store.set(slot, value, terms)

    async def increment(slot: Slot, amount: float, terms: Terms) -> Count:
        check(slot.key)
        return await store.increment(slot, amount, terms)

    async def append(event: IncomingEvent) -> None:
        check(msgspec.structs.asdict(event))
        await store.append(event)

    async def query(statement: Statement) -> Rows:
        params = statement.params
        check(statement.sql, {**params} if isinstance(params, Mapping) else [*params])
        return await store.query(statement)

    async def put_object(key: str, content: bytes, content_type: str) -> str:
        check(key, content.decode("utf-8", "replace"))
        return await store.put_object(key, content, content_type)

    return replace(
        store, set=put, increment=increment, append=append, query=query, put_object=put_object
    )
