"""Commands against a running OnCue."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from oncue.cli import main as cli
from tests.cli.shell import Shell

FLOW = """\
kind: workflow
name: {name}
on: {{type: event, event: user.signup}}
steps:
  - {{id: hello, type: transform, output: {{said: "{said}"}}}}
"""


def write(folder: Path, name: str, said: str = "hello") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(FLOW.format(name=name, said=said))
    return str(path)


def test_an_event_is_sent_and_its_execution_shown(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> Any:
        await shell.run("apply", write(tmp_path, "greet"))
        sent = await shell.run("send", "user.signup", '{"plan": "pro"}', "--id", "e-1")
        again = await shell.run("send", "user.signup", '{"plan": "pro"}', "--id", "e-1")
        await shell.server.world.engine.settled()
        listed = await shell.run("executions", "list", "--json")
        (row,) = json.loads(listed[1])["data"]
        return (
            sent,
            again,
            await shell.run("executions", "list"),
            await shell.run("executions", "show", row["id"]),
        )

    sent, again, listed, shown = at(use)

    assert sent == (0, "accepted e-1 at offset 2\n")
    assert again == (0, "duplicate e-1 at offset 2\n")
    assert "greet" in listed[1]
    assert "completed" in listed[1]
    assert "hello" in shown[1]
    assert '{"said":"hello"}' in shown[1]


def test_documents_are_created_changed_and_left_alone(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> Any:
        one, two = write(tmp_path, "one"), write(tmp_path, "two")
        first = await shell.run("apply", one, two)
        write(tmp_path, "two", said="bye")
        second = await shell.run("apply", one, two)
        return first, second

    first, second = at(use)

    assert first[0] == 0
    assert first[1] == "created workflow one\ncreated workflow two\n"
    assert second == (0, "unchanged workflow one\nchanged workflow two (version 2)\n")


def test_what_is_exported_can_be_applied_elsewhere(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> Any:
        await shell.run("apply", write(tmp_path, "one"), write(tmp_path, "two"))
        code, exported = await shell.run("export")
        (tmp_path / "all.yaml").write_text(exported)
        return code, await shell.run("apply", str(tmp_path / "all.yaml"))

    code, applied = at(use)

    assert (code, applied) == (0, (0, "unchanged workflow one\nunchanged workflow two\n"))


def test_nothing_is_saved_if_one_document_is_wrong(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> Any:
        bad = tmp_path / "bad.yaml"
        bad.write_text(FLOW.format(name="bad", said="{{ evnt }}"))
        applied = await shell.run("apply", write(tmp_path, "good"), str(bad))
        rows = (await shell.server.request("GET", "/workflows")).body["data"]
        return applied, rows

    (code, words), rows = at(use)

    assert (code, rows) == (1, [])
    assert "bad.yaml:5: steps[0].output.said: expected a known name, got 'evnt'" in words
    assert "nothing was saved" in words


def test_an_execution_is_cancelled(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> Any:
        flow = tmp_path / "nap.yaml"
        flow.write_text("{name: nap, steps: [{id: w, type: delay, for: 24h}]}")
        await shell.run("apply", str(flow))
        begun = await shell.server.request("POST", "/workflows/nap/execute")
        await shell.server.world.engine.settled()
        id_ = begun.body["execution_id"]
        return [await shell.run("executions", "cancel", id_) for _ in range(2)]

    cancelled, again = at(use)

    assert cancelled[0] == 0
    assert again[0] == 1
    assert "which has ended" in again[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["send", "user.signup", "{plan"], "expected JSON as data"),
        (["send", "not a type"], "type: expected a type such as 'user.signup'"),
        (["executions", "show", "exe_1"], "no execution 'exe_1'"),
        (["apply", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(at: Any, words: list[str], said: str) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        return await shell.run(*words)

    code, printed = at(use)

    assert code == 1
    assert said in printed
    assert "Traceback" not in printed


def test_without_a_running_oncue_the_way_to_one_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ONCUE_DATA", str(tmp_path))
    monkeypatch.delenv("ONCUE_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit):
        cli.main(["executions", "list"])

    assert "found no running OnCue: start `oncue up`" in capsys.readouterr().err


def test_a_key_is_made_listed_and_revoked(at: Any) -> None:
    async def use(shell: Shell) -> tuple[str, Any, tuple[int, str], str, tuple[int, str]]:
        _, made = await shell.run(
            "keys", "create", "ci", "--scope", "read", "--scope", "events:write"
        )
        secret = made.splitlines()[0].strip()
        answer = await shell.server.request("GET", "/account", key=secret)
        _, listed = await shell.run("keys", "list", "--json")
        key_id = next(row["id"] for row in json.loads(listed) if row["name"] == "ci")
        revoked = await shell.run("keys", "revoke", key_id)
        after = await shell.server.request("GET", "/account", key=secret)
        wrong = await shell.run("keys", "create", "x", "--scope", "reed")
        return secret, answer.body["scopes"], revoked, str(after.status), wrong

    secret, scopes, revoked, status, wrong = at(use)

    assert secret.startswith("secret_")
    assert scopes == ["events:write", "read"]
    assert revoked[0] == 0
    assert status == "401"
    assert wrong[0] == 1
    assert "scopes[0]" in wrong[1]


def test_an_account_is_opened_and_its_keys_are_reached_by_the_operator(at: Any) -> None:
    async def use(shell: Shell) -> tuple[str, str]:
        await shell.run("accounts", "create", "acme")
        _, listed = await shell.run("accounts", "list")
        _, keys = await shell.run("keys", "list", "--account", "acme")
        return listed, keys

    listed, keys = at(use)

    assert "acme" in listed
    assert "admin" in keys


def test_the_stream_is_followed_until_enough_was_seen(at: Any) -> None:
    async def use(shell: Shell) -> tuple[tuple[int, str], tuple[int, str], tuple[int, str]]:
        for n, kind in enumerate(("order.made", "sign.up", "order.paid")):
            event = {"type": kind, "subject": "s-1", "data": {"n": n}}
            await shell.server.request("POST", "/events", json=event)
        words = ("events", "tail", "--after", "0", "--limit", "2", "--type", "order.*")
        return (
            await shell.run(*words),
            await shell.run(*words, "--json"),
            await shell.run("events", "tail", "--type", "a b"),
        )

    people, machines, wrong = at(use)

    assert people[0] == 0
    assert "order.made s-1" in people[1]
    assert '{"n":2}' in people[1]
    assert [json.loads(line)["offset"] for line in machines[1].splitlines()] == [1, 3]
    assert wrong[0] == 1
    assert "expected an event type or a glob" in wrong[1]


def test_the_types_of_events_and_their_fields_are_listed(at: Any) -> None:
    async def use(shell: Shell) -> tuple[tuple[int, str], tuple[int, str]]:
        for amount in (1, 2):
            event = {"type": "sale", "data": {"amount": amount, "of": "a"}}
            await shell.server.request("POST", "/events", json=event)
        return await shell.run("events", "schema"), await shell.run("events", "schema", "--json")

    people, machines = at(use)

    assert (people[0], machines[0]) == (0, 0)
    assert people[1].splitlines()[1].split()[:2] == ["sale", "2"]
    assert "data.amount number, data.of text" in people[1]
    (sale,) = json.loads(machines[1])["types"]
    assert (sale["count"], sale["sample"]) == (2, {"amount": 2, "of": "a"})


def test_what_stands_in_brackets_is_neither_style_nor_fault(at: Any) -> None:
    hostile = "[/b] [red]x"
    step = {"id": "s", "type": "stop", "status": "failed", "message": hostile}

    async def use(shell: Shell) -> list[tuple[int, str]]:
        served = shell.server
        made = {"name": "m", "steps": [step]}
        await served.request("POST", "/workflows", json=made)
        run = await served.request("POST", "/workflows/m/execute?wait=10s", json={})
        await served.request("POST", "/variables", json={"name": "v", "value": hostile})
        await served.request("POST", "/events", json={"type": "a", "subject": hostile})
        return [
            await shell.run("executions", "list"),
            await shell.run("executions", "show", run.body["id"]),
            await shell.run("variables", "list"),
            await shell.run("query", "SELECT subject FROM events"),
            await shell.run("send", hostile),
        ]

    *shown, refused = at(use)

    assert [code for code, _ in shown] == [0, 0, 0, 0]
    assert all(hostile in text for _, text in shown)
    assert refused[0] == 1
    assert hostile in refused[1]


@pytest.mark.parametrize("given", ["-", "-- one\nSELECT 1 AS n"])
def test_a_query_may_be_read_from_a_pipe_and_begin_with_a_comment(
    at: Any, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 1 AS n"))

    async def use(shell: Shell) -> tuple[int, str]:
        return await shell.run("query", "--json", given)

    code, text = at(use)

    assert (code, json.loads(text)["rows"]) == (0, [[1]])
