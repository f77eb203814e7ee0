"""Objects of accounts: what is put is got, and by nobody else."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oncue.core.objects import StoredObject, key_problem
from oncue.store.account_files import AccountFiles


def _with(folder: Path, use: Any) -> Any:
    return asyncio.run(use(AccountFiles(folder)))


def test_what_is_put_is_got(tmp_path: Path) -> None:
    async def use(files: AccountFiles) -> Any:
        first = await files.put_object("a", "x/y.txt", b"one\ntwo\n", "text/plain")
        await files.put_object("a", "x", b"", "text/csv")
        await files.put_object("a", "x/y.txt", b"three", "text/html")
        return first, await files.get_object("a", "x/y.txt"), await files.get_object("a", "x")

    first, last, empty = _with(tmp_path, use)

    assert last == StoredObject(b"three", "text/html", last.etag)
    assert (first != last.etag, empty.content, empty.content_type) == (True, b"", "text/csv")


def test_an_account_has_its_own(tmp_path: Path) -> None:
    async def use(files: AccountFiles) -> Any:
        await files.put_object("a", "x", b"one", "text/plain")
        return await files.get_object("b", "x")

    assert _with(tmp_path, use) is None


def test_nothing_lies_outside_of_the_accounts_folder(tmp_path: Path) -> None:
    async def use(files: AccountFiles) -> None:
        for key in ("../../x", "/etc/x", "a\0b", "..", "CON"):
            await files.put_object("a", key, b"1", "text/plain")

    _with(tmp_path / "in", use)

    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert len(list((tmp_path / "in" / "objects" / "a").iterdir())) == 5


@pytest.mark.parametrize(
    "key", ["a", "reports/2026-01.csv", "Grüße/ü", "a b/c+d", "..a/b..", "x" * 1_024]
)
def test_keys(key: str) -> None:
    assert key_problem(key) is None


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "../a",
        "a/../b",
        "a/./b",
        "a\\b",
        "a\nb",
        "a\0",
        "ü" * 513,
        "a\ud800",
    ],
)
def test_keys_that_lead_elsewhere(key: str) -> None:
    assert key_problem(key)
