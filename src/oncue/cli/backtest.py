"""The command that shows what a pattern would have matched."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from oncue.cli.documents import FileDocument, problems_in, read_documents
from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import CommandError, Remote, err, out, talk
from oncue.core.errors import MalformedJson, Problem
from oncue.core.instants import format_instant, parse_duration
from oncue.core.json_text import Json, encode_json, parse_json
from oncue.system import SystemClock

_SHOWN_CHARS: Final = 70
_LINES: Final = (".jsonl", ".ndjson")


@Parameter(name="*")
@dataclass(frozen=True)
class Extent:
    """
    Over what a pattern is tried.

    Attributes
    ----------
    from_
        Matches from this instant on, or of so long: 2026-01-05T10:00:00Z, or 7d.
    to
        Matches before this instant.
    until
        How far the clock runs on after the last event (default --to; over the log now).
    warm_up
        How long before that the state begins (default the longest window).
    events
        A file of events to look at instead of those of the log: a JSON array, or one
        event per line in *.jsonl.
    """

    from_: Annotated[str | None, Parameter(name="--from")] = None
    to: str | None = None
    until: str | None = None
    warm_up: str | None = None
    events: Path | None = None


def backtest(
    pattern_file: Path,
    /,
    *,
    extent: Extent = Extent(),
    compare_to: str | None = None,
    limit: int = 1_000,
    as_json: AsJson = False,
) -> int:
    """
    Show what a pattern would have matched, over the events of the log; nothing is started.

    Parameters
    ----------
    pattern_file
        A document of the kind `pattern`, or only its condition, as YAML or JSON.
    compare_to
        Name or id of a pattern to hold the matches against.
    limit
        Matches to show.
    as_json
        Print JSON.
    """
    document = _document(pattern_file)
    problems = _problems(document)
    if problems:
        for problem in problems:
            err.print(document.told(problem), markup=False)
        return 1
    asked = _asked(document.content, extent) | {"compare_to": compare_to, "limit": limit}
    question: Json = {name: value for name, value in asked.items() if value is not None}
    result = talk(lambda remote: _ask(remote, question))
    if as_json:
        print_json(result)
    else:
        _print(result)
    return 0


def _document(path: Path) -> FileDocument:
    """Return the one document of a file that is a pattern, or a condition."""
    found = [one for one in read_documents(path) if one.kind == "pattern" or _is_bare(one.content)]
    if len(found) != 1:
        raise CommandError(f"{path}: expected one pattern, found {len(found) or 'none'}")
    return found[0]


def _is_bare(content: dict[str, Json]) -> bool:
    return "kind" not in content and "type" in content


def _problems(document: FileDocument) -> list[Problem]:
    content = document.content
    if "pattern" in content:
        whole: dict[str, Json] = {"name": "backtest", **content}
        return list(problems_in(replace(document, content=_pattern(whole))))
    whole = _pattern({"name": "backtest", "pattern": content})
    return [
        Problem(problem.path.removeprefix("pattern").lstrip("."), problem.message)
        for problem in problems_in(replace(document, content=whole))
    ]


def _pattern(content: dict[str, Json]) -> dict[str, Json]:
    return {"kind": "pattern", **content}


def _asked(content: dict[str, Json], extent: Extent) -> dict[str, Json]:
    return {
        "pattern": content.get("pattern", content),
        "from": _instant(extent.from_),
        "to": _instant(extent.to),
        "until": _instant(extent.until),
        "warm_up": extent.warm_up,
        "events": None if extent.events is None else _events(extent.events),
    }


def _instant(text: str | None) -> str | None:
    """Return an instant as it was written; a duration is so long ago."""
    try:
        duration_ms = parse_duration(text or "")
    except ValueError:
        return text
    return format_instant(SystemClock().now_ms() - duration_ms)


def _events(path: Path) -> list[Json]:
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise CommandError(f"{path}: {exc.strerror}") from exc
    if path.suffix in _LINES:
        return [
            _parsed(line, f"{path}:{number}")
            for number, line in enumerate(content.splitlines(), 1)
            if line.strip()
        ]
    events = _parsed(content, str(path))
    if not isinstance(events, list):
        raise CommandError(f"{path}: expected a JSON array of events; one per line is *.jsonl")
    return events


def _parsed(content: bytes, place: str) -> Json:
    try:
        return parse_json(content)
    except MalformedJson as exc:
        raise CommandError(f"{place}: {exc}") from exc


async def _ask(remote: Remote, question: Json) -> Any:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(
        *columns, TimeRemainingColumn(), console=err, transient=True, disable=not err.is_terminal
    )
    with bar:
        task = bar.add_task("reading the log", total=None)
        async for kind, data in remote.messages("/patterns/test", body=question):
            message: Any = parse_json(data)
            if kind != "progress":
                return message
            bar.update(task, completed=message["scanned"], total=message["total"])
    raise CommandError("the answer ended before its result: see the log of the server")


def _print(result: Any) -> None:
    if result["matches"]:
        print_table(_table(result["matches"]))
    out.print(_count(result))
    if result["failures"]:
        out.print(f"[red]the pattern failed on {result['failures']} events[/red]")
    if left_out := result["left_out"]:
        counts = ", ".join(f"{name} {count}" for name, count in left_out.items())
        out.print(f"left out: {counts}")
    for warning in result["warnings"]:
        out.print(f"warning: {warning['path']}: {warning['message']}", markup=False)
    if comparison := result.get("comparison"):
        _print_comparison(comparison, is_whole=not result["truncated"])


def _count(result: Any) -> str:
    count, shown = result["match_count"], len(result["matches"])
    words = _number(count, "match", "matches")
    if shown < count:
        words += f" (the first {shown} are shown)"
    return f"{words} in {_number(result['events_scanned'], 'event', 'events')}"


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _print_comparison(comparison: Any, *, is_whole: bool) -> None:
    gained, lost = comparison["gained"], comparison["lost"]
    name = f"{comparison['pattern']} (version {comparison['version']})"
    out.print(
        f"{name} has {comparison['match_count']}: {comparison['same']} the same, "
        f"{len(gained)} gained, {len(lost)} lost"
    )
    for title, style, matches in (("gained", "green", gained), ("lost", "red", lost)):
        if matches:
            out.print(f"[{style}]{title}[/{style}]")
            print_table(_table(matches))
    if not is_whole or len(lost) + comparison["same"] < comparison["match_count"]:
        out.print("[yellow]compared are the first matches of both: raise --limit[/yellow]")


def _table(matches: list[Any]) -> Table:
    table = make_table("time", "key", "kind", "events", "values")
    for match in matches:
        cells = (match["time"], _named(match["key"]), match["kind"], _events_of(match))
        table.add_row(*cells, _listed(match["values"]))
    return table


def _named(key: dict[str, Json]) -> str:
    return " ".join(_short(value) for value in key.values())


def _events_of(match: Any) -> str:
    """Return how many events a match has, by the names of steps where there are such."""
    named = [f"{name} {len(events)}" for name, events in match["bindings"].items()]
    return ", ".join(named) or str(match["event_count"])


def _listed(values: dict[str, Json]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in values.items())


def _short(value: Json) -> str:
    text = value if isinstance(value, str) else encode_json(value).decode()
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
