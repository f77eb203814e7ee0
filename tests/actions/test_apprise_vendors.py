"""Every vendor that is allowed sends by our way out alone: no socket, no file, no other program."""

import asyncio
import sys
import threading
from typing import Any

import pytest

from oncue.actions.apprise_vendors import BY_SCHEME, VENDORS, Vendor
from oncue.actions.apprise_wire import apprise
from oncue.actions.notification import SEND_NOTIFICATION, NotificationInput
from oncue.core.action import Call, HttpAnswer, HttpRequest, Ways
from oncue.core.json_text import Json, encode_json
from tests.actions.apprise_samples import SAMPLES

FORBIDDEN = ("socket.", "open", "os.", "subprocess.", "ctypes.", "shutil.", "tempfile.", "import")
_touched: list[tuple[str, str]] = []


def _watch(event: str, args: tuple[Any, ...]) -> None:
    # The plugins have threads of their own; what else the process does is not theirs.
    if event.startswith(FORBIDDEN) and threading.current_thread().name.startswith("apprise"):
        _touched.append((event, str(args)))


sys.addaudithook(_watch)


def _notify(url: str, answer: Json | bytes) -> tuple[Json, list[HttpRequest]]:
    requests: list[HttpRequest] = []
    content = answer if isinstance(answer, bytes) else encode_json(answer)

    async def send(request: HttpRequest) -> HttpAnswer:
        requests.append(request)
        return HttpAnswer(200, {"content-type": "application/json"}, content)

    call: Call[Any] = Call(
        account="acc",
        input=NotificationInput(body="It is down", title="Checkout", type="warning"),
        idempotency_key="key-1",
        credentials={"url": url},
        ways=Ways(send, query=None, deliver=None),  # type: ignore[arg-type] # not asked
        store=None,  # type: ignore[arg-type] # not asked
        now_ms=0,
        is_repeat=False,
    )

    async def main() -> Json:
        return await SEND_NOTIFICATION.perform(call)

    return asyncio.run(main()), requests


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_it_sends_by_our_way_out_and_touches_nothing_else(vendor: Vendor) -> None:
    url, answer = SAMPLES[vendor.name]
    # What is imported late is imported by then.
    _notify(url, answer)
    _touched.clear()
    output, requests = _notify(url, answer)

    assert _touched == []
    assert output == {"ok": True, "vendor": vendor.name, "requests": len(requests)}
    assert {request.url.partition("://")[0] for request in requests} <= {"http", "https"}


def test_the_watch_sees_what_a_plugin_would_touch() -> None:
    def touch() -> None:
        with open(__file__):
            pass

    _touched.clear()
    thread = threading.Thread(target=touch, name="apprise_0")
    thread.start()
    thread.join()

    assert [event for event, _ in _touched] == ["open"]


def test_every_service_has_its_name_and_schemes_of_apprise() -> None:
    known = apprise().plugins
    schemas: dict[str, set[str]] = {}
    for scheme in known.schemas():
        schemas.setdefault(str(known[scheme].service_name), set()).add(scheme)

    assert {one.name: {*one.schemes} for one in VENDORS} == {
        name: schemas[name] for name in SAMPLES
    }


@pytest.mark.parametrize(
    "scheme",
    [
        *("file", "syslog", "rsyslog", "dbus", "qt", "kde", "gnome", "glib", "gio", "windows"),
        *("macosx", "growl", "mailto", "mailtos", "mqtt", "mqtts", "irc", "ircs", "xmpp", "aprs"),
        *("json", "jsons", "xml", "xmls", "form", "forms", "smpp", "amqp", "blink1", "vapid"),
        *("matrix", "nostr", "emby", "http", "https", "config", "python", "exec"),
    ],
)
def test_what_reaches_other_things_is_not_allowed(scheme: str) -> None:
    assert scheme not in BY_SCHEME
