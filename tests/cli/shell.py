"""Commands typed at a running OnCue."""

import asyncio

import pytest

from oncue.cli import main as cli
from tests.server import Served


class Shell:
    """Types commands at a running server."""

    def __init__(self, server: Served, capsys: pytest.CaptureFixture[str]) -> None:
        self.server = server
        self._capsys = capsys

    async def run(self, *words: str) -> tuple[int, str]:
        """Return the exit code and all that was printed."""

        def type_it() -> int:
            with pytest.raises(SystemExit) as ended:
                cli.main(words)
            code = ended.value.code
            return code if isinstance(code, int) else 0

        self._capsys.readouterr()
        code = await asyncio.to_thread(type_it)
        printed = self._capsys.readouterr()
        return code, printed.out + printed.err
