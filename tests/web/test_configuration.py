"""`/apply` and `/export`: definitions of all kinds, together or not at all."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import Conflict
from oncue.core.json_text import Json
from oncue.ports import Connection, Keepable, Variable
from oncue.store.sql.database import SqlDatabase
from oncue.store.sql.named_values import SqlVariables
from oncue.store.sql.shelf import SqlShelf
from tests.installation import ACCOUNT, CrashError, installed
from tests.make import make_call, make_document
from tests.server import READER, Answer, Served, serve

TOKEN = "xoxb-planted-secret-5678"
VARIABLE: dict[str, Any] = {
    "kind": "variable",
    "name": "region",
    "value": {"code": "eu", "none": None},
}
SECRET = {"kind": "secret", "name": "KEY", "description": "of the shop"}
CONNECTION: dict[str, Any] = {
    "kind": "connection", "name": "alerts", "integration": "slack", "default": True,
    "values": {"base_url": "https://slack.example"},
}  # fmt: skip
WORKFLOW = {
    "kind": "workflow",
    **make_document(
        on=[
            {"type": "event", "event": "user.signup"},
            {"type": "schedule", "every": "1h"},
        ],
        steps=[make_call("s", **{"with": {"text": "{{ secrets.KEY }} {{ vars.region.code }}"}})],
    ),
}
PATTERN = {
    "kind": "pattern", "name": "big", "workflow": "greet", "enabled": False,
    "pattern": {"type": "event", "event": "order.paid", "where": "event.data.amount > 10"},
}  # fmt: skip
SCHEDULE = {"kind": "schedule", "name": "nightly", "cron": "30 2 * * *"}
HOOK = {"kind": "hook", "name": "repository", "scheme": "github"}
# Whatever is named stands after what names it.
ALL: list[dict[str, Any]] = [HOOK, SCHEDULE, PATTERN, WORKFLOW, CONNECTION, SECRET, VARIABLE]


async def _apply(server: Served, documents: Any, query: str = "") -> Answer:
    return await server.request("POST", f"/apply{query}", json=documents)


async def _export(server: Served) -> Any:
    return (await server.request("GET", "/export")).body["documents"]


def _words(answer: Answer) -> dict[str, str]:
    return {change["kind"]: change["change"] for change in answer.body["changes"]}


def test_everything_is_saved_in_any_order_and_then_left_alone(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        first = await _apply(server, ALL)
        again = await _apply(server, [*reversed(ALL)])
        return first, again, await _export(server), await _apply(server, await _export(server))

    first, again, exported, back = serve(tmp_path, use)

    assert first.status == 200
    assert _words(first) == {document["kind"]: "created" for document in ALL}
    assert [change["kind"] for change in first.body["changes"]] == [d["kind"] for d in ALL]
    assert set(_words(again).values()) == {"unchanged"}
    assert sorted(exported, key=lambda d: d["kind"]) == sorted(ALL, key=lambda d: d["kind"])
    assert set(_words(back).values()) == {"unchanged"}
    assert all(change["version"] == 1 for change in back.body["changes"])


def test_what_is_exported_defines_the_same_in_an_empty_account(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await _apply(server, ALL)
        exported = await _export(server)
        other = (await server.request("POST", "/accounts", json={"name": "acme"})).body["api_key"]
        there = (await server.request("GET", "/export", key=other)).body["documents"]
        applied = await server.request("POST", "/apply", json=exported, key=other)
        found = (await server.request("GET", "/export", key=other)).body["documents"]
        kept = [(one["kind"], one["name"]) for one in there]
        return exported, applied, [d for d in found if (d["kind"], d["name"]) not in kept]

    exported, applied, found = serve(tmp_path, use)

    assert applied.status == 200
    assert found == exported


def test_warnings_are_those_of_afterwards(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        applied = await _apply(server, [WORKFLOW, VARIABLE, SECRET])
        return {change["kind"]: change["warnings"] for change in applied.body["changes"]}

    assert serve(tmp_path, use) == {
        "workflow": [{
            "path": "steps[0].with.text",
            "message": "secret 'KEY' has no value yet: oncue secrets set KEY",
        }],
        "variable": [],
        "secret": [{"path": "", "message": "secret 'KEY' has no value yet: oncue secrets set KEY"}],
    }  # fmt: skip


def test_all_problems_of_all_documents_are_told_and_nothing_is_saved(tmp_path: Path) -> None:
    bad = [
        VARIABLE,
        {"kind": "workflow", **make_document(name="w", steps=[{"id": "a", "type": "dealy"}])},
        {"kind": "pattern", "name": "p", "workflow": "w", "pattern": {"type": "event"}},
        {"kind": "pattern", "name": "q", "workflow": "wx", "pattern": {"type": "event", "event": "a"}},
        {**SECRET, "value": TOKEN},
        {**CONNECTION, "values": {"bot_tokne": TOKEN}},
        {"kind": "workflow", **make_document(steps=[make_call("s", connection="alerst")])},
        {**SCHEDULE, "cron": "61 * * * *"},
        {**HOOK, "scheme": "githbu"},
        {"kind": "hok", "name": "h"},
        SCHEDULE,
    ]  # fmt: skip

    async def use(server: Served) -> Any:
        refused = await _apply(server, bad)
        return refused, await _export(server)

    refused, exported = serve(tmp_path, use)

    assert (refused.status, exported) == (422, [])
    assert [one["path"] for one in refused.body["errors"]] == [
        "[1].steps[0].type",
        "[2].pattern.event",
        "[3].workflow",
        "[4].value",
        "[5].values.bot_tokne",
        "[6].steps[0].connection",
        "[7].cron",
        "[8].scheme",
        "[9].kind",
        "[10].name",
    ]
    assert TOKEN not in str(refused.body)


@pytest.mark.parametrize(
    ("documents", "paths"),
    [
        ({}, [""]),
        ([], [""]),
        ([1], ["[0]"]),
        ([{"name": "a"}], ["[0].kind"]),
        ([{"kind": "workflwo", "name": "a"}, {"kind": "hook"}], ["[0].kind", "[1].name"]),
        ([VARIABLE, SECRET, VARIABLE], ["[2].name"]),
    ],
)
def test_what_is_no_list_of_documents_is_refused(
    tmp_path: Path, documents: Any, paths: list[str]
) -> None:
    async def use(server: Served) -> Answer:
        return await _apply(server, documents)

    refused = serve(tmp_path, use)

    assert refused.status == 422
    assert [one["path"] for one in refused.body["errors"]] == paths


def test_of_two_at_once_each_is_whole(tmp_path: Path) -> None:
    def documents(value: int) -> list[Any]:
        return [{"kind": "variable", "name": f"v{n}", "value": value} for n in range(20)]

    async def use(server: Served) -> Any:
        await _apply(server, documents(0))
        answers = await asyncio.gather(*(_apply(server, documents(n)) for n in range(1, 6)))
        values = {document["value"] for document in await _export(server)}
        return {answer.status for answer in answers}, len(values)

    statuses, values = serve(tmp_path, use)

    assert 200 in statuses
    assert statuses <= {200, 409}
    assert values == 1


def test_what_a_dry_run_would_have_saved_matches_nothing_later(tmp_path: Path) -> None:
    def above(limit: int) -> dict[str, Any]:
        where = f"event.data.amount > {limit}"
        return {
            **PATTERN, "workflow": None, "enabled": True,
            "pattern": {"type": "event", "event": "order.paid", "where": where},
        }  # fmt: skip

    async def use(server: Served) -> Any:
        await _apply(server, [above(1)])
        await _apply(server, [above(100)], "?dry_run=true")
        await _apply(server, [above(2)])
        sent = {"type": "order.paid", "data": {"amount": 5}}
        assert (await server.request("POST", "/events", json=sent)).status == 202
        await server.world.engine.settled()
        return (await server.request("GET", "/patterns/big/matches")).body["data"]

    assert len(serve(tmp_path, use)) == 1


def test_a_dry_run_tells_before_and_after_and_saves_nothing(tmp_path: Path) -> None:
    changed = {**VARIABLE, "value": 5}
    connected = {**CONNECTION, "values": {"bot_token": TOKEN}}

    async def use(server: Served) -> Any:
        await _apply(server, [VARIABLE, CONNECTION])
        dry = await _apply(server, [changed, SECRET, connected], "?dry_run=true")
        return dry.body, await _export(server)

    dry, exported = serve(tmp_path, use)

    assert dry["dry_run"] is True
    assert [(c["change"], c["before"], c["after"]) for c in dry["changes"]] == [
        ("changed", VARIABLE, changed),
        ("created", None, SECRET),
        ("changed", CONNECTION, {**CONNECTION, "values": {"bot_token": "***"}}),
    ]
    assert TOKEN not in str(dry)
    assert exported == [VARIABLE, CONNECTION]


def test_secrets_that_are_not_given_stay(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        given = {**CONNECTION, "values": {**CONNECTION["values"], "bot_token": TOKEN}}
        hooked = {**HOOK, "secret": "planted-hook-secret"}
        await _apply(server, [given, hooked, SECRET])
        await server.request("PUT", "/secrets/KEY", json={"value": TOKEN})
        again = await _apply(server, [given, hooked])
        titled = await _apply(server, [CONNECTION, {**HOOK, "title": "Ours"}, SECRET])
        connections = server.world.parts.connected
        (connection,) = await connections.store.all(ACCOUNT)
        (hook,) = await server.world.parts.hooks.all(ACCOUNT)
        return (
            _words(again),
            _words(titled),
            connections.secrets(ACCOUNT, connection),
            server.world.engine.hooks.secrets.of(ACCOUNT, hook),
            await server.world.parts.secrets.values(ACCOUNT, ["KEY"]),
        )

    again, titled, connection, hook, secret = serve(tmp_path, use)

    assert again == {"connection": "unchanged", "hook": "unchanged"}
    assert titled == {"connection": "unchanged", "hook": "changed", "secret": "unchanged"}
    assert connection == {"bot_token": TOKEN}
    assert hook == ("planted-hook-secret",)
    assert secret == {"KEY": TOKEN}


def test_what_somebody_paused_stays_paused_unless_a_document_says_other(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await _apply(server, ALL)
        await server.request("PATCH", "/workflows/greet", json={"enabled": False})
        silent = await _apply(server, [{**WORKFLOW, "title": "Greet"}])
        kept = (await server.request("GET", "/workflows/greet")).body["enabled"]
        await _apply(server, [{**WORKFLOW, "enabled": True}])
        return (
            _words(silent),
            kept,
            (await server.request("GET", "/workflows/greet")).body["enabled"],
        )

    assert serve(tmp_path, use) == ({"workflow": "changed"}, False, True)


def test_scopes_decide_what_is_applied_and_exported(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await _apply(server, [VARIABLE, SECRET])
        made = await server.request("POST", f"/accounts/{ACCOUNT}/keys", json={"scopes": ["write"]})
        writer = made.body["api_key"]
        return (
            (await server.request("POST", "/apply", json=[SECRET], key=writer)).status,
            (await server.request("POST", "/apply", json=[VARIABLE], key=writer)).status,
            (await server.request("POST", "/apply", json=[VARIABLE], key=READER)).status,
            (await server.request("GET", "/export", key=READER)).body,
        )

    sealed, plain, reader, exported = serve(tmp_path, use)

    assert (sealed, plain, reader) == (403, 200, 403)
    assert exported == {"documents": [VARIABLE], "left_out": ["secret", "connection"]}


def test_a_quota_is_held_for_all_together(tmp_path: Path) -> None:
    flows = [{"kind": "workflow", **make_document(name=f"w{n}")} for n in range(3)]

    async def use(server: Served) -> Any:
        made = await server.request("POST", "/accounts", json={
            "name": "acme", "quotas": {"max_workflows": 2},
        })  # fmt: skip
        key = made.body["api_key"]
        refused = await server.request("POST", "/apply", json=flows, key=key)
        there = await server.request("GET", "/workflows", key=key)
        return made.status, refused.status, [row["name"] for row in there.body["data"]]

    status, refused, names = serve(tmp_path, use)

    assert (status, refused) == (201, 429)
    assert not {"w0", "w1", "w2"} & {*names}


def _connection(id_: str, version: int) -> Connection:
    return Connection(id_, id_, "slack", True, {}, {}, b"x", version, 0, 0)


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(Variable("taken", "", 1, 1, 0, 0), id="a name is taken"),
        pytest.param(Variable("taken", "", 1, 5, 0, 0), id="another version is there"),
        pytest.param(_connection("con_2", 2), id="it is gone"),
    ],
)
def test_one_that_cannot_be_kept_undoes_all(tmp_path: Path, last: Keepable) -> None:
    async def main() -> list[Variable]:
        database = SqlDatabase.on_sqlite(tmp_path / "catalog.db")
        await database.migrate()
        variables = SqlVariables(database)
        await variables.add(ACCOUNT, Variable("taken", "", 0, 1, 0, 0))
        with pytest.raises(Conflict):
            await SqlShelf(database).save_all(
                ACCOUNT, [Variable("free", "", 1, 1, 0, 0), _connection("con_1", 1), last]
            )
        found = await variables.all(ACCOUNT)
        await database.close()
        return found

    assert asyncio.run(main()) == [Variable("taken", "", 0, 1, 0, 0)]


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_before_patterns_are_seen_loses_none(tmp_path: Path, at: int, after: bool) -> None:  # noqa: FBT001 pytest gives it
    documents: list[Json] = [
        {"kind": "pattern", "name": f"p{n}", "pattern": {"type": "event", "event": "order.paid"}}
        for n in range(3)
    ]
    left = {"appends": 0}

    def commit(connection: sqlite3.Connection) -> None:
        # Of the log only: there the records stand from which patterns are seen.
        (path,) = [row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"]
        if "/log/" not in path:
            connection.commit()
            return
        left["appends"] += 1
        if left["appends"] == at and after:
            connection.commit()
        if left["appends"] >= at:
            raise CrashError
        connection.commit()

    async def main() -> int:
        async with installed(tmp_path, commit=commit) as world:
            with pytest.raises(CrashError):
                await world.engine.applying.apply(ACCOUNT, documents, is_dry=False)
        async with installed(tmp_path) as world:
            await world.send(type="order.paid")
            await world.engine.settled()
            counts = [
                (await world.parts.history.match_counts(ACCOUNT, row.id))[0]
                for row in await world.parts.patterns.all(ACCOUNT, 10, None)
            ]
            return sum(counts)

    assert asyncio.run(main()) == 3
