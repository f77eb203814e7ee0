"""All cases below a folder, each by the module of its file's format."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from oncue.core.json_text import Json
from tests.conformance import cel, cep, siddhi, sql, sql_windows
from tests.conformance.cases import Result, Verdict, list_of, object_of, objects_of, text_of

Judge: TypeAlias = Callable[[Mapping[str, Json], Mapping[str, Json] | None], Result]

JUDGES: Final[Mapping[str, Judge]] = {
    cep.WITHOUT_VARIABLES: cep.judge,
    cep.WITH_VARIABLES: cep.judge_with_variables,
    siddhi.FORMAT: siddhi.judge,
    cel.FORMAT: cel.judge,
    sql.ROW_PATTERNS: sql.judge_row_pattern,
    sql_windows.FORMAT: sql_windows.judge,
}
"""What judges a case, by the format of its file; one module for each engine's formats."""


@dataclass(frozen=True)
class Report:
    """What the cases of a file came to."""

    file: str
    results: Sequence[Result]

    def count(self, verdict: Verdict) -> int:
        return sum(result.verdict is verdict for result in self.results)

    def lines(self) -> Iterator[str]:
        """Yield the line of the file, and one for each case that did not pass."""
        counts = [
            f"{verdict.value}={self.count(verdict)}"
            for verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.UNSUPPORTED)
        ]
        yield " ".join((self.file, *counts))
        for result in self.results:
            if result.verdict in (Verdict.FAILED, Verdict.UNSUPPORTED):
                yield f"  {result.verdict.value} {result.id}: {result.reason}"


def run(folder: Path) -> Iterator[Report]:
    """Yield what came of each file below `folder` that has one of the formats."""
    for path in sorted(folder.rglob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        judge = _judge_of(content) if isinstance(content, Mapping) else None
        if judge is not None:
            oracles = _oracles(path)
            results = [
                judge(case, oracles.get(text_of(case["id"])))
                for case in objects_of(content["cases"])
            ]
            yield Report(path.relative_to(folder).as_posix(), results)


def _judge_of(content: Mapping[str, Json]) -> Judge | None:
    # What follows a colon explains the fields of the format.
    return JUDGES.get(str(content.get("format", "")).partition(":")[0])


def ways(reports: Sequence[Report]) -> str:
    """Return how many cases were put to the engine in which way."""
    counts = Counter(
        result.way.value for report in reports for result in report.results if result.way
    )
    return ", ".join(f"{count} by {way}" for way, count in sorted(counts.items()))


def actuals(reports: Sequence[Report]) -> Iterator[str]:
    """Yield what the engine gave for each case, as lines of JSON."""
    for report in reports:
        for result in report.results:
            yield json.dumps({"file": report.file, "id": result.id, "actual": result.actual})


def _oracles(path: Path) -> Mapping[str, Mapping[str, Json]]:
    beside = path.with_suffix(".oracle.json")
    if not beside.exists():
        return {}
    entries = list_of(json.loads(beside.read_text(encoding="utf-8")))
    return {text_of(object_of(entry)["id"]): object_of(entry) for entry in entries}
