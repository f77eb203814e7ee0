"""`on: {type: hook}`: the hook that a workflow brings, changes and ends."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oncue.core.json_text import Json
from oncue.ports import ExecutionFilter
from tests.installation import ACCOUNT
from tests.make import make_document
from tests.server import READER, Answer, Served, serve
from tests.web.hooked import PUSH, SECRET, push

HOOK: dict[str, Json] = {"type": "hook", "scheme": "github", "secret": SECRET}
REF = [{"id": "ref", "type": "transform", "expr": "event.data.ref"}]


async def save(server: Served, **document: Any) -> Any:
    wanted = make_document(**{"name": "pushed", "on": HOOK, "steps": REF, **document})
    answer = await server.request("POST", "/workflows", json=wanted)
    assert answer.status == 201, answer.body
    return answer.body


async def change(server: Served, **patch: Any) -> Any:
    answer = await server.request("PATCH", "/workflows/pushed", json=patch)
    assert answer.status == 200, answer.body
    return answer.body


async def hooks(server: Served) -> list[Any]:
    rows: list[Any] = (await server.request("GET", "/hooks")).body["data"]
    return rows


def test_what_is_posted_starts_the_workflow(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, Any, Answer]:
        made = await save(server)
        (hook,) = made["hooks"]
        answer = await push(server, f"{hook['url']}?wait=10s")
        return made, (await server.request("GET", f"/hooks/{hook['id']}")).body, answer

    made, hook, answer = serve(tmp_path, use)

    assert (answer.status, answer.body) == (200, PUSH["ref"])
    assert made["hooks"] == [
        {
            "id": hook["id"],
            "name": "pushed",
            "scheme": "github",
            "url": hook["url"],
            "secret": "••••thub",
            "ready": True,
            "trouble": None,
        }
    ]
    assert hook["owned_by"] == made["id"]
    assert made["on"] == {"type": "hook", "scheme": "github"}


def test_the_secret_is_nowhere_in_clear(tmp_path: Path) -> None:
    async def use(server: Served) -> str:
        headers = {"Idempotency-Key": "k"}
        wanted = make_document(name="pushed", on=HOOK, steps=REF)
        made = await server.request("POST", "/workflows", json=wanted, headers=headers)
        again = await server.request("POST", "/workflows", json=wanted, headers=headers)
        versions = await server.request("GET", "/workflows/pushed/versions")
        return f"{made} {again} {versions}"

    told = serve(tmp_path, use)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert SECRET not in told
    assert SECRET.encode() not in kept


def test_only_its_own_hook_starts_a_workflow(tmp_path: Path) -> None:
    async def use(server: Served) -> list[str]:
        first = await save(server)
        await save(server, name="other")
        await server.request("POST", "/events", json={"type": "github.push", "data": PUSH})
        await push(server, first["hooks"][0]["url"])
        await server.world.engine.settled()
        history = server.world.parts.history
        rows = await history.executions(ACCOUNT, ExecutionFilter(), 10)
        return [row.workflow for row in rows]

    assert serve(tmp_path, use) == ["pushed"]


@pytest.mark.parametrize(
    ("trigger", "status"),
    [
        ({}, 200),
        ({"event": "github.push"}, 200),
        ({"event": ["github.*"]}, 200),
        ({"event": "github.release"}, 202),
        ({"where": "event.data.ref == 'refs/heads/main'"}, 200),
        ({"where": "event.data.ref == 'refs/heads/x'"}, 202),
    ],
)
def test_a_trigger_may_take_some_of_its_events(
    tmp_path: Path, trigger: dict[str, Json], status: int
) -> None:  # fmt: skip
    async def use(server: Served) -> int:
        made = await save(server, on=[{**HOOK, **trigger}])
        pattern = (await server.request("GET", "/patterns/pushed")).body
        assert pattern["cost_class"] == "indexed"
        return (await push(server, f"{made['hooks'][0]['url']}?wait=10s")).status

    assert serve(tmp_path, use) == status


def test_the_url_stays_whatever_changes_around_it(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        first = (await save(server))["hooks"][0]
        other = {"type": "event", "event": "a.b"}
        found = [
            (await change(server, on=[other, {"type": "hook", "scheme": "github"}]))["hooks"],
            (await change(server, on={"type": "hook", "scheme": "github", "subject": "{{ body.ref }}"}))["hooks"],
            (await change(server, steps=[*REF, {**REF[0], "id": "more"}]))["hooks"],
            (await change(server, name="renamed"))["hooks"],
        ]  # fmt: skip
        assert [len(one) for one in found] == [1] * 4
        urls = {one[0]["url"] for one in found}
        begun = await push(server, f"{first['url']}?wait=10s")
        return [urls == {first["url"]}, begun.status, [one[0]["name"] for one in found]]

    assert serve(tmp_path, use) == [True, 200, ["pushed-2", "pushed", "pushed", "renamed"]]


def test_a_secret_is_changed_in_the_document(tmp_path: Path) -> None:
    fresh = "the-next-secret-of-ours"

    async def use(server: Served) -> list[int]:
        url = (await save(server))["hooks"][0]["url"]
        same = await change(server, on=HOOK)
        both = await change(server, on={**HOOK, "secret": [fresh, SECRET]})
        found = [(await push(server, url, secret)).status for secret in (SECRET, fresh)]
        last = await change(server, on={**HOOK, "secret": fresh})
        found += [(await push(server, url, secret)).status for secret in (SECRET, fresh)]
        return [same["version"], both["version"], last["version"], *found]

    assert serve(tmp_path, use) == [1, 2, 3, 202, 202, 401, 202]


def test_a_secret_that_is_made_is_shown_once(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, Any, Any]:
        headers = {"Idempotency-Key": "k"}
        wanted = make_document(name="pushed", on={"type": "hook", "scheme": "github"}, steps=REF)
        made = await server.request("POST", "/workflows", json=wanted, headers=headers)
        again = await server.request("POST", "/workflows", json=wanted, headers=headers)
        got = await server.request("GET", "/workflows/pushed")
        (hook,) = made.body["hooks"]
        assert (await push(server, hook["url"], hook["secret"])).status == 202
        return hook["secret"], again.body["hooks"][0]["secret"], got.body["hooks"][0]["secret"]

    made, again, got = serve(tmp_path, use)

    assert len(made) == 43
    assert again == got == f"••••{made[-4:]}"


def test_a_secret_path_is_masked_to_readers(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[str, str, str]:
        made = await save(server, on={"type": "hook", "scheme": "path"})
        seen = await server.request("GET", "/workflows/pushed", key=READER)
        listed = await server.request("GET", "/workflows", key=READER)
        assert (await push(server, made["hooks"][0]["url"])).status == 202
        return (
            made["hooks"][0]["url"],
            seen.body["hooks"][0]["url"],
            listed.body["data"][0]["hooks"][0]["url"],
        )

    made, seen, listed = serve(tmp_path, use)

    assert "••••" not in made
    assert "••••" in seen
    assert seen == listed


def test_what_the_vendor_has_to_give_is_a_warning(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        return (await save(server, on={"type": "hook", "scheme": "stripe"}))["warnings"]

    (warning,) = serve(tmp_path, use)

    assert warning["path"] == "on"
    assert "has no secret yet" in warning["message"]


def test_it_ends_with_its_trigger_and_with_its_workflow(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        url = (await save(server))["hooks"][0]["url"]
        dropped = await change(server, on=[])
        without = [dropped.get("hooks"), len(await hooks(server)), (await push(server, url)).status]
        back = await change(server, on=HOOK)
        again = [back["hooks"][0]["url"] == url, (await push(server, url)).status]
        await server.world.engine.settled()
        await server.request("DELETE", "/workflows/pushed")
        return [*without, *again, len(await hooks(server)), (await push(server, url)).status]

    assert serve(tmp_path, use) == [None, 0, 404, True, 202, 0, 404]


def test_a_hook_of_a_workflow_is_changed_by_it_alone(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        (hook,) = (await save(server))["hooks"]
        place = f"/hooks/{hook['id']}"
        return [
            (await server.request("PATCH", place, json={"enabled": False})).status,
            (await server.request("DELETE", place)).status,
            (await server.request("POST", "/hooks", json={"name": "pushed", "scheme": "path"})).status,
        ]  # fmt: skip

    assert serve(tmp_path, use) == [409, 409, 201]


def test_two_saves_at_once_leave_one_hook(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[int], int]:
        await save(server)
        other = {**HOOK, "subject": "{{ body.ref }}"}
        both: list[Json] = [other, []]
        answers = await asyncio.gather(
            *(server.request("PATCH", "/workflows/pushed", json={"on": on}) for on in both)
        )
        (workflow,) = (await server.request("GET", "/workflows")).body["data"]
        return sorted(a.status for a in answers), len(await hooks(server)) == len(
            workflow.get("hooks", [])
        )

    statuses, is_one = serve(tmp_path, use)

    assert statuses in ([200, 200], [200, 409])
    assert is_one


@pytest.mark.parametrize(
    ("on", "places"),
    [
        ({"type": "hook"}, ["on.scheme"]),
        ({"type": "hook", "scheme": "gitlab"}, ["on.scheme"]),
        ({**HOOK, "secret": 7}, ["on.secret"]),
        ({**HOOK, "secret": "••••thub"}, ["on.secret"]),
        ([HOOK, {**HOOK, "secret": ["planted-one", " planted"]}], ["on[1].secret[1]"]),
        ({**HOOK, "where": "event.data."}, ["on.where"]),
        ({**HOOK, "event": "a b"}, ["on.event"]),
        ({**HOOK, "subject": "{{ event.x }}", "event_id": "{{ body. }}"}, ["on.subject", "on.event_id"]),
        ({**HOOK, "header": "X-Signature"}, ["on"]),
        ({**HOOK, "tolerance": "5m"}, ["on"]),
        ({**HOOK, "name": "x"}, ["on.name"]),
    ],
)  # fmt: skip
def test_what_is_no_hook_trigger(tmp_path: Path, on: Any, places: list[str]) -> None:
    async def use(server: Served) -> Answer:
        wanted = make_document(name="pushed", on=on, steps=REF)
        return await server.request("POST", "/workflows", json=wanted)

    answer = serve(tmp_path, use)

    assert answer.status == 422, answer.body
    assert [error["path"] for error in answer.body["errors"]] == places
    assert "planted" not in str(answer.body)
