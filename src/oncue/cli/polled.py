"""Queries of polled patterns in documents, asked over no events: what is wrong with them at any rate."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from oncue.cli.documents import FileDocument
from oncue.core.errors import Problem
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.polled.poll import Poll
from oncue.engine.poll_trials import problems_with


def problems_of_polls(documents: Sequence[FileDocument]) -> list[tuple[FileDocument, Problem]]:
    """Return what is wrong with the queries of documents that are right but for them."""
    polls = [(each, poll, path) for each in documents for poll, path in _polls_in(each)]
    return asyncio.run(_asked(polls)) if polls else []


async def _asked(
    polls: Sequence[tuple[FileDocument, Poll, str]],
) -> list[tuple[FileDocument, Problem]]:
    # Imported late: most documents ask nothing.
    from oncue.store.query.pool import QueryPool

    with tempfile.TemporaryDirectory() as folder:
        async with QueryPool(_nothing, Path(folder)) as questions:
            return [
                (document, problem)
                for document, poll, path in polls
                for problem in await problems_with(questions, "nobody", poll, path)
            ]


@asynccontextmanager
async def _nothing(_: str, lines: Path) -> AsyncIterator[Sequence[Path]]:
    await asyncio.to_thread(lines.write_bytes, b"")
    yield ()


def _polls_in(document: FileDocument) -> Iterator[tuple[Poll, str]]:
    content = document.content
    if document.kind == "pattern" and content.get("enabled", True):
        yield from _poll_of(content["pattern"], "pattern")
    elif document.kind == "workflow":
        match content.get("on"):
            case [*triggers]:
                for index, trigger in enumerate(triggers):
                    yield from _poll_of(trigger, f"on[{index}]")
            case trigger:
                yield from _poll_of(trigger, "on")


def _poll_of(condition: Json, path: str) -> Iterator[tuple[Poll, str]]:
    if isinstance(condition, dict) and condition.get("type") == "sql":
        poll = parse_pattern({"name": "asked", "pattern": condition}).plan.looking.poll
        if poll:
            yield poll, path
