"""
How tests went, as continuous integration reads it: JUnit's XML.

There is no standard of it; this is what the schema of Jenkins' xUnit plugin
(junit-10.xsd) allows, which GitLab, GitHub's reporters and Azure read as well.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from xml.etree import ElementTree as Xml

_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test: where it stands, how long it took, and what did not hold."""

    file: str
    name: str
    duration_ms: int
    failures: Sequence[str]


def junit_of(cases: Sequence[Case], timestamp: str) -> bytes:
    """Return a report of tests that began at an instant; those of a file are one suite."""
    root = Xml.Element("testsuites", {"name": "oncue test", **_counts(cases)})
    for number, (file, those) in enumerate(groupby(cases, key=lambda case: case.file)):
        members = list(those)
        suite = Xml.SubElement(
            root,
            "testsuite",
            {
                "name": _fit(file),
                "id": str(number),
                "timestamp": timestamp,
                "skipped": "0",
                **_counts(members),
            },
        )
        for case in members:
            _add(suite, case)
    Xml.indent(root)
    written: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add(suite: Xml.Element, case: Case) -> None:
    place = {"name": _fit(case.name), "classname": _fit(case.file), "time": _s(case.duration_ms)}
    element = Xml.SubElement(suite, "testcase", place)
    if case.failures:
        first = case.failures[0].partition("\n")[0]
        told = {"message": _fit(first), "type": "expectation"}
        Xml.SubElement(element, "failure", told).text = _fit("\n".join(case.failures))


def _counts(cases: Iterable[Case]) -> dict[str, str]:
    shown = list(cases)
    return {
        "tests": str(len(shown)),
        "failures": str(sum(bool(case.failures) for case in shown)),
        "errors": "0",
        "time": _s(sum(case.duration_ms for case in shown)),
    }


def _s(duration_ms: int) -> str:
    return f"{duration_ms / 1_000:.3f}"


def _fit(text: str) -> str:
    return _UNFIT.sub("�", text)
