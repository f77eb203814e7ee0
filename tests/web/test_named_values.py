"""`/secrets` and `/variables`: kept, changed and forgotten; a secret never comes out."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import Conflict
from oncue.ports import Secret, Variable
from oncue.store.sql.database import SqlDatabase
from oncue.store.sql.named_values import SqlSecrets, SqlVariables
from tests.installation import ACCOUNT
from tests.make import make_call, make_document
from tests.server import READER, Answer, Served, serve

VALUE = "planted-secret-5678"
SECRET = {"name": "STRIPE_KEY", "value": VALUE, "description": "of the shop"}
VARIABLE = {"name": "limit", "value": {"gold": 3, "none": None}, "description": "of orders"}


def _reading(template: str) -> dict[str, Any]:
    return make_document(steps=[make_call("call", **{"with": {"text": template}})])


def test_a_secret_is_kept_and_not_shown(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        return [
            await server.request("POST", "/secrets", json=SECRET),
            await server.request("GET", "/secrets/STRIPE_KEY"),
            await server.request("GET", "/secrets"),
        ]

    made, by_name, listed = serve(tmp_path, use)

    assert made.status == 201
    assert made.headers["Location"] == "/secrets/STRIPE_KEY"
    assert made.headers["Etag"] == '"1"'
    assert {k: v for k, v in made.body.items() if not k.endswith("_at")} == {
        "name": "STRIPE_KEY",
        "description": "of the shop",
        "ready": True,
        "trouble": None,
        "version": 1,
    }
    assert by_name.body == made.body
    assert listed.body == {"data": [made.body], "next_cursor": None}


@pytest.mark.parametrize(
    ("kind", "body", "changes"),
    [("secrets", SECRET, "another-value"), ("variables", VARIABLE, {"gold": 4})],
)
def test_both_are_changed_alike(tmp_path: Path, kind: str, body: Any, changes: Any) -> None:
    place = f"/{kind}/{body['name']}"

    async def use(server: Served) -> list[tuple[int, int]]:
        async def ask(method: str, path: str, **options: Any) -> tuple[int, int]:
            answer = await server.request(method, path, **options)
            return answer.status, answer.body["version"] if answer.status < 300 else 0

        return [
            await ask("POST", f"/{kind}", json=body),
            await ask("POST", f"/{kind}", json=body),
            await ask("PUT", place, json={"value": body["value"]}),
            await ask("PATCH", place, json={"description": body["description"]}),
            await ask("PUT", place, json={"value": changes}),
            await ask("PUT", place, json={"value": changes}, headers={"If-Match": '"1"'}),
            await ask("PATCH", place, json={"name": "other"}),
            await ask("PATCH", place, json={"description": "other"}),
            await ask("PUT", f"/{kind}/other", json={"value": changes}),
        ]

    assert serve(tmp_path, use) == [
        (201, 1), (409, 0), (200, 1), (200, 1), (200, 2), (412, 0), (422, 0), (200, 3), (200, 1),
    ]  # fmt: skip


def test_a_variable_takes_any_json_and_is_told_from_what_python_takes_for_the_same(
    tmp_path: Path,
) -> None:
    values: list[Any] = [1, True, 1.0, None, {"a": None}, {"a": None, "b": 1}, "x"]

    async def use(server: Served) -> list[Any]:
        found = []
        for value in values:
            await server.request("PUT", "/variables/v", json={"value": value})
            found.append((await server.request("GET", "/variables/v", key=READER)).body)
        return found

    found = serve(tmp_path, use)

    assert [(row["value"], type(row["value"])) for row in found] == [(v, type(v)) for v in values]
    assert [row["version"] for row in found] == [1, 2, 3, 4, 5, 6, 7]


def test_what_a_workflow_reads_is_a_warning_until_it_is_there(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        document = _reading("{{ secrets.KEY }} {{ vars.region }} {{ vars.own }}")
        document["vars"] = {"own": 1}
        saved = await server.request("POST", "/workflows", json=document)
        await server.request("POST", "/secrets", json={"name": "KEY"})
        empty = await server.request("PATCH", "/workflows/greet", json={})
        await server.request("PUT", "/secrets/KEY", json={"value": VALUE})
        await server.request("PUT", "/variables/region", json={"value": "eu"})
        ready = await server.request("PATCH", "/workflows/greet", json={})
        return [saved.body["warnings"], empty.body["warnings"], ready.body["warnings"]]

    saved, empty, ready = serve(tmp_path, use)

    assert saved == [
        {"path": "steps[0].with.text", "message": "no secret 'KEY'"},
        {"path": "steps[0].with", "message": "no variable 'region'"},
    ]
    assert empty[0]["message"] == "secret 'KEY' has no value yet: oncue secrets set KEY"
    assert ready == []


@pytest.mark.parametrize(("kind", "template"), [("secrets", "secrets.V"), ("variables", "vars.V")])
def test_what_a_workflow_reads_is_not_deleted_unasked(
    tmp_path: Path, kind: str, template: str
) -> None:
    async def use(server: Served) -> list[Answer]:
        await server.request("PUT", f"/{kind}/V", json={"value": VALUE})
        document = _reading(f"{{{{ {template} }}}}")
        await server.request("POST", "/workflows", json=document)
        return [
            await server.request("DELETE", f"/{kind}/V"),
            await server.request("DELETE", f"/{kind}/V?force=true"),
            await server.request("GET", f"/{kind}/V"),
        ]

    refused, done, gone = serve(tmp_path, use)

    assert (refused.status, done.status, gone.status) == (409, 204, 404)
    assert "is read by the workflows greet" in refused.body["detail"]


@pytest.mark.parametrize(
    ("steps", "path", "words"),
    [
        (
            [{"id": "a", "type": "transform", "output": {"b": "{{ secrets.KEY }}"}}],
            "steps[0].output.b",
            "only in with, headers, auth and url",
        ),
        (
            [{"id": "a", "type": "webhook", "url": "https://x", "body": ["{{ secrets.KEY }}"]}],
            "steps[0].body[0]",
            "only in with, headers, auth and url",
        ),
        (
            [{"id": "a", "type": "stop", "if": "secrets.KEY == 'x'"}],
            "steps[0].if",
            "only in with, headers, auth and url",
        ),
    ],
)
def test_a_secret_in_the_wrong_place_is_told_with_a_caret(
    tmp_path: Path, steps: Any, path: str, words: str
) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("POST", "/workflows", json=make_document(steps=steps))

    refused = serve(tmp_path, use)

    assert refused.status == 422
    (problem,) = (one for one in refused.body["errors"] if one["path"] == path)
    assert words in problem["message"]
    assert "^" in problem["message"]


def test_a_repeat_with_its_key_gets_the_first_answer(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        headers = {"Idempotency-Key": "k"}
        bodies = (SECRET, SECRET, {**SECRET, "value": "other-value"})
        return [
            (await server.request("POST", "/secrets", json=body, headers=headers)).status
            for body in bodies
        ]

    assert serve(tmp_path, use) == [201, 201, 409]


@pytest.mark.parametrize("kind", ["secrets", "variables"])
def test_nobody_else_sees_them(tmp_path: Path, kind: str) -> None:
    async def use(server: Served) -> tuple[int, Any]:
        await server.request("PUT", f"/{kind}/V", json={"value": VALUE})
        other = (await server.request("POST", "/accounts", json={"name": "acme"})).body["api_key"]
        found = await server.request("GET", f"/{kind}/V", key=other)
        listed = await server.request("GET", f"/{kind}", key=other)
        return found.status, listed.body["data"]

    assert serve(tmp_path, use) == (404, [])


def test_a_change_meanwhile_is_a_conflict(tmp_path: Path) -> None:
    async def main() -> None:
        database = SqlDatabase.on_sqlite(tmp_path / "catalog.db")
        await database.migrate()
        secrets, variables = SqlSecrets(database), SqlVariables(database)
        secret, variable = Secret("S", "", None, 1, 0, 0), Variable("V", "", 1, 1, 0, 0)
        await secrets.add(ACCOUNT, secret)
        await variables.add(ACCOUNT, variable)
        with pytest.raises(Conflict, match="changed meanwhile"):
            await secrets.change(ACCOUNT, Secret("S", "", b"x", 3, 0, 0))
        with pytest.raises(Conflict, match="changed meanwhile"):
            await variables.change(ACCOUNT, Variable("V", "", 2, 3, 0, 0))
        assert await secrets.all(ACCOUNT) == [secret]
        assert await variables.all(ACCOUNT) == [variable]
        await database.close()

    asyncio.run(main())
