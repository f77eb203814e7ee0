"""`oncue doctor`: what it finds, and what it advises."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from oncue.cli import main as cli
from oncue.store.archive.places import FolderPlace
from oncue.store.sqlite.log import SqliteEventLog, archive_beside
from oncue.testing.clock import VirtualClock
from tests.make import make_incoming
from tests.running import up


def _doctor(capsys: pytest.CaptureFixture[str], data: Path, *flags: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor", "--data", str(data), *flags])
    return int(ended.value.code or 0), capsys.readouterr().out


def _healthy(folder: Path) -> Path:
    async def main() -> None:
        async with up(folder, {}) as server:
            await server.get("/health")
            await server.terminate()

    asyncio.run(main())
    return folder


def test_a_running_installation_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> Any:
        async with up(tmp_path, {}):
            return await asyncio.to_thread(_doctor, capsys, tmp_path, "--json")

    code, printed = asyncio.run(main())

    verdicts = {(one["subject"], one["verdict"]) for one in json.loads(printed)}
    assert code == 0
    assert {
        ("server", "good"),
        ("disk", "good"),
        ("vendors", "note"),
        ("alerts", "note"),
        ("archive", "good"),
    } <= verdicts


def test_a_new_machine_is_no_ill_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = _doctor(capsys, tmp_path / "nothing")

    assert code == 0
    assert "`oncue up` makes it" in printed


def test_what_is_wrong_is_told_with_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _healthy(tmp_path)
    (data / "admin-key").chmod(0o644)
    (data / "kv.db").write_bytes(b"no database at all" * 500)
    (data / "server.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    monkeypatch.setenv("ONCUE_PROT", "1")

    code, printed = _doctor(capsys, data)

    assert code == 1
    for told in (
        "✗ settings: unknown setting ONCUE_PROT; did you mean 'ONCUE_PORT'?",
        f"    chmod 600 {data / 'admin-key'}",
        "kv.db: file is not a database",
        "✗ server: http://127.0.0.1:1:",
    ):
        assert told in printed


def test_a_folder_of_a_newer_oncue_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _healthy(tmp_path)
    with closing(sqlite3.connect(data / "catalog.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    code, printed = _doctor(capsys, data)

    assert code == 1
    assert f"✗ format: {data / 'catalog.db'} has format 9999, written by a newer OnCue" in printed


def test_a_bad_setting_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCUE_PORT", "http")

    code, printed = _doctor(capsys, tmp_path)

    assert (code, "ONCUE_PORT" in printed) == (1, True)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("ONCUE_PROT = 1", "did you mean 'ONCUE_PORT'?"),
        ("ONCUE_PORT = 'http'", "ONCUE_PORT: expected an integer"),
        ("ONCUE_PORT", "config.toml: expected a file of TOML"),
    ],
)
def test_what_is_wrong_in_the_file_of_settings_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, words: str
) -> None:
    (tmp_path / "config.toml").write_text(file)

    code, printed = _doctor(capsys, tmp_path)

    assert code == 1
    assert words in printed


def test_what_is_wrong_with_the_archive_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, elsewhere = _healthy(tmp_path / "data"), tmp_path / "elsewhere"
    settings = {"ONCUE_ARCHIVE_URL": str(elsewhere)}

    async def archived() -> None:
        clock = VirtualClock()
        place = FolderPlace(elsewhere)
        archive = archive_beside(data / "log", place=place)
        log = SqliteEventLog(data / "log", clock, archive=archive)
        await log.append("a", [make_incoming()])
        await log.segments.archive_due(1)
        await log.close()

    async def main() -> str:
        async with up(data, settings):
            return (await asyncio.to_thread(_doctor, capsys, data))[1]

    asyncio.run(archived())
    whole = asyncio.run(main())
    shutil.rmtree(elsewhere)
    lacking = asyncio.run(main())

    assert "✓ archive: 1 events up to " in whole
    assert "✗ archive: " in lacking
    assert " files are not at " in lacking
