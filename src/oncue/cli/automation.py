"""The command that tests automations."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oncue.cli.documents import FileDocument, brought_vendors, problems_in, read_documents
from oncue.cli.junit import Case, junit_of
from oncue.cli.output import AsJson, print_json
from oncue.cli.remote import CommandError, err, out
from oncue.core.errors import OnCueError, Problem
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.system import SystemClock
from oncue.testing.automation.document import AutomationTest, parse_test, unknown_names
from oncue.testing.automation.expectations import Failure
from oncue.testing.automation.run import Documents, run_test

SUFFIX = ".test.yaml"


@dataclass(frozen=True, slots=True)
class _Result:
    """How a test went; it passed if there is nothing to tell."""

    document: FileDocument
    name: str
    duration_ms: int
    failures: list[Failure]


def run_tests(*files: Path, junit: Path | None = None, as_json: AsJson = False) -> int:
    """
    Run automation tests on a virtual clock, against simulated vendors.

    Parameters
    ----------
    files
        Documents of the kind `test`, or folders that are searched for `*.test.yaml`
        (default: this folder).
    junit
        Write a report there, as continuous integration reads it.
    as_json
        Print JSON.
    """
    results: list[_Result] = []
    began = format_instant(SystemClock().now_ms()).removesuffix("Z").partition(".")[0]
    for document in _documents(files or (Path(),)):
        results.append(_run(document))
        if not as_json:
            _print(results[-1])
    if junit:
        junit.write_bytes(junit_of([_case(result) for result in results], began))
    failed = sum(bool(result.failures) for result in results)
    if as_json:
        print_json([_shown(result) for result in results])
    elif failed:
        err.print(f"[red]{failed} of {len(results)} failed[/red]")
    else:
        out.print(f"[green]{len(results)} passed[/green]")
    return 1 if failed else 0


def _documents(paths: tuple[Path, ...]) -> Iterator[FileDocument]:
    for path in paths:
        files = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not files:
            raise CommandError(f"{path}: expected files *{SUFFIX}, found none")
        for file in files:
            those = [document for document in read_documents(file) if document.kind == "test"]
            if not those:
                raise CommandError(f"{file}: expected documents of kind test, found none")
            yield from those


def _run(document: FileDocument) -> _Result:
    clock = SystemClock()
    began = clock.now_ms()
    problems = problems_in(document)
    name = str(document.content.get("name", document.path.name))
    if problems:
        return _Result(document, name, 0, [_failure(problem) for problem in problems])
    test = parse_test(document.content, brought_vendors())
    failures = _failures(document, test)
    return _Result(document, name, clock.now_ms() - began, failures)


def _failures(document: FileDocument, test: AutomationTest) -> list[Failure]:
    given = _given(document, test)
    problems = [
        Failure(f"given[{index}]", one.told(problem))
        for index, documents in enumerate(given)
        for one in documents
        for problem in problems_in(one)
    ]
    if problems:
        return problems
    workflows = [one.content for those in given for one in those if one.kind == "workflow"]
    patterns = [one.content for those in given for one in those if one.kind == "pattern"]
    variables = [one.content for those in given for one in those if one.kind == "variable"]
    names = [str(content["name"]) for content in workflows]
    standing = [str(content["name"]) for content in patterns]
    unknown = [_failure(problem) for problem in unknown_names(test, names, standing)]
    if unknown:
        return unknown
    try:
        return asyncio.run(run_test(test, Documents(workflows, patterns, variables)))
    except OnCueError as exc:
        return [Failure("given", str(exc))]


def _given(document: FileDocument, test: AutomationTest) -> list[list[FileDocument]]:
    return [read_documents(document.path.parent / name) for name in test.given]


def _failure(problem: Problem) -> Failure:
    return Failure(problem.path, problem.message)


def _print(result: _Result) -> None:
    if not result.failures:
        out.print("[green]✓[/green] ", end="")
        out.print(f"{result.name} ", markup=False, end="")
        out.print(f"[dim]{result.duration_ms} ms[/dim]")
        return
    out.print(f"✗ {result.name}", style="red", markup=False)
    for failure in result.failures:
        place, *found = _lines(result, failure)
        out.print(f"  {place}", markup=False)
        for line in found:
            out.print(f"      {line}", markup=False)


def _lines(result: _Result, failure: Failure) -> list[str]:
    """Return where something did not hold and what was expected, and then what was found."""
    return [result.document.told(Problem(failure.path, failure.message)), *failure.found]


def _case(result: _Result) -> Case:
    told = ["\n".join(_lines(result, failure)) for failure in result.failures]
    return Case(str(result.document.path), result.name, result.duration_ms, told)


def _shown(result: _Result) -> Json:
    return {
        "file": str(result.document.path),
        "name": result.name,
        "passed": not result.failures,
        "duration_ms": result.duration_ms,
        "failures": [
            {
                "path": failure.path,
                "line": result.document.line_of(failure.path),
                "message": failure.message,
                "found": list(failure.found),
            }
            for failure in result.failures
        ],
    }
