"""The actions that keep values, as workflows call them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oncue.actions.kv import KV_ACTIONS
from oncue.actions.library import ActionLibrary, GivenCredentials
from oncue.core.action import Ways
from oncue.core.errors import PermanentError
from oncue.core.json_text import Json
from oncue.testing.clock import VirtualClock
from oncue.testing.trial import fresh_stores

Ask = Callable[..., Awaitable[Json]]


def _with_actions(use: Callable[[Ask, ActionLibrary], Awaitable[Any]]) -> Any:
    async def send(*_: object) -> Any:
        raise AssertionError("nothing is sent")

    async def main() -> Any:
        async with fresh_stores() as stores:
            library = ActionLibrary(
                KV_ACTIONS,
                GivenCredentials(lambda *_: {}),
                Ways(send, send, send),
                VirtualClock(),
                stores,
            )

            async def ask(action: str, once: str, /, **rendered: Json) -> Json:
                return await library.perform("acc", action, rendered, once, is_repeat=False)

            return await use(ask, library)

    return asyncio.run(main())


def test_a_value_is_found_where_it_was_put() -> None:
    async def use(ask: Ask, _: ActionLibrary) -> list[Json]:
        return [
            await ask("kv_get", "1", key="k", default=7),
            await ask("kv_set", "2", key="k", value={"n": [1, None]}),
            await ask("kv_get", "3", key="k"),
            await ask("kv_get", "4", key="k", namespace="cache"),
            await ask("kv_delete", "5", key="k"),
            await ask("kv_delete", "6", key="k"),
        ]

    assert _with_actions(use) == [
        {"value": 7, "found": False, "version": 0},
        {"version": 1},
        {"value": {"n": [1, None]}, "found": True, "version": 1},
        {"value": None, "found": False, "version": 0},
        {"deleted": True},
        {"deleted": False},
    ]


def test_a_repeated_attempt_counts_once() -> None:
    async def use(ask: Ask, _: ActionLibrary) -> list[Json]:
        return [await ask("kv_increment", key, key="n", amount=2) for key in ("a", "b", "a", "c")]

    assert _with_actions(use) == [
        {"value": 2, "version": 1},
        {"value": 4, "version": 2},
        {"value": 2, "version": 1},
        {"value": 6, "version": 3},
    ]


@pytest.mark.parametrize(
    ("action", "rendered", "message"),
    [
        pytest.param(
            "kv_set",
            {"key": "k", "value": 1, "if_version": 0},
            "expected nothing under 'k', got version 1",
            id="there is one already",
        ),
        pytest.param(
            "kv_increment", {"key": "k"}, "expected a number there, got", id="not a number"
        ),
        pytest.param("kv_get", {"key": ""}, "with.key", id="no key"),
        pytest.param(
            "kv_set", {"key": "k", "value": "x" * 300_000}, "expected at most 262144", id="large"
        ),
        pytest.param("kv_get", {"key": "k", "namespace": "mine"}, "with.namespace", id="namespace"),
    ],
)
def test_what_cannot_be_says_why(action: str, rendered: dict[str, Json], message: str) -> None:
    async def use(ask: Ask, _: ActionLibrary) -> None:
        await ask("kv_set", "first", key="k", value="text")
        await ask(action, "second", **rendered)

    with pytest.raises(PermanentError, match=message):
        _with_actions(use)


def test_a_dry_run_changes_nothing() -> None:
    async def use(ask: Ask, library: ActionLibrary) -> tuple[Any, Json]:
        rendered: Json = {"key": "k", "value": 1}
        rehearsal = await library.rehearse("acc", "kv_set", rendered, "k", is_dry=True)
        return rehearsal, await ask("kv_get", "2", key="k")

    rehearsal, found = _with_actions(use)

    assert (rehearsal.output, rehearsal.error) == (None, None)
    assert found == {"value": None, "found": False, "version": 0}
