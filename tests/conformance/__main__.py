"""`python -m tests.conformance FOLDER [OUT]`: what the engine makes of other engines' cases."""

import sys
from pathlib import Path

from tests.conformance.cases import Verdict
from tests.conformance.suite import actuals, run, ways


def main(folder: str, out: str = "") -> int:
    """Judge all cases below a folder; 1, if one failed that no difference of engines explains."""
    reports = []
    for report in run(Path(folder)):
        reports.append(report)
        for line in report.lines():
            sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{ways(reports) or 'no cases'}\n")
    if out:
        text = "".join(f"{line}\n" for line in actuals(reports))
        Path(out).write_text(text, encoding="utf-8")
    return int(
        any(
            result.verdict is Verdict.FAILED and not result.difference
            for report in reports
            for result in report.results
        )
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
