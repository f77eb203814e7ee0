"""The cases beside the project, where they are there, and what the runner makes of its own."""

import json
from pathlib import Path

import pytest

from oncue.core.json_text import Json
from tests.conformance import cel, cep, siddhi
from tests.conformance.cases import Result, Verdict, Way
from tests.conformance.suite import Report, run

CASES = Path(__file__).parents[3] / "shared" / "cases"
here = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not in ../shared/cases")
FLINK_CASE: dict[str, Json] = {
    "id": "a-then-b",
    "events": [{"id": "e0", "name": "a", "ts": 1}, {"id": "e1", "name": "b", "ts": 2}],
    "pattern": {
        "steps": [
            {"var": "one", "op": "begin", "where": {"field": "name", "op": "==", "value": "a"}},
            {"var": "two", "op": "next", "where": {"field": "name", "op": "==", "value": "b"}},
        ],
        "within_ms": None,
        "within_type": "FIRST_AND_LAST",
        "after_match_skip": "NO_SKIP",
    },
}
SIDDHI_CASE: dict[str, Json] = {
    "id": "a-then-not-b",
    "streams": "define stream A (n int); define stream B (n int);",
    "query": "from e1=A[n > 1] -> not B[n > e1.n] for 1 sec select e1.n as n insert into O ;",
    "script": [{"t": 0, "stream": "A", "data": [5]}, {"advance_to": 1100}],
}


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {report.file: report for report in run(CASES)}


@here
@pytest.mark.parametrize(
    ("file", "count"), [("flink_cep.json", 70), ("flink_random_oracle.json", 280)]
)
def test_flink_gives_the_same_in_the_same_order(
    reports: dict[str, Report], file: str, count: int
) -> None:
    report = reports[file]

    assert list(report.lines()) == [f"{file} passed={count} failed=0 unsupported=0"]


@here
def test_siddhi_gives_the_same_but_for_differences_that_have_a_name(
    reports: dict[str, Report],
) -> None:
    results = [
        result
        for file, report in reports.items()
        if file.startswith("siddhi_")
        for result in report.results
    ]
    passed = [result for result in results if result.verdict is Verdict.PASSED]
    public = [result for result in results if result.way is Way.PUBLIC]
    nameless = [r for r in results if r.verdict is not Verdict.PASSED and not r.difference]

    assert (len(results), nameless) == (228, [])
    assert len(passed) >= 0.95 * len(results)
    assert len(public) >= 0.8 * len(results)


@here
def test_cel_gives_what_its_official_suite_expects(reports: dict[str, Report]) -> None:
    results = [
        result
        for file, report in reports.items()
        if file.startswith("cel/")
        for result in report.results
    ]
    others = [result for result in results if result.verdict is not Verdict.PASSED]

    assert (len(results), others) == (978, [])


@here
def test_windows_of_flink_sql_give_the_same_rows_in_the_order_of_time(
    reports: dict[str, Report],
) -> None:
    results = reports["flink_windows_oracle.json"].results
    others = [result for result in results if result.verdict is not Verdict.PASSED]

    assert len(results) == 37
    assert [result.difference for result in others] == [
        "a greedy loop of Flink gives nothing back"
    ] * 2


@here
@pytest.mark.parametrize(
    ("file", "count"), [("trino_row_pattern.json", 75), ("duckdb_match_recognize_spec.json", 10)]
)
def test_row_patterns_give_the_same_rows_as_they_come_and_in_queries(
    reports: dict[str, Report], file: str, count: int
) -> None:
    report = reports[file]

    assert list(report.lines()) == [f"{file} passed={count} failed=0 unsupported=0"]


CEL_CASE: dict[str, Json] = {
    "id": "sum", "expr": "[a + 1u, size('é')]", "bindings": {"a": {"uint": "2"}}, "container": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        pytest.param({}, Verdict.UNJUDGED, id="nothing is expected"),
        pytest.param(
            {"expected": {"list": [{"uint": "3"}, {"int": "1"}]}, "error": False},
            Verdict.PASSED,
            id="what is given",
        ),
        pytest.param(
            {"expected": {"list": [{"int": "3"}, {"int": "1"}]}, "error": False},
            Verdict.FAILED,
            id="a number of another type",
        ),
        pytest.param({"expected": None, "error": True}, Verdict.FAILED, id="an error"),
        pytest.param(
            {"expr": "1 / 0", "expected": None, "error": True}, Verdict.PASSED, id="its error"
        ),
    ],
)
def test_an_expression_is_judged_by_value_and_type(
    changes: dict[str, Json], verdict: Verdict
) -> None:
    result = cel.judge({**CEL_CASE, **changes}, None)

    assert result.verdict is verdict
    assert "expr" in changes or result.actual == {"list": [{"uint": "3"}, {"int": "1"}]}


def test_a_case_without_expectation_is_run_and_not_judged() -> None:
    bound: Json = [["e0", "e1"]]
    found: Json = [{"emitted_at": "e1", "vars": {"one": ["e0"], "two": ["e1"]}}]

    assert cep.judge_with_variables(FLINK_CASE, None).actual == found
    assert cep.judge(FLINK_CASE, None) == Result(
        "a-then-b", Verdict.UNJUDGED, actual=bound, way=Way.PUBLIC
    )
    assert siddhi.judge(SIDDHI_CASE, None) == Result(
        "a-then-not-b", Verdict.UNJUDGED, actual=[[5]], way=Way.PUBLIC
    )


def test_what_is_not_expected_fails() -> None:
    flink = cep.judge({**FLINK_CASE, "expected": []}, None)
    rows = siddhi.judge({**SIDDHI_CASE, "expected_rows": [[6]], "expected_count": 1}, None)

    assert (flink.verdict, rows.verdict) == (Verdict.FAILED, Verdict.FAILED)


def test_an_oracle_beside_a_file_is_asked_too(tmp_path: Path) -> None:
    case = {**FLINK_CASE, "expected": [["e0", "e1"]]}
    oracle = [{"id": "a-then-b", "matches": [], "timeouts": []}]
    file = {"format": "cep-cases/1", "cases": [case]}
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "own.json").write_text(json.dumps(file))
    (tmp_path / "sub" / "own.oracle.json").write_text(json.dumps(oracle))

    [report] = run(tmp_path)

    assert next(report.lines()) == "sub/own.json passed=0 failed=1 unsupported=0"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (
            "from e1=A -> every (e2=B -> e3=A) select e1.n as n insert into O ;",
            "every over a chain inside of a chain",
        ),
        ("from e1=A -> e2=B within 1 moon select e1.n as n insert into O ;", "time 1 moon"),
        (
            "from e1=A select * insert into O ;",
            "query with '*' in place of a value",
        ),
        ("from e1=A[sqrt(n) > 1] select e1.n as n insert into O ;", "function sqrt in a filter"),
    ],
)
def test_a_construct_that_is_not_there_is_named(query: str, reason: str) -> None:
    result = siddhi.judge({**SIDDHI_CASE, "query": query}, None)

    assert (result.verdict, result.reason) == (Verdict.UNSUPPORTED, reason)
