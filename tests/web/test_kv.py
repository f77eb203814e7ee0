"""`/kv` over real HTTP."""

from pathlib import Path
from typing import Any

import pytest

from oncue.core.key_values import MAX_KEY, MAX_VALUE_BYTES
from oncue.ports import Account, ApiKey
from oncue.web.auth import hash_key
from tests.server import READER, Answer, Served, serve


def test_what_is_kept_is_found_until_it_expires(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        body = {"value": {"n": 1}, "ttl": "1h"}
        kept = await server.request("PUT", "/kv/state/orders/last", json=body)
        found = await server.request("GET", "/kv/state/orders/last")
        server.world.clock.advance(3_600_000)
        return [kept, found, await server.request("GET", "/kv/state/orders/last")]

    kept, found, late = serve(tmp_path, use)

    assert (kept.status, kept.body, kept.headers["Etag"]) == (200, {"version": 1}, '"1"')
    assert found.headers["Etag"] == '"1"'
    assert found.body == {
        "key": "orders/last",
        "value": {"n": 1},
        "version": 1,
        "updated_at": "2026-01-01T00:00:00.000Z",
        "expires_at": "2026-01-01T01:00:00.000Z",
    }
    assert late.status == 404


def test_numbers_are_added_to_and_a_repeat_adds_nothing(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        once = {"headers": {"Idempotency-Key": "k"}}
        bodies: list[tuple[Any, Any]] = [
            ({}, {}),
            ({"amount": 2.5}, {}),
            ({"amount": 4}, once),
            ({"amount": 4}, once),
            ({"amount": 5}, once),
            ({"amount": "1"}, {}),
            ({"amont": 1}, {}),
        ]
        return [
            await server.request("POST", "/kv/state/orders/count", json=body, **options)
            for body, options in bodies
        ]

    first, second, third, repeat, other, text, misspelt = serve(tmp_path, use)

    assert [one.body for one in (first, second, third, repeat)] == [
        {"value": 1, "version": 1},
        {"value": 3.5, "version": 2},
        {"value": 7.5, "version": 3},
        {"value": 7.5, "version": 3},
    ]
    assert [one.status for one in (first, repeat, other, text, misspelt)] == [
        200, 200, 409, 422, 422
    ]  # fmt: skip
    assert "did you mean 'amount'" in misspelt.body["errors"][0]["message"]


@pytest.mark.parametrize("value", ["text", {"n": 1}, True, None])
def test_only_numbers_are_added_to(tmp_path: Path, value: Any) -> None:
    async def use(server: Served) -> Answer:
        await server.request("PUT", "/kv/state/x", json={"value": value})
        return await server.request("POST", "/kv/state/x", json={})

    refused = serve(tmp_path, use)

    assert refused.status == 422
    assert "expected a number there" in refused.body["errors"][0]["message"]


def test_a_list_goes_by_prefix_and_page(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        for key in ("b/2", "a", "b/1", "b/3", "c"):
            await server.request("PUT", f"/kv/state/{key}", json={"value": key})
        first = await server.request("GET", "/kv/state?prefix=b/&limit=2")
        rest = f"/kv/state?prefix=b/&limit=2&cursor={first.body['next_cursor']}"
        return [first.body, (await server.request("GET", rest)).body]

    pages = serve(tmp_path, use)

    assert [[row["value"] for row in page["data"]] for page in pages] == [["b/1", "b/2"], ["b/3"]]
    assert pages[1]["next_cursor"] is None


def test_changes_may_depend_on_the_version(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        async def put(body: Any, **headers: str) -> int:
            answer = await server.request("PUT", "/kv/state/k", json=body, headers=headers)
            return answer.status

        async def delete(tag: str) -> int:
            headers = {"If-Match": tag}
            return (await server.request("DELETE", "/kv/state/k", headers=headers)).status

        return [
            await put({"value": 1, "if_version": 0}),
            await put({"value": 2, "if_version": 0}),
            await put({"value": 2, "if_version": 1}),
            await put({"value": 3}, **{"If-Match": '"1"'}),
            await put({"value": 3}, **{"If-Match": '"2"'}),
            await delete('"2"'),
            await delete('"3"'),
            (await server.request("DELETE", "/kv/state/k")).status,
        ]

    assert serve(tmp_path, use) == [200, 409, 200, 412, 200, 412, 204, 404]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "place"),
    [
        pytest.param("PUT", "/kv/state/k", {}, 422, "value", id="no value"),
        pytest.param("PUT", "/kv/state/k", [1], 422, "", id="no object"),
        pytest.param("PUT", "/kv/state/k", {"value": 1, "tll": "1h"}, 422, "tll", id="unknown"),
        pytest.param("PUT", "/kv/state/k", {"value": 1, "ttl": 5}, 422, "ttl", id="ttl a number"),
        pytest.param("PUT", "/kv/state/k", {"value": 1, "ttl": "0s"}, 422, "ttl", id="no time"),
        pytest.param(
            "PUT", "/kv/state/k", {"value": 1, "if_version": -1}, 422, "if_version", id="below 0"
        ),
        pytest.param("PUT", f"/kv/state/{'k' * (MAX_KEY + 1)}", {"value": 1}, 422, "key", id="key"),
        pytest.param(
            "PUT", "/kv/state/k", {"value": "x" * MAX_VALUE_BYTES}, 422, "value", id="large"
        ),
        pytest.param(
            "PUT",
            "/kv/state/k",
            {"value": "x" * (MAX_VALUE_BYTES + 5_000)},
            413,
            None,
            id="much too large",
        ),
        pytest.param("GET", "/kv/stat/k", None, 404, None, id="no such namespace"),
        pytest.param("GET", "/kv/state?limit=0", None, 422, "limit", id="limit"),
        pytest.param("GET", "/kv/state?cursor=%21", None, 422, "cursor", id="cursor"),
        pytest.param("GET", f"/kv/state?prefix={'k' * 600}", None, 422, "prefix", id="prefix"),
    ],
)
def test_what_is_refused_says_where(
    tmp_path: Path, method: str, path: str, body: Any, status: int, place: str | None
) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        refused = await server.request(method, path, json=body)
        return refused, await server.request("GET", "/kv/state")

    refused, listed = serve(tmp_path, use)

    assert refused.status == status
    if place is not None:
        assert [problem["path"] for problem in refused.body["errors"]] == [place]
    assert listed.body["data"] == []


def test_the_nearest_namespace_is_named(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("GET", "/kv/cash")

    assert "did you mean 'cache'" in serve(tmp_path, use).body["detail"]


def test_accounts_do_not_see_each_others_keys(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        accounts = server.world.parts.accounts
        await accounts.add(Account("acc_other", "other", 0))
        key = ApiKey("key_other", "acc_other", hash_key("other-key"), frozenset(("operator",)), 0)
        await accounts.put_api_key("acc_other", key)
        await server.request("PUT", "/kv/state/k", json={"value": "mine"})
        got = await server.request("GET", "/kv/state/k", key="other-key")
        gone = await server.request("DELETE", "/kv/state/k", key="other-key")
        listed = await server.request("GET", "/kv/state", key="other-key")
        kept = await server.request("GET", "/kv/state/k")
        return [got.status, gone.status, listed.body["data"], kept.body["value"]]

    assert serve(tmp_path, use) == [404, 404, [], "mine"]


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        put = await server.request("PUT", "/kv/state/k", json={"value": 1}, key=READER)
        deleted = await server.request("DELETE", "/kv/state/k", key=READER)
        listed = await server.request("GET", "/kv/state", key=READER)
        return [put.status, deleted.status, listed.status]

    assert serve(tmp_path, use) == [403, 403, 200]
