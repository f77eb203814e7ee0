"""Notifications by Apprise: over real HTTP, through the guard, and what each answer means."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from oncue.actions.library import ActionLibrary, GivenCredentials
from oncue.actions.notification import APPRISE, SEND_NOTIFICATION
from oncue.core.action import HttpAnswer, HttpRequest, Ways
from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.integration import Reach
from oncue.core.json_text import Json
from oncue.outgoing.client import OutgoingClient
from oncue.testing.clock import VirtualClock
from oncue.testing.trial import fresh_stores, try_action, ways_of
from oncue.testing.vendors import DROP, LOSE_ANSWER, AcceptingSimulator, Fixed
from tests.architecture.rules import ROOT

MESSAGE: dict[str, Json] = {"title": "Checkout", "body": "It is *down*", "type": "failure"}
TOKEN = "token-of-nobody-8421"


def _with(use: Callable[[AcceptingSimulator], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with AcceptingSimulator() as vendor:
            return await use(vendor)

    return asyncio.run(main())


def _ntfy(vendor: AcceptingSimulator) -> str:
    return f"ntfy://shop:{TOKEN}@{vendor.base_url.partition('://')[2]}/alerts"


def _send(vendor: AcceptingSimulator, **given: Json) -> Awaitable[Json]:
    return try_action(SEND_NOTIFICATION, {**MESSAGE, **given}, {"url": _ntfy(vendor)}, vendor)


def test_a_message_goes_out_over_http() -> None:
    async def use(vendor: AcceptingSimulator) -> Any:
        return await _send(vendor), vendor.calls[0], _sent(vendor)

    output, call, sent = _with(use)

    assert output == {"ok": True, "vendor": "ntfy", "requests": 1}
    assert call.method == "POST"
    assert (sent["topic"], sent["title"]) == ("alerts", "Checkout")
    assert "It is *down*" in sent["message"]
    assert call.headers["authorization"].startswith("Basic ")


def _sent(vendor: AcceptingSimulator) -> Any:
    return vendor.calls[0].body


def test_the_url_of_the_step_comes_before_that_of_the_connection() -> None:
    async def use(vendor: AcceptingSimulator) -> Any:
        other = _ntfy(vendor).replace("alerts", "others")
        await _send(vendor, url=other)
        return _sent(vendor)["topic"]

    assert _with(use) == "others"


@pytest.mark.parametrize(
    ("format_", "body", "sent"),
    [("html", "<b>down</b>", "down"), ("markdown", "**down**", "**down**"), ("text", "a<b", "a<b")],
)
def test_a_body_is_converted_to_what_the_service_takes(format_: str, body: str, sent: str) -> None:
    async def use(vendor: AcceptingSimulator) -> Any:
        await _send(vendor, body=body, format=format_)
        return _sent(vendor)["message"]

    assert sent in _with(use)


@pytest.mark.parametrize(
    ("answers", "error", "told"),
    [
        pytest.param([Fixed(503, "busy")], RetryableError, "ntfy answered 503: busy", id="busy"),
        pytest.param([Fixed(429, "", {"Retry-After": "2"})], RetryableError, "429", id="too fast"),
        pytest.param([Fixed(403, "no")], PermanentError, "ntfy answered 403: no", id="refused"),
        pytest.param([DROP], OutcomeUnknown, "no whole answer", id="lost before"),
        pytest.param([LOSE_ANSWER], OutcomeUnknown, "no whole answer", id="lost after"),
    ],
)
def test_what_an_answer_means(answers: list[Any], error: type[ActionError], told: str) -> None:
    async def use(vendor: AcceptingSimulator) -> None:
        vendor.answer_next(*answers)
        await _send(vendor)

    with pytest.raises(error, match=told):
        _with(use)


def test_what_came_to_some_is_not_sent_again_unasked() -> None:
    async def use(vendor: AcceptingSimulator) -> Any:
        vendor.answer_next(None, Fixed(503))
        url = _ntfy(vendor) + "/others/more"
        with pytest.raises(OutcomeUnknown, match="2 of its requests were taken before"):
            await _send(vendor, url=url)
        return len(vendor.calls)

    assert _with(use) == 3


def test_after_an_answer_was_lost_nobody_else_is_told() -> None:
    async def use(vendor: AcceptingSimulator) -> Any:
        vendor.answer_next(DROP)
        with pytest.raises(OutcomeUnknown):
            await _send(vendor, url=_ntfy(vendor) + "/others/more")
        return len(vendor.calls)

    assert _with(use) == 1


def test_one_message_goes_to_fifty_at_most() -> None:
    async def use(vendor: AcceptingSimulator) -> Any:
        url = _ntfy(vendor) + "".join(f"/t{number}" for number in range(60))
        with pytest.raises(PermanentError, match="expected at most 50 requests, got more"):
            await _send(vendor, url=url)
        return len(vendor.calls)

    assert _with(use) == 50


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:1", "localhost:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "169.254.169.254"),
        *("2130706433", "0x7f.1", "10.0.0.1", "[fd00::1]", "0.0.0.0:1"),
    ],
)
def test_private_addresses_are_not_reached(host: str) -> None:
    with pytest.raises(ActionError) as caught:
        asyncio.run(try_action(SEND_NOTIFICATION, MESSAGE, {"url": f"gotify://{host}/{TOKEN}"}))

    # Odd spellings are no addresses at all; then nothing was connected to either.
    said = str(caught.value)
    assert any(part in said for part in ("not a public address", "no valid", "expected a URL"))


def test_a_redirect_leads_to_no_private_address() -> None:
    async def use(vendor: AcceptingSimulator) -> Any:
        async with AcceptingSimulator() as secret:
            vendor.answer_next(Fixed(307, "", {"Location": f"{secret.base_url}/latest"}))
            with pytest.raises(PermanentError, match="not a public address"):
                await _send(vendor)
            return secret.calls

    assert _with(use) == []


class _Resolver(AbstractResolver):
    """Resolves every name to the loopback."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


