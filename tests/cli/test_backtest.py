"""`oncue backtest`: a pattern in a file, over the events of the log or of another file."""

import json
from pathlib import Path
from typing import Any

import pytest

from oncue.cli.remote import err
from oncue.core.json_text import Json
from tests.cli.shell import Shell

LARGE = """\
kind: pattern
name: large-orders
pattern:
  type: event
  event: order.paid
  by: [event.subject]
  where: event.data.amount > 100
"""
UNPAID = """\
{"type": "sequence", "by": ["event.subject"], "within": "30m",
 "steps": [{"as": "cart", "event": "cart.filled"},
           {"as": "paid", "event": "order.paid", "not": true}]}
"""
WRONG = """\
type: threshold
event: order.paid
value: 3
window: soon
emit: erly
"""


def order(minute: int, subject: str, amount: int) -> dict[str, Json]:
    return {
        "type": "order.paid",
        "subject": subject,
        "time": f"2026-01-05T10:{minute:02}:00Z",
        "data": {"amount": amount},
    }


def cart(minute: int, subject: str) -> dict[str, Json]:
    return {**order(minute, subject, 0), "type": "cart.filled"}


ORDERS = [order(1, "ada", 50), order(2, "bob", 150), order(3, "eve", 250)]


def write(folder: Path, name: str, content: str) -> str:
    path = folder / name
    path.write_text(content)
    return str(path)


async def _fill(shell: Shell) -> None:
    for event in ORDERS:
        assert (await shell.server.request("POST", "/events", json=event)).status == 202


def _rows(printed: str) -> list[list[str]]:
    return [line.split() for line in printed.splitlines() if line.startswith(" 2026")]


@pytest.mark.parametrize(
    ("options", "found", "said"),
    [
        pytest.param([], ["bob", "eve"], "2 matches in 3 events", id="all"),
        pytest.param(["--from", "2026-01-05T10:03:00Z"], ["eve"], "1 match in 1 event", id="from"),
        pytest.param(["--to", "2026-01-05T10:03:00Z"], ["bob"], "1 match in 2 events", id="to"),
        pytest.param(
            ["--limit", "1"], ["bob"], "2 matches (the first 1 are shown) in 3 events", id="a limit"
        ),
        pytest.param(["--from", "1s"], [], "0 matches in 0 events", id="a second ago"),
    ],
)
def test_events_of_the_log(
    at: Any, tmp_path: Path, options: list[str], found: list[str], said: str
) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        await _fill(shell)
        return await shell.run("backtest", write(tmp_path, "large.yaml", LARGE), *options)

    code, printed = at(use)

    assert code == 0
    assert [row[1] for row in _rows(printed)] == found
    assert said in printed


@pytest.mark.parametrize("name", ["events.json", "events.jsonl"])
def test_events_of_a_file(at: Any, tmp_path: Path, name: str) -> None:
    events = [cart(0, "ada"), cart(5, "bob"), order(6, "bob", 10)]
    text = json.dumps(events) if name == "events.json" else "\n".join(map(json.dumps, events))

    async def use(shell: Shell) -> tuple[int, str]:
        pattern = write(tmp_path, "unpaid.json", UNPAID)
        return await shell.run("backtest", pattern, "--events", write(tmp_path, name, text))

    code, printed = at(use)

    assert code == 0
    assert _rows(printed) == [["2026-01-05T10:30:00.000Z", "ada", "absent", "cart", "1"]]


def test_what_is_gained_and_lost(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        await shell.run("apply", write(tmp_path, "large.yaml", LARGE))
        await _fill(shell)
        changed = LARGE.replace("> 100", "in [50, 150]")
        return await shell.run(
            "backtest", write(tmp_path, "changed.yaml", changed), "--compare-to", "large-orders"
        )

    code, printed = at(use)
    _, _, comparison = printed.partition("events\n")

    assert code == 0
    assert comparison.splitlines()[0] == (
        "large-orders (version 1) has 2: 1 the same, 1 gained, 1 lost"
    )
    assert [row[1] for row in _rows(comparison)] == ["ada", "eve"]


def test_what_is_printed_for_machines_is_the_answer(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> tuple[str, Any]:
        await _fill(shell)
        _, printed = await shell.run("backtest", write(tmp_path, "l.yaml", LARGE), "--json")
        body: Json = {"pattern": {"type": "event", "event": "order.paid"}}
        return printed, (await shell.server.request("POST", "/patterns/test", json=body)).body

    printed, answer = at(use)

    assert json.loads(printed).keys() == answer.keys()
    assert json.loads(printed)["match_count"] == 2


def test_an_answer_of_many_megabytes_is_read(at: Any, tmp_path: Path) -> None:
    events = [order(minute, "x" * 500, 200) for minute in range(60)] * 10

    async def use(shell: Shell) -> tuple[int, str]:
        for start in range(0, len(events), 100):
            await shell.server.request("POST", "/events/batch", json=events[start : start + 100])
        return await shell.run("backtest", write(tmp_path, "l.yaml", LARGE), "--json")

    code, printed = at(use)

    assert (code, json.loads(printed)["match_count"]) == (0, 600)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            WRONG,
            [
                "4: window: expected a duration such as '24h', got 'soon'",
                "5: emit: expected 'early' or 'final', got 'erly'",
            ],
            id="a bare condition",
        ),
        pytest.param(
            LARGE.replace("> 100", "> > 100"),
            ["7: pattern.where: expected a value"],
            id="a pattern",
        ),
        pytest.param("kind: workflow\nname: a\nsteps: []\n", ["expected one pattern"], id="none"),
        pytest.param(f"{LARGE}---\n{LARGE}", ["expected one pattern, found 2"], id="two"),
    ],
)
def test_a_pattern_that_is_refused(at: Any, tmp_path: Path, content: str, said: list[str]) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        return await shell.run("backtest", write(tmp_path, "wrong.yaml", content))

    code, printed = at(use)

    assert code == 1
    assert [words for words in said if words not in printed] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--compare-to", "nobody"], "no pattern 'nobody'", id="nobody"),
        pytest.param(["--from", "yesterday"], "from: expected an instant", id="no instant"),
        pytest.param(["--events", "none.json"], "none.json: No such file", id="no file"),
    ],
)
def test_a_question_that_is_refused(at: Any, tmp_path: Path, options: list[str], said: str) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        return await shell.run("backtest", write(tmp_path, "large.yaml", LARGE), *options)

    code, printed = at(use)

    assert code == 1
    assert said in printed


def test_a_file_of_events_that_is_none(at: Any, tmp_path: Path) -> None:
    lines = write(tmp_path, "events.jsonl", '{"type": "a"}\n\n{"type": ')

    async def use(shell: Shell) -> tuple[int, str]:
        pattern = write(tmp_path, "large.yaml", LARGE)
        return await shell.run("backtest", pattern, "--events", lines)

    code, printed = at(use)

    assert code == 1
    assert "events.jsonl:3: expected JSON" in printed


def test_a_terminal_sees_how_far_it_is(
    at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        await _fill(shell)
        monkeypatch.setattr(err, "_force_terminal", True)
        monkeypatch.setattr(err, "is_interactive", True)
        monkeypatch.setenv("TERM", "xterm")
        return await shell.run("backtest", write(tmp_path, "large.yaml", LARGE))

    code, printed = at(use)

    assert code == 0
    assert "reading the log" in printed
