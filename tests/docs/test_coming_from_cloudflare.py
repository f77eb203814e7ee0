"""The page for those who come from the prototype names what there is."""

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from oncue.settings import Settings
from oncue.store.sql.tables import metadata
from oncue.store.sqlite.journal import SqliteJournal
from tests.architecture.rules import ROOT

PAGE = (ROOT / "docs/reference/coming-from-cloudflare.md").read_text(encoding="utf-8")
THEIRS = {"workflows", "patterns", "workflow_executions", "integrations", "action_audit_log",
          "accounts", "api_keys"}  # fmt: skip


def _rows() -> list[list[str]]:
    tables = PAGE.partition("## Tables of D1")[2].partition("## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in tables.splitlines()
        if line.startswith("| `")
    ]


async def _open(path: Path) -> None:
    await SqliteJournal(path).close()


def test_every_table_of_the_prototype_has_its_place() -> None:
    assert {row[0].strip("`") for row in _rows()} == THEIRS


def test_the_tables_that_it_leads_to_exist(tmp_path: Path) -> None:
    asyncio.run(_open(tmp_path / "journal.db"))
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        journal = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    named = {
        name
        for _, place, _ in _rows()
        for name in re.findall(r"`([a-z_]+)`", place)
    }  # fmt: skip

    assert named - journal - metadata.tables.keys() == set()


def test_its_variables_are_settings() -> None:
    section = PAGE.partition("## Variables and secrets")[2].partition("## ")[0]
    named = set(re.findall(r"`([A-Z][A-Z_]+)[`=]", section))
    known = {str(field.alias) for field in Settings.model_fields.values()}

    assert len(named) >= 12
    assert named - known == set()