def test_a_public_name_of_a_private_address_is_not_reached() -> None:
    async def use(vendor: AcceptingSimulator) -> Any:
        port = vendor.base_url.rpartition(":")[2]
        async with OutgoingClient(resolver=_Resolver()) as client:
            with pytest.raises(PermanentError, match="is not a public address"):
                await _tried(f"ntfy://ntfy.example.com:{port}/alerts", client.send)
        return vendor.calls

    assert _with(use) == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("syslog://", "got 'syslog'"),
        ("mailto://user:pass@example.com", "got 'mailto'"),
        ("json://example.com/hook", "got 'json'"),
        ("file:///etc/passwd", "got 'file'"),
        ("ntfyz://example.com/a", "got 'ntfyz'; did you mean 'ntfy'"),
        ("ntfy.example.com/a", "got no scheme"),
        (
            "tgram://not-a-token",
            "expected a URL of Telegram such as 'tgram://{bot_token}'",
        ),
        ("workflows://a.example.com/b/c/?template=/etc/passwd", "expected a URL of Power Automate"),
        ("workflows://a.example.com/b/c/?template=http://127.0.0.1/x", "expected a URL of Power"),
        ("fcm://project/device?keyfile=/etc/passwd", "expected a URL of Firebase"),
    ],
)
def test_what_is_no_url_of_an_allowed_service_is_told(url: str, told: str) -> None:
    with pytest.raises(PermanentError) as caught:
        asyncio.run(try_action(SEND_NOTIFICATION, MESSAGE, {"url": url}))

    assert told in str(caught.value)
    assert "passwd" not in str(caught.value)


def test_without_any_url_the_remedy_is_told() -> None:
    with pytest.raises(PermanentError, match="give 'url', or make a connection for apprise"):
        asyncio.run(try_action(SEND_NOTIFICATION, MESSAGE, {}))


