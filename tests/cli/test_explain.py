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
        "\n"
        "def evaluate(values):\n"
        "    try: v1_data = values['event']['data']\n"
        "    except FAULTS: v1_data = None\n"
        "    v2_all, v3_fault = True, None\n"
        "    try:\n"
        "        v2_all = (v1_data['plan'] in ('pro',))\n"
        "    except FAULTS: v3_fault = missing(values, 'event', ('data', 'plan'))\n"
        "    if v2_all:\n"
        "        try: v4_seats = v1_data['seats']\n"
        "        except FAULTS: v4_seats = seek(values, 'event', ('data', 'seats'))\n"
        "        v2_all = (v4_seats != 3 or v4_seats.__class__ is bool)\n"
        "        if v2_all and v3_fault is not None: raise v3_fault\n"
        "    return v2_all\n"
    )


def test_it_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    text = "signup.data.min < 5 && !paid.last.data.ok && signup.id.startsWith('a')"

    code, printed, _ = _explain(capsys, text, "--root", "signup", "--list-of", "paid", "--json")

    facts = json.loads(printed)
    assert code == 0
    assert facts.pop("python").startswith("def evaluate(values):\n")
    assert facts == {
        "gives": "bool",
        "roots": ["signup", "paid"],
        "reads": [["signup", "data", "min"], ["paid"], ["signup", "id"]],
        "index": [
            {"path": ["signup", "data", "min"], "within": [None, 5.0]},
            {"path": ["signup", "id"], "starts_with": "a"},
        ],
    }


def test_it_says_what_means_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, complaint = _explain(capsys, "evnt.id in ['[red]']")

    assert (code, printed) == (1, "")
    assert complaint == (
        "oncue: expected a known name, got 'evnt', did you mean 'event'?\n"
        "  evnt.id in ['[red]']\n"
        "  ^\n"
    )
