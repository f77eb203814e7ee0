"""`oncue test --junit`: what continuous integration reads."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from oncue.cli.junit import Case, junit_of
from tests.cli.shell import Shell

# Of each element the attributes that it must have, and those that it may have:
# junit-10.xsd of Jenkins' xUnit plugin.
_OF_COUNTS = {"name", "tests", "failures", "errors"}
SCHEMA: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": (set(), {*_OF_COUNTS, "time"}),
    "testsuite": (
        _OF_COUNTS,
        {
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
            "file",
            "log",
            "url",
        },
    ),
    "testcase": ({"name"}, {"time", "classname", "group"}),
    "failure": (set(), {"type", "message"}),
}
FLOW = """\
name: greet
on: {type: event, event: user.signup}
steps: [{id: say, type: transform, output: hello}]
"""
TEST = """\
kind: test
name: {name}
given: [flow.yaml]
events: [{{type: user.signup}}]
expect:
  executions: [{{workflow: greet, output: {output}, count: 1}}]
"""


def _fits(element: Xml.Element) -> bool:
    needed, allowed = SCHEMA[element.tag]
    has_all = needed <= {*element.attrib} <= needed | allowed
    return has_all and all(_fits(inner) for inner in element)


def test_each_file_is_a_suite_and_each_document_a_case(at: Any, tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text(FLOW)
    good, bad = TEST.format(name="says hello", output="hello"), TEST.format(name="b", output="no")
    (tmp_path / "a.test.yaml").write_text(f"{good}---\n{bad}")
    (tmp_path / "b.test.yaml").write_text(good)
    report = tmp_path / "report.xml"

    async def use(shell: Shell) -> tuple[int, str]:
        return await shell.run("test", str(tmp_path), "--junit", str(report))

    code, told = at(use)

    assert code == 1
    assert "1 of 3 failed" in told
    root = Xml.fromstring(report.read_bytes())
    assert _fits(root)
    assert (root.attrib["tests"], root.attrib["failures"]) == ("3", "1")
    first, second = root
    assert first.attrib["name"] == str(tmp_path / "a.test.yaml")
    assert [case.attrib["name"] for case in first] == ["says hello", "b"]
    assert (second.attrib["tests"], second.attrib["failures"]) == ("1", "0")
    (failure,) = first[1]
    assert f"{tmp_path / 'a.test.yaml'}:13: expect.executions[0]" in failure.attrib["message"]
    assert "no" in (failure.text or "")


def test_what_xml_cannot_hold_is_replaced() -> None:
    written = junit_of(
        [Case("f", 'a\x00<&"b', 1_234, ["\x1b[31mred", "é]]>"])], "2026-01-01T00:00:00"
    )

    root = Xml.fromstring(written)
    case = root[0][0]
    assert case.attrib == {"name": 'a�<&"b', "classname": "f", "time": "1.234"}
    assert case[0].attrib["message"] == "�[31mred"
    assert case[0].text == "�[31mred\né]]>"


def test_a_report_of_nothing_is_a_report() -> None:
    root = Xml.fromstring(junit_of([], "2026-01-01T00:00:00"))

    assert _fits(root)
    assert root.attrib["tests"] == "0"
