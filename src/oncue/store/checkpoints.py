"""
Checkpoints as files: JSON lines, a head, parts, and a last line that says that all is there.

    checkpoints/acc_…/0000000000004711.jsonl

    {"format":1,"offset":4711,"time":{…},"watches":[{"pattern_id":"pat_…","state_version":1,…}]}
    ["pat_…","times",[[0,"[\\"user-1\\"]",1764000000000,[…]],…]]
    {"parts":1}

A part holds keys of one sort of state: the number of its last use, the key, the
instant of that, and its state as its operator writes it. A file is
written under another name, synced, and then renamed, so that a crash leaves
none half-written under its own; two are kept.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from oncue.core.pattern.saving import FORMAT, Head, Part

KEPT: Final = 2

_encode = msgspec.json.Encoder().encode
_decode_head = msgspec.json.Decoder(Head).decode
_decode_part = msgspec.json.Decoder(Part).decode
_decode_end = msgspec.json.Decoder(dict[str, int]).decode


class FileCheckpoints:
    """The checkpoints of all accounts in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def load(self, account: str, upto: int) -> tuple[Head, Sequence[Part]] | None:
        """Return the newest that is whole, readable, and of no later offset than `upto`."""
        return await asyncio.to_thread(self._load, account, upto)

    async def write(self, account: str, head: Head, parts: AsyncIterator[Part]) -> None:
        """Return when a checkpoint is durable; older ones may be gone then."""
        folder = self._folder / account
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{head.offset:016}.jsonl"
        unfinished = path.with_suffix(".part")
        count = 0
        try:
            with unfinished.open("wb") as file:
                await asyncio.to_thread(_put, file, head)
                async for part in parts:
                    count += 1
                    await asyncio.to_thread(_put, file, part)
                await asyncio.to_thread(_end, file, count)
            await asyncio.to_thread(_keep, unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    async def oldest(self, account: str) -> int | None:
        """Return the offset of the oldest that is kept: the log before it is not needed."""
        paths = _paths(self._folder / account)
        return int(paths[0].stem) if paths else None

    def _load(self, account: str, upto: int) -> tuple[Head, Sequence[Part]] | None:
        for path in reversed(_paths(self._folder / account)):
            if int(path.stem) <= upto and (found := _read(path)):
                return found
        return None


def _put(file: IO[bytes], line: object) -> None:
    file.write(_encode(line) + b"\n")


def _end(file: IO[bytes], count: int) -> None:
    _put(file, {"parts": count})
    file.flush()
    os.fsync(file.fileno())


def _keep(unfinished: Path, path: Path) -> None:
    unfinished.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    for older in _paths(path.parent)[:-KEPT]:
        older.unlink()


def _paths(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, the oldest first; what else lies there is not ours."""
    return sorted(path for path in folder.glob("*.jsonl") if path.stem.isdecimal())


def _read(path: Path) -> tuple[Head, list[Part]] | None:
    """Return a checkpoint; none where it cannot be read, is not whole, or of a later format."""
    try:
        head, *parts, end = path.read_bytes().splitlines()
        found = _decode_head(head), [_decode_part(part) for part in parts]
        is_whole = _decode_end(end) == {"parts": len(parts)}
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    is_named_so = found[0].offset == int(path.stem)
    return found if is_whole and is_named_so and found[0].format <= FORMAT else None
