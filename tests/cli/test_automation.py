"""`oncue test`: documents on the virtual clock, against simulated vendors."""

import json
from pathlib import Path

import pytest

from oncue.cli import main as cli

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(
    path for path in (ROOT / "examples").glob("*.yaml") if not path.name.endswith(".test.yaml")
)
FLOW = """\
kind: workflow
name: notify
on: {type: event, event: order.paid, where: event.data.amount > 10}
steps:
  - {id: wait, type: delay, for: 24h}
  - id: tell
    type: action
    action: send_slack_message
    with: {text: "{{ event.data.customer }} paid"}
output: {told: "{{ event.data.customer }}"}
"""
TEST = """\
kind: test
name: it is told
given: [notify.yaml]
events:
  - {at: 1h, type: order.paid, data: {customer: Ada, amount: 20}}
  - {at: 2h, type: order.paid, data: {customer: Bob, amount: 5}}
expect:
"""


def _run(
    folder: Path, capsys: pytest.CaptureFixture[str], test: str, *flags: str
) -> tuple[int, str]:
    """Return exit code and output of one test over `FLOW`."""
    (folder / "notify.yaml").write_text(FLOW)
    (folder / "one.test.yaml").write_text(test)
    with pytest.raises(SystemExit) as ended:
        cli.main(["test", str(folder), *flags])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_tested_and_passes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["test", str(path.with_suffix(".test.yaml"))])

    assert (ended.value.code, "failed" in capsys.readouterr().out) == (0, False)


def test_there_are_examples_for_daily_use() -> None:
    assert len(EXAMPLES) >= 6


def test_a_day_passes_in_no_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expect = """\
  matches: [{pattern: notify}]
  executions: [{workflow: notify, status: completed, output: {told: Ada}}]
  calls: [{vendor: slack, where: "call.after == duration('25h') && call.json.text == 'Ada paid'"}]
"""
    code, printed = _run(tmp_path, capsys, TEST + expect)

    assert (code, "✓ it is told" in printed, "1 passed" in printed) == (0, True, True)


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        pytest.param(
            "matches: [{pattern: notify, count: 2}]",
            "one.test.yaml:8: expect.matches[0]: expected 2 matches of notify, got 1",
            id="matches",
        ),
        pytest.param(
            "executions: [{workflow: notify, status: failed}]",
            "expect.executions[0]: expected 1 execution of notify failed, got 0\n"
            '      completed: output {"told":"Ada"}',
            id="executions",
        ),
        pytest.param(
            "executions: [{workflow: notify, output: {told: Bob}}]",
            'expected 1 execution of notify with the output {"told":"Bob"}, got 0',
            id="output",
        ),
        pytest.param(
            "calls: [{vendor: slack, count: 2}]",
            "expect.calls[0]: expected 2 calls of slack, got 1 of 1\n      25h POST https://",
            id="calls",
        ),
        pytest.param(
            "calls: [{vendor: slack, where: call.json.txt == 'x'}]",
            "no (call.json.txt: no such field): 25h POST",
            id="a where that cannot be told",
        ),
        pytest.param(
            "calls: [{vendor: slak}]", "did you mean 'slack'", id="a vendor that nobody knows"
        ),
        pytest.param(
            "executions: [{workflow: notfy}]",
            "expected a workflow of the given documents, got 'notfy'; did you mean 'notify'",
            id="a workflow that is not there",
        ),
        pytest.param("{}", "expected at least one of", id="nothing is expected"),
        pytest.param("calls: [{vendor: slack, cuont: 1}]", "did you mean 'count'", id="a typo"),
        pytest.param(
            "calls: [{vendor: slack, where: 'call.'}]", "expect.calls[0].where", id="no CEL"
        ),
    ],
)
def test_what_does_not_hold_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], expect: str, told: str
) -> None:
    code, printed = _run(tmp_path, capsys, f"{TEST}  {expect}\n")

    assert code == 1
    assert told in printed
    assert "✗ it is told" in printed


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param("given: [nothing.yaml]", "nothing.yaml: No such file", id="no such file"),
        pytest.param("given: []", "one.test.yaml:3: given", id="nothing given"),
        pytest.param(
            "given: [notify.yaml]\nuntil: 30m", "events[0].at: expected an instant", id="too late"
        ),
        pytest.param(
            "given: [notify.yaml]\nsimulate: {slack: [{status: 301}]}",
            "simulate.slack[0]: expected a status that leads nowhere else",
            id="a redirect",
        ),
        pytest.param(
            "given: [notify.yaml]\nsimulate: {slack: [{lost: after, status: 200}]}",
            "expected 'refused' or 'lost' alone, got lost and status",
            id="lost and told",
        ),
        pytest.param(
            "given: [notify.yaml]\ncallbacks: [{at: 3h, workflow: notify, step: wait}]",
            "callbacks[0]: expected a step 'wait' of notify that waits for it, got none",
            id="nobody waits for a callback",
        ),
        pytest.param(
            "given: [notify.yaml]\nwebhooks: [{hook: notify}]",
            "webhooks[0]: expected a hook of the given documents, got 'notify'",
            id="no hook",
        ),
        pytest.param(
            "given: [notify.yaml]\nuntil: 30h\nwebhooks: [{hook: notify, at: 31h}]",
            "webhooks[0].at: expected an instant up to 'until', got a later one",
            id="a webhook that comes too late",
        ),
    ],
)
def test_what_cannot_be_played_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], document: str, told: str
) -> None:
    test = TEST.replace("given: [notify.yaml]", document) + "  calls: [{vendor: slack}]\n"

    code, printed = _run(tmp_path, capsys, test)

    assert (code, told in printed) == (1, True), printed


@pytest.mark.parametrize(
    ("answers", "status", "calls"),
    [
        ("[{status: 403}]", "failed", 1),
        ("[{refused: forbidden}]", "failed", 1),
        ("[{refused: rate_limited}, {lost: after}]", "completed", 3),
    ],
)
def test_vendors_answer_as_they_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: str, status: str, calls: int
) -> None:
    refusing = f"simulate: {{slack: {answers}}}\n"
    expect = (
        f"  executions: [{{workflow: notify, status: {status}}}]\n"
        f"  calls: [{{vendor: slack, count: {calls}}}]\n"
    )

    code, printed = _run(tmp_path, capsys, refusing + TEST + expect)

    assert code == 0, printed


def test_machines_read_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    test = TEST + "  matches: [{pattern: notify, count: 3}]\n"

    code, printed = _run(tmp_path, capsys, test, "--json")

    (result,) = json.loads(printed)
    (failure,) = result["failures"]
    assert (code, result["name"], result["passed"]) == (1, "it is told", False)
    assert (failure["path"], failure["line"]) == ("expect.matches[0]", 8)


def test_a_folder_without_tests_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["test", str(tmp_path)])

    assert ended.value.code == 1
    assert "expected files *.test.yaml, found none" in capsys.readouterr().err
