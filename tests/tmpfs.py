"""A small disk of its own, where the machine lets us mount one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, mebibytes: int, *options: str) -> Iterator[Path]:
    """Mount a file system in memory on a folder until the block ends; skip where we may not."""
    folder.mkdir(exist_ok=True)
    wanted = ",".join((f"size={mebibytes}m", *options))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", wanted, "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
