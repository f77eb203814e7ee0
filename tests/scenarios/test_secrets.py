"""Secrets in a running OnCue: in what is sent, and nowhere else."""

import asyncio
import base64
import json
import tarfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from oncue.cli import main as cli
from oncue.testing.vendors import Fixed, Simulators
from tests.running import Running, settings_for, up

PLANTED = 'planted/secret+of "nobody" 8421'
PIN = "84217733"
KEYS = tuple(base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def _with_vendors(use: Callable[[Simulators], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Simulators() as vendors:
            return await use(vendors)

    return asyncio.run(main())


async def _put(server: Running, path: str, value: Any) -> None:
    async with server.session.put(path, json={"value": value}) as answer:
        assert answer.status == 200, await answer.text()


async def _run(server: Running, step: Mapping[str, Any], data: Any = None) -> Any:
    """Return the execution of a workflow of one step, once it has ended."""
    name = f"w{len((await server.get('/workflows'))['data'])}"
    document = {"name": name, "on": {"type": "event", "event": name}, "steps": [step]}
    status, saved = await server.post("/workflows", document)
    assert status == 201, saved
    _, execution = await server.post(f"/workflows/{name}/execute?wait=30s", {"input": data})
    return execution


def _shapes(secret: str) -> set[str]:
    """Return how a secret is written down in places that should not have it."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        base64.b64encode(secret.encode()).decode(),
        secret.encode().hex(),
    }


URL_STEP = {
    "id": "s",
    "type": "action",
    "action": "http_request",
    "with": {"url": "{{ secrets.KEY }}", "timeout": "{{ secrets.PIN }}"},
}
PAIR = base64.b64encode(f"ada:{PLANTED}".encode()).decode()
SAID = "{{ secrets.PIN }}"
PLACES = (
    *("/secrets", "/secrets/KEY", "/monitoring/audit", "/monitoring/dashboard"),
    *("/executions", "/workflows", "/dead-letters", "/export"),
)


def _step(url: str) -> dict[str, Any]:
    """Return a step that sends secrets in its URL, its headers and its body."""
    basic = "Basic {{ base64.encode(bytes('ada:' + secrets.KEY)) }}"
    sent = {
        "url": f"{url}/orders?pin={{{{ secrets.PIN }}}}",
        "method": "POST",
        "headers": {"Authorization": basic, "X-Key": "{{ secrets.PIN }}"},
        "json": {"key": "k {{ secrets.KEY }} {{ input.said }}"},
    }
    return {"id": "s", "type": "action", "action": "http_request", "with": sent}


def _backed_up(data: Path, file: Path) -> bytes:
    """Return all that is in a backup."""
    with pytest.raises(SystemExit) as ended:
        cli.main(("backup", str(file), "--data", str(data)))
    assert not ended.value.code
    with tarfile.open(file) as backup:
        found = [backup.extractfile(member) for member in backup if member.isfile()]
        return b"".join(one.read() for one in found if one)


async def _send_all(vendors: Simulators, server: Running) -> list[Any]:
    """Return all answers about a step whose vendor repeats all that it is sent."""
    step, http = _step(vendors.http.base_url), vendors.by_name["http"]
    http.answer_next(
        Fixed(200, {"you": f"Basic {PAIR}", PLANTED: int(PIN), "u": PLANTED}),
        Fixed(403, f"what is {PLANTED}, {quote(PLANTED)} or {json.dumps(PLANTED)}?"),
        Fixed(200, PLANTED),
    )
    done = await _run(server, step, {"said": SAID})
    assert done["status"] == "completed", done
    (call,) = http.calls
    assert call.headers["authorization"] == f"Basic {PAIR}"
    assert call.headers["x-key"] == PIN
    # What spells a secret and came with the input is that text.
    assert call.body == {"key": f"k {PLANTED} {SAID}"}
    body = done["steps"][0]["output"]["body"]
    assert body["***"] == body["u"] == "***"
    assert done["steps"][0]["input"]["headers"]["X-Key"] == "{{ secrets.PIN }}"
    refused = await _run(server, step, {"said": "x"})
    assert "what is ***" in refused["error"]
    wanted = {"name": "try", "on": {"type": "event", "event": "try"}, "steps": [step]}
    await server.post("/workflows", wanted)
    given = {"input": {"said": "x"}}
    tried = await server.post("/workflows/try/test-step", {"step": "s", **given})
    assert tried[1]["request"]["headers"]["X-Key"] == "***", tried
    planned = await server.post("/workflows/try/plan", given)
    return [done, refused, tried, planned, await _run(server, URL_STEP)]


def test_no_secret_is_in_any_file_answer_or_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def use(vendors: Simulators) -> list[Any]:
        async with up(tmp_path / "data", settings_for(vendors)) as server:
            await _put(server, "/secrets/KEY", PLANTED)
            await _put(server, "/secrets/PIN", PIN)
            answers = await _send_all(vendors, server)
            for body in ({"name": "BAD-NAME", "value": PLANTED}, {"name": "K", "valeu": PLANTED}):
                answers.append(await server.post("/secrets", body))
            answers += [await server.get(path) for path in PLACES]
            async with server.session.get("/metrics") as metrics:
                answers.append(await metrics.text())
            assert await server.terminate() == 0
        return answers

    answers = _with_vendors(use)

    told = json.dumps(answers, ensure_ascii=False)
    printed = "".join(capfd.readouterr())
    kept = b"".join(
        path.read_bytes() for path in sorted((tmp_path / "data").rglob("*")) if path.is_file()
    )
    kept += _backed_up(tmp_path / "data", tmp_path / "backup")
    assert PAIR[8:-8].encode() not in kept
    for shape in (*_shapes(PLANTED), *_shapes(PIN)):
        assert shape not in told
        assert shape not in printed
        assert shape.encode() not in kept


def test_what_keeps_its_input_takes_no_secret(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> tuple[Any, Any]:
        async with up(tmp_path, settings_for(vendors)) as server:
            await _put(server, "/secrets/KEY", PLANTED)
            kept = {"key": "k", "value": "{{ secrets.KEY }}"}
            refused = await server.post("/workflows", {
                "name": "w", "on": {"type": "event", "event": "e"},
                "steps": [{"id": "s", "type": "action", "action": "kv_set", "with": kept}],
            })  # fmt: skip
            sql = {"sql": "SELECT ? AS a", "params": ["{{ secrets.KEY }}"]}
            step = {"id": "s", "type": "action", "action": "db_query", "with": sql}
            return refused, await _run(server, step)

    (status, refused), query = _with_vendors(use)

    assert status == 422
    assert refused["errors"] == [{
        "path": "steps[0].with.value",
        "message": "expected no secrets in what kv_set is given: it keeps or shows it",
    }]  # fmt: skip
    assert query["status"] == "failed"
    assert "expected no secret in what is kept here in clear" in query["error"]


def test_a_missing_secret_fails_the_step_at_once_by_name(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> Any:
        step = {
            "id": "s", "type": "webhook", "url": f"{vendors.http.base_url}/x",
            "auth": {"type": "bearer", "token": "{{ secrets.KYE }}"},
            "retry": {"attempts": 4, "delay": "1h"},
        }  # fmt: skip
        async with up(tmp_path, settings_for(vendors)) as server:
            await _put(server, "/secrets/KEY", PLANTED)
            return await _run(server, step)

    failed = _with_vendors(use)

    assert failed["status"] == "failed"
    assert failed["error"] == "step 's': no secret 'KYE'; did you mean 'KEY'?"
    assert len(failed["steps"][0]["attempts"]) == 1


def test_secrets_outlive_a_kill_and_are_rotated_with_the_connections(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> None:
        settings, (old, fresh) = settings_for(vendors), KEYS
        step = {
            "id": "s", "type": "webhook", "url": f"{vendors.http.base_url}/x",
            "headers": {"X-Key": "{{ secrets.KEY }}"}, "retry": False,
        }  # fmt: skip
        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": old}) as server:
            await _put(server, "/secrets/KEY", PLANTED.replace('"', ""))
            await _put(server, "/variables/region", {"code": "eu"})
            await server.kill()
        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": fresh}) as server:
            assert "cannot be opened" in (await server.get("/secrets/KEY"))["trouble"]
            locked = await _run(server, step)
            assert "secret 'KEY' cannot be opened" in locked["error"]
        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": f"{fresh},{old}"}) as server:
            _, done = await server.post("/secrets/rotate", None)
            assert done == {"total": 1, "rotated": 1, "locked": []}
        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": fresh}) as server:
            assert (await _run(server, step))["status"] == "completed"
            assert vendors.by_name["http"].calls[-1].headers["x-key"] == PLANTED.replace('"', "")
            assert (await server.get("/variables/region"))["value"] == {"code": "eu"}

    _with_vendors(use)