def test_no_part_of_the_url_stands_in_an_error(caplog: pytest.LogCaptureFixture) -> None:
    url = f"tgram://123456789:{'AbCd' * 9}/12345678"

    async def send(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(401, {}, f"unknown bot {request.url}".encode())

    with pytest.raises(PermanentError) as caught:
        asyncio.run(_tried(url, send))

    assert "AbCd" not in str(caught.value)
    assert "12345678" not in str(caught.value)
    assert "AbCd" not in caplog.text


async def _tried(url: str, send: Callable[[HttpRequest], Awaitable[HttpAnswer]]) -> Json:
    async with fresh_stores() as stores:
        ways = Ways(send, send, send)  # type: ignore[arg-type] # only the first is asked
        library = ActionLibrary(
            [SEND_NOTIFICATION],
            GivenCredentials(lambda *_: {"url": url}),
            ways,
            VirtualClock(),
            stores,
        )
        return await library.perform("a", "send_notification", MESSAGE, "k", is_repeat=False)


def test_a_dry_run_shows_the_request_and_no_secret() -> None:
    url = f"tgram://123456789:{'AbCd' * 9}/12345678"

    async def main() -> Any:
        async with OutgoingClient() as client, fresh_stores() as stores:
            library = ActionLibrary(
                [SEND_NOTIFICATION],
                GivenCredentials(lambda *_: {"url": url}),
                ways_of(client),
                VirtualClock(),
                stores,
            )
            return await library.rehearse("a", "send_notification", MESSAGE, "k", is_dry=True)

    found = asyncio.run(main())

    assert found.error is None
    assert found.requests[0]["method"] == "POST"
    assert "https://api.telegram.org/bot" in found.requests[0]["url"]
    assert "AbCd" not in str(found.requests)


def test_each_of_many_at_once_goes_its_own_way() -> None:
    async def main() -> list[Json]:
        arrived: list[int] = []
        all_here = asyncio.Event()

        async def one(number: int) -> Json:
            async def send(request: HttpRequest) -> HttpAnswer:
                assert f"topic-{number}" in str(request.body)
                arrived.append(number)
                # As many as there are threads are on their way at once.
                if len(arrived) == 16:
                    all_here.set()
                await all_here.wait()
                return HttpAnswer(200, {}, b"{}")

            return await _tried(f"ntfy://ntfy.example/topic-{number}", send)

        return await asyncio.gather(*(one(number) for number in range(40)))

    assert asyncio.run(main()) == [{"ok": True, "vendor": "ntfy", "requests": 1}] * 40


def test_what_is_given_up_frees_its_thread() -> None:
    async def main() -> Any:
        asked: list[str] = []

        async def accept(_: HttpRequest) -> HttpAnswer:
            return HttpAnswer(200, {}, b"{}")

        # More than there are threads.
        for _ in range(20):
            is_asked = asyncio.Event()

            async def hang(request: HttpRequest, is_asked: asyncio.Event = is_asked) -> HttpAnswer:
                asked.append(request.url)
                is_asked.set()
                await asyncio.Event().wait()
                raise AssertionError("nobody answers")

            attempt = asyncio.create_task(_tried("ntfy://ntfy.example/a/b", hang))
            await is_asked.wait()
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)
        return len(asked), await _tried("ntfy://ntfy.example/a/b", accept)

    asked, output = asyncio.run(main())

    assert asked == 20, "of each the second request is never sent"
    assert output == {"ok": True, "vendor": "ntfy", "requests": 2}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ntfys://ntfy.example.com/alerts", "it is a URL of ntfy; nothing was sent"),
        ("tgram://nothing", "expected a URL of Telegram"),
        ("syslog://", "got 'syslog'"),
    ],
)
def test_a_connection_is_tested_without_sending(url: str, told: str) -> None:
    async def main() -> str:
        assert APPRISE.probe
        try:
            return await APPRISE.probe({"url": url}, Reach(_unasked, _unasked, _unasked, lambda: 0))
        except PermanentError as exc:
            return str(exc)

    assert told in asyncio.run(main())


@pytest.mark.parametrize("url", [f"tgram://123456789:{'AbCd' * 9}/1", "ntfys://h.example:8/a"])
def test_a_connection_takes_urls_of_apprise(url: str) -> None:
    assert APPRISE.problems_in({"url": url}) == []


def test_what_it_lacks_is_told_at_save_and_at_the_call() -> None:
    told = "Apprise is not installed"

    async def main() -> str | None:
        async with fresh_stores() as stores:
            action = replace(SEND_NOTIFICATION, obstacle=told)
            ways = Ways(_unasked, _unasked, _unasked)
            library = ActionLibrary(
                [action], GivenCredentials(lambda *_: {}), ways, VirtualClock(), stores
            )
            with pytest.raises(PermanentError, match=told):
                await library.perform("a", action.name, MESSAGE, "k", is_repeat=False)
            return await library.missing("a", action.name)

    assert asyncio.run(main()) == told


async def _unasked(*_: object) -> Any:
    raise AssertionError("nothing is sent")


WITHOUT = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("apprise", "requests"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hide())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "apprise" else found(name, *more)
from oncue.actions.packages import available
(action,) = [one for one in available().actions if one.name == "send_notification"]
print(action.obstacle)
"""


def test_without_apprise_everything_else_is_there_and_the_remedy_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == (
        "Apprise is not installed: pip install 'oncue[notify]'\n",
        "",
    )
