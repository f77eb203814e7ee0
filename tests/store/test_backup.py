"""What is in a backup, what becomes of it, and which ones are refused."""

import asyncio
import gzip
import io
import shutil
import tarfile
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import InvalidInput, NewerFormat
from oncue.core.event import EventFilter
from oncue.core.statements import Statement
from oncue.store.account_files import AccountFiles
from oncue.store.backup import LEFT_OUT, Manifest, is_part, write_backup
from oncue.store.restore import UNFINISHED, check_empty, restore_backup
from oncue.store.sqlite.log import SqliteEventLog
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, RecordingActions, installed
from tests.make import make_incoming
from tests.store.folders.dumps import PATTERN, SIGNUP, live
from tests.store.logs import archive_all, archive_in, use_log

DAY_MS = 86_400_000
OBJECT = b"name,amount\nada,1\n"


def backup(folder: Path, *, with_key: bool = False) -> tuple[bytes, Manifest]:
    target = io.BytesIO()
    manifest = write_backup(
        folder, target, folder, version="1", created_at="now", with_key=with_key
    )
    return target.getvalue(), manifest


def restore(content: bytes, folder: Path) -> Manifest:
    folder.mkdir(exist_ok=True)
    return restore_backup(io.BytesIO(content), folder)


def used(folder: Path) -> Path:
    """Return a folder with something of everything."""

    async def main() -> None:
        await live(folder)
        clock = VirtualClock()
        clock.advance(1_000)
        async with installed(folder, clock=clock) as world:
            # Nothing is sealed of what has no value yet.
            await world.engine.secrets.create(ACCOUNT, {"name": "LATER"})
        files = AccountFiles(folder / "accounts")
        await files.put_object(ACCOUNT, "report.csv", OBJECT, "text/csv")
        await files.query(ACCOUNT, Statement("CREATE TABLE fact (n)", is_read_only=False, once="1"))

    asyncio.run(main())
    (folder / "signing.key").write_bytes(b"s" * 32)
    (folder / "encryption.key").write_text("k" * 32)
    (folder / "config.toml").write_text('RESEND_API_KEY = "re_123"')
    return folder


