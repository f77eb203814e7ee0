"""`validate` asks the queries of polled patterns, without a server."""

from pathlib import Path

import pytest

from oncue.cli.definitions import validate

DOCUMENTS = """\
kind: pattern
name: wrong
pattern: {type: sql, every: 1m, query: "SELECT typ FROM events"}
---
kind: pattern
name: disabled
enabled: false
pattern: {type: sql, every: 1m, query: "SELECT typ FROM events"}
---
kind: pattern
name: right
pattern: {type: sql, every: 1m, query: "SELECT data.who AS who, sum(data.n) FROM events GROUP BY ALL"}
---
kind: workflow
name: two
on:
  - {type: event, event: paid}
  - {type: sql, every: 1m, identity: [typ], query: "SELECT type FROM events"}
steps:
  - {id: log, type: action, action: log_event, with: {type: told}}
"""


def test_queries_are_asked_over_no_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(DOCUMENTS)

    assert validate(file) == 1

    told = capsys.readouterr().err.replace("\n", " ")
    assert "all.yaml:3: pattern.query: Binder Error" in told
    assert "all.yaml:18: on[1].identity[0]: expected a column of the query (type)" in told
    assert "2 problems" in told
