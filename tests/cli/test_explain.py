"""`oncue explain-expression`: what it shows, and what it refuses."""

import json

import pytest

from oncue.cli import main as cli


def _explain(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["explain-expression", *words])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_it_shows_what_an_expression_reads_and_becomes(capsys: pytest.CaptureFixture[str]) -> None:
    text = "event.data.plan in ['pro'] && event.data['seats'] != 3"

    code, printed, _ = _explain(capsys, text)

    assert code == 0
    assert printed == (
        "gives  bool\n"
        "roots  event\n"
        "reads  event.data.plan, event.data.seats\n"
        'index  event.data.plan one of ["pro"]\n'
        "where  among_4 = ('pro',)\n"
        "where  k_6 = 3\n"
        "\n"
        "def evaluate(values, among_4, k_6):\n"
        "    try: v1_data = values['event']['data']\n"
        "    except FAULTS: v1_data = None\n"
        "    v2_all, v3_fault = True, None\n"
        "    try:\n"
        "        v2_all = (v1_data['plan'] in among_4)\n"
        "    except FAULTS: v3_fault = missing(values, 'event', ('data', 'plan'))\n"
        "    if v2_all:\n"
        "        try: v5_seats = v1_data['seats']\n"
        "        except FAULTS: v5_seats = seek(values, 'event', ('data', 'seats'))\n"
        "        v2_all = (v5_seats != k_6 or v5_seats.__class__ is bool)\n"
        "        if v2_all and v3_fault is not None: raise v3_fault\n"
        "    return v2_all\n"
    )


def test_it_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    text = "signup.data.min < 5 && !paid.last.data.ok && signup.id.startsWith('a')"

    code, printed, _ = _explain(capsys, text, "--root", "signup", "--list-of", "paid", "--json")

    facts = json.loads(printed)
    assert code == 0
    assert facts.pop("python").startswith("def evaluate(values, k_4, ")
    assert facts == {
        "gives": "bool",
        "roots": ["signup", "paid"],
        "reads": [["signup", "data", "min"], ["paid"], ["signup", "id"]],
        "index": [
            {"path": ["signup", "data", "min"], "within": [None, 5.0]},
            {"path": ["signup", "id"], "starts_with": "a"},
        ],
        "constants": {"k_4": "5", "k_9": "'a'"},
    }


def test_it_says_what_means_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, complaint = _explain(capsys, "evnt.id in ['[red]']")

    assert (code, printed) == (1, "")
    assert complaint == (
        "oncue: expected a known name, got 'evnt', did you mean 'event'?\n"
        "  evnt.id in ['[red]']\n"
        "  ^\n"
    )


def test_the_constants_of_a_deep_expression_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = "event.data.n == 7"
    for level in range(12):
        text = f"event.data.t.exists(x{level}, x{level} == 'deep' && {text})"

    code, printed, _ = _explain(capsys, text)

    shown = [line.rpartition(" = ")[2] for line in printed.splitlines() if line[:5] == "where"]
    assert code == 0
    assert "def part_" in printed
    assert {"7", "'deep'"} <= set(shown)
