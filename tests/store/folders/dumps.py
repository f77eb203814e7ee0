"""
A data folder as text, so that its history can be read, and a folder made of such text.

`python -m tests.store.folders.dumps NAME` writes one with the code as it is now, for
those to come; none that is there is ever written anew.
"""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from oncue.core.json_text import Json
from oncue.core.key_values import Namespace, Slot
from oncue.engine.engine import Engine
from tests.installation import ACCOUNT, installed
from tests.make import make_document

HERE = Path(__file__).parent
SIGNUP: dict[str, Json] = {
    "type": "user.signup",
    "id": "e-1",
    "subject": "ada",
    "data": {"plan": "enterprise"},
}
WORKFLOW = make_document(
    steps=[
        {"id": "hello", "type": "action", "action": "note", "with": {"text": "hello"}},
        {"id": "wait", "type": "delay", "for": "24h"},
        {"id": "bye", "type": "action", "action": "note", "with": {"text": "bye"}},
    ]
)
PATTERN: Json = {
    "name": "two-signups",
    "pattern": {
        "type": "threshold",
        "event": "user.signup",
        "by": ["event.subject"],
        "value": 2,
        "window": "48h",
    },
}
CONNECTION: Json = {
    "name": "shop-crm",
    "integration": "hubspot",
    "values": {"api_key": "pat-na1-0123456789"},
}


def undump(name: str, folder: Path) -> None:
    """Make the data folder that was written down under a name."""
    dumps = HERE / name
    for dump in dumps.rglob("*.sql"):
        path = folder / dump.relative_to(dumps).with_suffix(".db")
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(dump.read_text(encoding="utf-8"))
    for other in dumps.rglob("*.jsonl"):
        path = folder / other.relative_to(dumps)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(other.read_bytes())


def dump(folder: Path, dumps: Path) -> None:
    """Write a data folder down."""
    for path in [*folder.rglob("*.db"), *folder.rglob("*.jsonl")]:
        place = dumps / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".jsonl":
            place.write_bytes(path.read_bytes())
            continue
        with closing(sqlite3.connect(path)) as connection:
            (form,) = connection.execute("PRAGMA user_version").fetchone()
            lines = [*connection.iterdump(), f"PRAGMA user_version = {form};"]
        place.with_suffix(".sql").write_text("\n".join(lines) + "\n", encoding="utf-8")


async def live(folder: Path) -> None:
    """Leave some of everything in a data folder."""
    async with installed(folder) as world:
        await define(world.engine)
        await world.send(**SIGNUP)
        await world.engine.settled()
        await world.parts.keys.set(ACCOUNT, Slot(Namespace.STATE, "seen"), {"n": 1})


async def define(engine: Engine) -> None:
    """Save a workflow, a pattern that remembers, and a connection."""
    await engine.definitions.create_workflow(ACCOUNT, WORKFLOW)
    await engine.patterns.create(ACCOUNT, PATTERN)
    await engine.connections.create(ACCOUNT, CONNECTION)


def main() -> int:
    """Write a new one down."""
    name = sys.argv[1]
    with TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder)))
        dump(Path(folder), HERE / name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
