"""Load with `kill -9` in between; `make soak` does the same for longer."""

import asyncio
import random
from pathlib import Path

from tests.soak import Soak


def test_nothing_is_lost_or_started_twice(tmp_path: Path) -> None:
    soak = Soak(tmp_path, kills=3, events=300, chance=random.Random(7))

    assert asyncio.run(soak.run()) == []
    assert len(soak.accepted) >= 300