def members(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {
            entry.name: file.read() for entry in tar if (file := tar.extractfile(entry)) is not None
        }


def packed(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def test_executions_that_wait_go_on_in_the_restored_folder(tmp_path: Path) -> None:
    content, manifest = backup(used(tmp_path / "old"))
    actions, clock = RecordingActions(), VirtualClock()

    restore(content, tmp_path / "restored")

    async def main() -> Any:
        async with installed(tmp_path / "restored", actions=actions, clock=clock) as world:
            await world.settle_after(DAY_MS)
            found = await AccountFiles(tmp_path / "restored/accounts").get_object(
                ACCOUNT, "report.csv"
            )
            return await world.statuses(), world.log.head(ACCOUNT), found

    statuses, head, found = asyncio.run(main())

    assert statuses == ["completed"]
    assert [text for text, _ in actions.calls] == ["bye"]
    assert found is not None
    assert found.content == OBJECT
    assert manifest.counts == {
        "executions": 1, "open executions": 1, "events": 1, "archived events": 0,
        "accounts": 1, "workflows": 1, "patterns": 2,
    }  # fmt: skip
    assert head >= manifest.counts["events"]


def test_events_of_the_archive_are_in_it(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def fill(log: SqliteEventLog) -> None:
        for number in range(3):
            await log.append("a", [make_incoming(id=f"e-{number}")])
            clock.advance(1)
            await log.segments.drop(0, {"a": number})
            await archive_all(log)
        await log.segments.drop(0, {"a": 2})

    async def read(log: SqliteEventLog) -> list[str]:
        return [event.id for event in await log.past.events("a", EventFilter(), 10)]

    folder = used(tmp_path / "old")
    shutil.rmtree(folder / "log")
    options = {"clock": clock, "dedupe_window_ms": 0}
    use_log(folder, fill, archive=archive_in(folder), **options)
    content, manifest = backup(folder)
    restore(content, tmp_path / "restored")

    assert use_log(tmp_path / "restored", read, **options) == ["e-2", "e-1", "e-0"]
    assert manifest.counts["archived events"] == 3
    assert manifest.counts["events"] == 1


def test_all_files_of_a_data_folder_are_in_it_or_left_out_on_purpose(tmp_path: Path) -> None:
    folder = used(tmp_path / "old")
    content, _ = backup(folder)
    places = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    left_out = {place for place in places if any(fnmatch(place, one) for one in LEFT_OUT)}

    assert places - left_out == members(content).keys() - {"manifest.json"}


@pytest.mark.parametrize("with_key", [False, True])
def test_secrets_stay_encrypted_unless_the_key_is_asked_for(
    tmp_path: Path, *, with_key: bool
) -> None:
    content, manifest = backup(used(tmp_path / "old"), with_key=with_key)
    inside = members(content)

    assert ("encryption.key" in inside) is with_key
    assert len(manifest.encryption_keys) == 1
    assert not any(b"pat-na1-0123456789" in one or b"re_123" in one for one in inside.values())


def test_a_pattern_that_the_catalog_has_and_the_log_has_not_is_told_again(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    clock = VirtualClock()

    async def save() -> None:
        await live(folder)
        shutil.copytree(folder / "log", tmp_path / "log")
        clock.advance(1_000)
        async with installed(folder, clock=clock) as world:
            assert isinstance(PATTERN, dict)
            await world.engine.patterns.create(ACCOUNT, {**PATTERN, "name": "later"})

    async def matches() -> list[Any]:
        async with installed(tmp_path / "restored", clock=clock) as world:
            await world.engine.settled()
            for number in range(2):
                await world.send(**{**SIGNUP, "id": f"later-{number}"})
            await world.engine.settled()
            pattern = await world.parts.patterns.current(ACCOUNT, "later")
            return await world.parts.history.matches(ACCOUNT, pattern.id, 10, None)

    asyncio.run(save())
    # As if the log had been copied before the pattern was saved, and the catalog after.
    shutil.rmtree(folder / "log")
    (tmp_path / "log").rename(folder / "log")
    restore(backup(folder)[0], tmp_path / "restored")

    assert len(asyncio.run(matches())) == 1


def test_what_is_no_data_folder_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="expected a data folder of OnCue, got none"):
        backup(tmp_path)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_manifest(content: bytes) -> bytes:
    inside = members(content)
    del inside["manifest.json"]
    return packed(inside)


def changed(content: bytes) -> bytes:
    inside = members(content)
    return packed({**inside, "kv.db": inside["kv.db"].replace(b"seen", b"soon")})


def with_less(content: bytes) -> bytes:
    inside = members(content)
    del inside["kv.db"]
    return packed(inside)


def leading_out(content: bytes) -> bytes:
    return packed({"checkpoints/../evil.jsonl": b"x", **members(content)})


def foreign(_: bytes) -> bytes:
    return packed({"holiday.jpg": b"x"})


def no_archive(_: bytes) -> bytes:
    return b"no archive at all"


def packed_text(_: bytes) -> bytes:
    return gzip.compress(b"text")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, "expected a whole backup of OnCue"),
        (without_manifest, "it ends early"),
        (changed, "kv.db is not what the manifest says"),
        (with_less, "kv.db is not in it"),
        (leading_out, "got 'checkpoints/../evil.jsonl' in it"),
        (foreign, "got 'holiday.jpg' in it"),
        (no_archive, "expected a whole backup of OnCue"),
        (packed_text, "expected a whole backup of OnCue"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    tmp_path: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    content, _ = backup(used(tmp_path / "old"))

    with pytest.raises(InvalidInput, match=words):
        restore(spoil(content), tmp_path / "restored")

    assert [*(tmp_path / "restored").iterdir()] == []


def test_a_newer_backup_is_refused(tmp_path: Path) -> None:
    content, _ = backup(used(tmp_path / "old"))
    inside = members(content)
    later = inside["manifest.json"].replace(b'"format": 1', b'"format": 7')

    with pytest.raises(NewerFormat, match="the backup has format 7"):
        restore(packed({**inside, "manifest.json": later}), tmp_path / "restored")


def test_a_folder_that_holds_something_is_not_mixed_with_a_backup(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    check_empty(tmp_path)
    (tmp_path / "journal.db").write_text("")

    with pytest.raises(InvalidInput, match=r"expected an empty folder, got journal\.db in it"):
        check_empty(tmp_path)


def test_a_restore_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    content, _ = backup(used(tmp_path / "old"))
    half = tmp_path / "restored" / UNFINISHED
    half.mkdir(parents=True)
    (half / "journal.db").write_bytes(b"half")

    check_empty(tmp_path / "restored")
    restore(content, tmp_path / "restored")

    assert not half.exists()


def test_the_key_of_another_installation_is_not_replaced(tmp_path: Path) -> None:
    content, _ = backup(used(tmp_path / "old"), with_key=True)
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored" / "encryption.key").write_text("another" * 6)

    with pytest.raises(InvalidInput, match="got another one"):
        restore(content, tmp_path / "restored")


@pytest.mark.parametrize(
    ("place", "is_ours"),
    [
        ("log/0000000000000001.db", True),
        ("encryption.key", True),
        ("/journal.db", False),
        ("log/x/0000000000000001.db", False),
        ("accounts/databases/../../x.db", False),
    ],
)
def test_the_places_of_a_backup(place: str, *, is_ours: bool) -> None:
    assert is_part(place) is is_ours
