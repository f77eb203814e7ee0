"""
Load, and `kill -9` at random moments: what must hold whatever happens in between.

A post that got no answer is repeated with its id, as any client should.
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from oncue.testing.vendors import HttpSimulator
from tests.running import KEY, Running, eventually, up

WORKERS = 8
BATCH = 10
FINAL = {"completed", "failed", "cancelled"}
SUBJECTS = 7
OVER_TIME: Mapping[str, Mapping[str, Any]] = {
    "four": {"type": "threshold", "value": 4, "window": "10m", "rearm": "reset"},
    "odd-after-even": {
        "type": "sequence",
        "within": "10m",
        "steps": [
            {"as": "even", "event": "soak.tick", "where": "event.data.n % 2 == 0"},
            {"as": "odd", "event": "soak.tick", "where": "event.data.n % 2 == 1"},
        ],
    },
    "silence": {
        "type": "sequence",
        "within": "400ms",
        "steps": [
            {"as": "one", "event": "soak.tick"},
            {"as": "next", "event": "soak.tick", "not": True},
        ],
    },
}
"""Patterns that remember; over the log they must have found what a backtest finds."""
SETTINGS: Mapping[str, str] = {"ONCUE_API_KEY": KEY, "ONCUE_ALLOW_NETWORKS": "127.0.0.0/8"}


@dataclass
class Soak:
    """One run: its load, its kills, and what was accepted."""

    data: Path
    kills: int
    events: int
    chance: random.Random
    accepted: dict[str, int] = field(default_factory=dict)
    """Offsets by id."""
    contradictions: list[str] = field(default_factory=list)
    running: Running | None = None
    is_up: asyncio.Event = field(default_factory=asyncio.Event)
    has_enough: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: int = 0

    async def run(self) -> list[str]:
        """Return everything that does not hold."""
        async with HttpSimulator() as receiver:
            await self._load(receiver.base_url)
            async with up(self.data, SETTINGS) as server:
                await self._settled(server)
                return [*self.contradictions, *await self._look(server, receiver)]

    async def _load(self, url: str) -> None:
        workers: list[asyncio.Task[None]] = []
        for turn in range(self.kills):
            # More than its part: what is accepted in the pause before the kill counts too.
            self.wanted = self.events * (turn + 1) // self.kills
            async with up(self.data, SETTINGS) as running:
                if turn == 0:
                    await self._save(running, url)
                    workers = [asyncio.create_task(self._post(n)) for n in range(WORKERS)]
                self.has_enough.clear()
                self.running = running
                self.is_up.set()
                await self.has_enough.wait()
                await asyncio.wait(workers, timeout=self.chance.uniform(0.02, 0.3))
                self.is_up.clear()
                await running.kill()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _save(self, server: Running, url: str) -> None:
        calls = [
            {
                "id": name,
                "type": "action",
                "action": "http_request",
                "with": {
                    "method": "POST",
                    "url": f"{url}/{name}",
                    "json": {"id": "{{ event.id }}"},
                },
                "retry": {"attempts": 10, "delay": "50ms"},
            }
            for name in ("first", "second")
        ]
        wait = {"id": "wait", "type": "delay", "for": "200ms"}
        document = {
            "name": "soak",
            "on": {"type": "event", "event": "soak.tick"},
            "steps": [calls[0], wait, calls[1]],
        }
        status, body = await server.post("/workflows", document)
        assert status == 201, body
        for name in OVER_TIME:
            pattern = {"name": name, "pattern": _condition(name)}
            status, body = await server.post("/patterns", pattern)
            assert status == 201, body

    async def _post(self, worker: int) -> None:
        number = 0
        while True:
            await self.is_up.wait()
            ids = [f"{worker}-{number + n}" for n in range(BATCH)]
            if await self._is_posted(ids):
                number += BATCH

    async def _is_posted(self, ids: list[str]) -> bool:
        assert self.running is not None
        batch = [
            {
                "type": "soak.tick",
                "id": id_,
                "subject": f"s-{int(id_.partition('-')[2]) % SUBJECTS}",
                "data": {"n": int(id_.partition("-")[2])},
            }
            for id_ in ids
        ]
        try:
            status, body = await self.running.post("/events/batch", batch)
        except (aiohttp.ClientError, ConnectionError, RuntimeError):
            return False
        if status != 202:
            self.contradictions.append(f"expected 202, got {status}: {body}")
            return True
        for id_, receipt in zip(ids, body["events"], strict=True):
            self.accepted[id_] = receipt["offset"]
        if len(self.accepted) >= self.wanted:
            self.has_enough.set()
        return True

    async def _settled(self, server: Running) -> None:
        async def look() -> bool:
            shown = await server.get("/monitoring/dashboard")
            by_status = shown["executions"]["by_status"]
            is_read = not shown["queues"]["events"]["depth"]
            return is_read and not sum(n for name, n in by_status.items() if name not in FINAL)

        await eventually(look)

    async def _look(self, server: Running, receiver: HttpSimulator) -> list[str]:
        return [
            *self._lost(await _all(server, "/events?type=soak.tick&limit=500")),
            *_outcomes(
                await _all(server, "/patterns/soak/matches?limit=500"),
                await _all(server, "/executions?limit=500"),
                await _all(server, "/events?type=soak.tick&limit=500"),
            ),
            *_effects(receiver),
            *[line for name in OVER_TIME for line in await _differences(server, name)],
        ]

    def _lost(self, events: list[Any]) -> list[str]:
        count = Counter(event["id"] for event in events)
        offsets = {event["id"]: event["offset"] for event in events}
        return [
            *(f"event {id_} stands {n} times in the log" for id_, n in count.items() if n > 1),
            *(f"event {id_} was accepted and is lost" for id_ in self.accepted.keys() - count),
            *(
                f"event {id_} was given offset {offset} and has {offsets[id_]}"
                for id_, offset in self.accepted.items()
                if offsets.get(id_, offset) != offset
            ),
        ]


def _outcomes(matches: list[Any], executions: list[Any], events: list[Any]) -> list[str]:
    by_id = {row["id"]: row for row in executions}
    started = [match["outcome"]["execution_id"] for match in matches]
    matched = Counter(match["events"][0]["id"] for match in matches)
    return [
        *(f"event {id_} was matched {n} times" for id_, n in matched.items() if n > 1),
        *(f"event {event['id']} was not matched" for event in events if event["id"] not in matched),
        *(f"execution {id_} was started by no match" for id_ in by_id.keys() - set(started)),
        *(f"match without execution {id_}" for id_ in started if id_ not in by_id),
        *(f"executions {n} times" for n in Counter(started).values() if n > 1),
        *(
            f"execution {row['id']} is {row['status']}: {row['error']}"
            for row in executions
            if row["status"] != "completed"
        ),
    ]


def _effects(receiver: HttpSimulator) -> list[str]:
    keys: dict[tuple[str, str], set[str | None]] = {}
    for call in receiver.calls:
        assert isinstance(call.body, dict)
        place = (call.path, str(call.body["id"]))
        keys.setdefault(place, set()).add(call.idempotency_key)
    return [f"{place} was asked for under {len(n)} keys" for place, n in keys.items() if len(n) > 1]


def _condition(name: str) -> dict[str, Any]:
    pattern = dict(OVER_TIME[name])
    by_type = {} if pattern["type"] == "sequence" else {"event": "soak.tick"}
    return {**pattern, **by_type, "by": ["event.subject"]}


async def _differences(server: Running, name: str) -> list[str]:
    """Return where what was found with kills in between differs from what is found in one go."""
    status, found = await server.post(
        "/patterns/test", {"pattern": _condition(name), "limit": 10_000}
    )
    assert status == 200, found
    expected = Counter(map(_identity, found["matches"]))

    async def is_all() -> bool:
        page = await server.get(f"/patterns/{name}")
        return bool(page["stats"]["matches"] >= expected.total())

    await eventually(is_all)
    live = Counter(map(_identity, await _all(server, f"/patterns/{name}/matches?limit=500")))
    return [
        *(f"{name}: lost {match}" for match in expected - live),
        *(f"{name}: found {match} beyond the log" for match in live - expected),
    ]


def _identity(match: Any) -> tuple[str, ...]:
    return (match["kind"], match["time"], *(event["id"] for event in match["events"]))


async def _all(server: Running, path: str) -> list[Any]:
    rows: list[Any] = []
    cursor = ""
    while True:
        page = await server.get(f"{path}{cursor}")
        rows += page["data"]
        if page["next_cursor"] is None:
            return rows
        cursor = f"&cursor={page['next_cursor']}"


def main() -> int:
    """Soak for long, and say what does not hold."""
    kills, events, seed = (int(word) for word in (*sys.argv[1:], "10", "5000", "1")[:3])
    with TemporaryDirectory() as folder:
        soak = Soak(Path(folder), kills, events, random.Random(seed))
        found = asyncio.run(soak.run())
    for line in found[:50]:
        sys.stdout.write(f"{line}\n")
    verdict = f"{len(found)} contradictions" if found else "all held"
    sys.stdout.write(f"{kills} kills, {len(soak.accepted)} events accepted: {verdict}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
