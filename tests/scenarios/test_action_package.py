"""The template of a package: built, installed beside a broken one, and used as its users would."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oncue.cli import main as cli
from oncue.testing.vendors import Fixed, ReceivedCall, Simulator
from tests.architecture.rules import ROOT
from tests.running import KEY, Running, up

PATIENCE_S = 60
BROKEN = "raise RuntimeError('no such parcel service')"
API_KEY = "pk_simulated_8421"


class ParcelSimulator(Simulator):
    """Takes whatever has the key."""

    def answer(self, call: ReceivedCall) -> Fixed:
        if call.headers.get("authorization") != f"Bearer {API_KEY}":
            return Fixed(401, {"error": "unknown key"})
        if call.path == "/v1/me":
            return Fixed(200, {"name": "Shop"})
        self.effects.append({"key": call.idempotency_key, "sent": call.body})
        return Fixed(201, {"id": "p-1", "window": "09:00-12:00"})


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Copy the template, build it, and install it without asking anybody; give folder and path."""
    folder = tmp_path_factory.mktemp("package")
    with pytest.raises(SystemExit):
        cli.main(["actions", "template", str(folder / "parcels")])
    site = folder / "site"
    _run("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--target", str(site), str(folder / "parcels"))  # fmt: skip
    (site / "broken_pack.py").write_text(BROKEN)
    told = site / "broken_pack-0.1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-pack\nVersion: 0.1\n")
    (told / "entry_points.txt").write_text("[oncue.actions]\nbroken = broken_pack:CONTENTS\n")
    return folder / "parcels", os.pathsep.join([str(ROOT / "src"), str(site)])


def _run(*words: str, path: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "ONCUE" not in name}
    done = subprocess.run(
        [sys.executable, *words],
        env={**environment, "COLUMNS": "1000", **({"PYTHONPATH": path} if path else {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done


def test_its_own_tests_pass(installed: tuple[Path, str]) -> None:
    folder, path = installed

    done = _run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder / "tests"), path=path)

    assert "5 passed" in done.stdout


def test_automations_with_it_are_tested(installed: tuple[Path, str]) -> None:
    folder, path = installed

    done = _run("-m", "oncue", "test", str(folder / "tests" / "pickup.yaml"), path=path)

    assert "1 passed" in done.stdout


def test_the_doctor_tells_of_both(installed: tuple[Path, str], tmp_path: Path) -> None:
    done = _run("-m", "oncue", "doctor", "--data", str(tmp_path), path=installed[1], check=False)

    assert done.returncode == 1
    assert "✓ packages: oncue-parcels 0.1.0 adds parcels_book_pickup" in done.stdout
    assert "✗ packages: broken-pack 0.1: RuntimeError: no such parcel service" in done.stdout


def _with(
    installed: tuple[Path, str],
    data: Path,
    use: Callable[[Running, ParcelSimulator], Awaitable[Any]],
) -> Any:
    settings = {
        "ONCUE_API_KEY": KEY,
        "ONCUE_ALLOW_NETWORKS": "127.0.0.0/8",
        "PYTHONPATH": installed[1],
    }

    async def main() -> Any:
        async with ParcelSimulator() as parcels, up(data, settings) as server:
            return await use(server, parcels)

    return asyncio.run(main())


FLOW = {
    "name": "collect",
    "on": {"type": "event", "event": "parcel.packed"},
    "steps": [
        {
            "id": "book",
            "type": "action",
            "action": "parcels_book_pickup",
            "with": {"address": "{{ event.data.address }}", "day": "2026-12-01"},
            "retry": {"attempts": 2, "delay": "1ms"},
        }
    ],
}


def test_a_workflow_calls_it_over_http(installed: tuple[Path, str], tmp_path: Path) -> None:
    async def use(server: Running, parcels: ParcelSimulator) -> Any:
        _, saved = await server.post("/workflows", FLOW)
        values = {"api_key": API_KEY, "base_url": parcels.base_url}
        status, connected = await server.post(
            "/connections", {"name": "shop", "integration": "parcels", "values": values}
        )
        assert status == 201, connected
        _, tested = await server.post("/connections/shop/test", None)
        parcels.answer_next(Fixed(503))
        await server.post("/events", {"type": "parcel.packed", "data": {"address": "1 Main St"}})
        execution = await server.only_execution("completed")
        listed = (await server.get("/actions"))["data"]
        return saved["warnings"], connected, tested, execution, listed, parcels

    warnings, connected, tested, execution, listed, parcels = _with(installed, tmp_path, use)

    assert warnings == [{"path": "steps[0]", "message": "no connection for parcels: make one"}]
    assert connected["values"] == {"api_key": "••••8421", "base_url": parcels.base_url}
    assert (tested["ok"], tested["detail"]) == (True, "the parcel service knows the key of Shop")
    assert execution["output"] == {"id": "p-1", "window": "09:00-12:00"}
    assert [one["status"] for one in execution["steps"][0]["attempts"]] == ["failed", "completed"]
    assert len({call.idempotency_key for call in parcels.calls[-2:]}) == 1
    assert [effect["sent"] for effect in parcels.effects] == [
        {"address": "1 Main St", "day": "2026-12-01"}
    ]
    assert [(one["name"], one["package"]) for one in listed if one["package"]] == [
        ("parcels_book_pickup", "oncue-parcels 0.1.0")
    ]


def test_what_is_wrong_is_refused_at_save(installed: tuple[Path, str], tmp_path: Path) -> None:
    async def use(server: Running, _: ParcelSimulator) -> Any:
        step = {"id": "a", "type": "action", "action": "parcels_book_pickup", "with": {"day": "x"}}
        refused = await server.post("/workflows", {**FLOW, "steps": [step]})
        unknown = await server.post(
            "/connections", {"name": "x", "integration": "parcels", "values": {"key": "k"}}
        )
        return refused, unknown

    refused, unknown = _with(installed, tmp_path, use)

    assert (refused[0], unknown[0]) == (422, 422)
    assert {one["path"] for one in refused[1]["errors"]} == {
        "steps[0].with.address",
        "steps[0].with.day",
    }
    assert "expected no such value for parcels" in json.dumps(unknown[1])


def test_once_it_is_uninstalled_its_step_says_so(
    installed: tuple[Path, str], tmp_path: Path
) -> None:
    async def save(server: Running, _: ParcelSimulator) -> None:
        assert (await server.post("/workflows", FLOW))[0] == 201

    async def use(server: Running, _: ParcelSimulator) -> Any:
        await server.post("/events", {"type": "parcel.packed", "data": {"address": "1 Main St"}})
        return await server.only_execution("failed")

    _with(installed, tmp_path, save)
    execution = _with((installed[0], str(ROOT / "src")), tmp_path, use)

    assert "no action 'parcels_book_pickup' here" in execution["error"]
