"""A shell at a running OnCue."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell
from tests.server import KEY, served


@pytest.fixture
def at(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a coroutine function with a shell at a running server."""

    def run(use: Callable[[Shell], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with served(tmp_path / "data") as server:
                monkeypatch.setenv("ONCUE_URL", str(server.session._base_url))
                monkeypatch.setenv("ONCUE_API_KEY", KEY)
                monkeypatch.setenv("COLUMNS", "200")
                return await use(Shell(server, capsys))

        (tmp_path / "data").mkdir()
        return asyncio.run(main())

    return run
