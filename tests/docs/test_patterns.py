"""What the documentation says of patterns is so: blocks parse, tables are whole, answers are true."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.definition import Pattern
from oncue.core.pattern.kinds.anomaly import AnomalyPattern
from oncue.core.pattern.kinds.sequence import SequencePattern, Step
from oncue.core.pattern.kinds.shared import Keyed, Selector
from oncue.core.pattern.kinds.threshold import NAMED_MEASURES, ThresholdPattern
from oncue.core.pattern.operator import Kind
from oncue.core.pattern.templates import TEMPLATES
from oncue.engine.explanations import Fate
from oncue.web.backtests import BacktestRequest
from tests.server import Answer, Served, serve

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = (ROOT / "docs" / "reference" / "patterns.md").read_text("utf-8")
KINDS = ("event", "threshold", "sequence", "anomaly")
LEAST_BLOCKS = 8


def blocks() -> Iterator[tuple[str, Json]]:
    """Yield each pattern of the documentation, with its page."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for language, block in re.findall(r"```(json|yaml)\n(.*?)```", text, re.DOTALL):
            name = f"{page.stem}: {block.strip().splitlines()[0]}"
            if language == "json" and "…" in block:
                continue
            for document in yaml.safe_load_all(block):
                if isinstance(document, dict) and (found := pattern_in(document)):
                    yield name, found


def pattern_in(document: dict[str, Any]) -> Json:
    """Return the pattern that a block is, or is about, as a whole document."""
    if isinstance(document.get("pattern"), dict):
        return {"name": "of-the-docs", **document} if "events" not in document else {
            "name": "of-the-docs", "pattern": document["pattern"],
        }  # fmt: skip
    return {"name": "of-the-docs", "pattern": document} if document.get("type") in KINDS else None


BLOCKS = list(blocks())


@pytest.mark.parametrize(("name", "document"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_each_pattern_parses(name: str, document: Json) -> None:
    assert parse_pattern(document).document == document, name


def test_there_are_patterns_to_parse() -> None:
    assert len(BLOCKS) >= LEAST_BLOCKS


def section(title: str) -> str:
    """Return what stands under a heading of the reference."""
    _, _, rest = REFERENCE.partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def rows(text: str, head: str) -> dict[str, str]:
    """Return the second cells of a table by the names in its first ones."""
    _, _, rest = text.partition(f"| {head} |")
    table = re.match(r"[^\n]*\n\|[-|: ]+\n((?:\|[^\n]*\n)*)", rest)
    assert table, head
    cells = [line.strip("|").split("|") for line in table[1].splitlines()]
    return {
        name: second.strip()
        for first, second, *_ in cells
        for name in re.findall(r"`([\w$]+)`", first)
    }


def fields(*models: type[BaseModel]) -> dict[str, FieldInfo]:
    return {
        field.alias or name: field
        for model in models
        for name, field in model.model_fields.items()
        if name != "type"
    }


OWN = [
    ("`threshold`", "field", fields(ThresholdPattern).keys() - fields(Keyed, Selector).keys()),
    ("`sequence`", "field", fields(SequencePattern).keys() - fields(Keyed).keys()),
    ("`sequence`", "field of a step", fields(Step).keys()),
    (
        "`anomaly`",
        "field",
        (fields(AnomalyPattern).keys() - fields(Keyed, Selector).keys()) | {"cooldown"},
    ),
    ("Common fields", "field", fields(Keyed).keys()),
    ("Everyday fields", "field", fields(Selector).keys() | {"by", "cooldown"}),
    ("The document", "field", fields(Pattern).keys()),
    ("Trying", "field", fields(BacktestRequest).keys()),
    ("Explaining", "`disposition`", {fate.value for fate in Fate}),
]


@pytest.mark.parametrize(("title", "head", "names"), OWN, ids=[f"{t}: {h}" for t, h, _ in OWN])
def test_each_table_is_whole(title: str, head: str, names: set[str]) -> None:
    assert set(rows(section(title), head)) == names


@pytest.mark.parametrize(
    ("title", "head", "model"),
    [
        pytest.param("`threshold`", "field", ThresholdPattern, id="threshold"),
        pytest.param("`sequence`", "field", SequencePattern, id="sequence"),
        pytest.param("`sequence`", "field of a step", Step, id="step"),
        pytest.param("`anomaly`", "field", AnomalyPattern, id="anomaly"),
        pytest.param("Common fields", "field", Keyed, id="common"),
        pytest.param("Trying", "field", BacktestRequest, id="backtest"),
    ],
)
def test_each_default_is_true(title: str, head: str, model: type[BaseModel]) -> None:
    told = rows(section(title), head)
    known = fields(model)
    wrong = {
        name: (cell, known[name].default)
        for name, cell in told.items()
        if not _is_default(known[name], cell)
    }

    assert wrong == {}


def _is_default(field: FieldInfo, cell: str) -> bool:
    """Return whether a cell tells the default; one in words depends on other fields."""
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if cell == "needed":
        # What one kind of window needs another one refuses.
        return default is None
    if default is None or not cell.startswith("`"):
        return not field.is_required()
    told = cell.split("`")[1]
    if isinstance(default, BaseModel):
        return type(default).model_validate(yaml.safe_load(told)) == default
    return bool((told if isinstance(default, str) else yaml.safe_load(told)) == default)


def test_each_kind_of_match_and_measure_is_told() -> None:
    matches = section("Matches")
    kinds = {kind.value for kind in Kind}

    assert [kind for kind in kinds if f"`{kind}`" not in matches] == []
    assert [name for name in NAMED_MEASURES if f"`{name}`" not in section("`threshold`")] == []


def test_the_number_of_templates_is_told() -> None:
    assert len(TEMPLATES) == 22
    assert "Twenty-two to begin with" in REFERENCE


def test_the_fields_of_a_match_are_those_that_are_told(tmp_path: Path) -> None:
    (question,) = _json_blocks(section("Trying"))
    (shown,) = _json_blocks(section("Matches"))

    async def use(server: Served) -> Answer:
        return await server.request("POST", "/patterns/test", json=question)

    body = serve(tmp_path, use).body
    (match,) = body["matches"]

    assert (match["kind"], match["time"]) == ("absent", "2026-01-05T10:30:00.000Z")
    assert match.keys() == shown.keys()
    assert match.keys() - _explained(section("Matches")) == {
        "id", "pattern", "pattern_id", "pattern_version", "state_version",
    }  # fmt: skip


def test_an_explanation_has_the_fields_that_are_shown(tmp_path: Path) -> None:
    how_to = (ROOT / "docs/how-to/find-out-why-a-pattern-did-not-match.md").read_text("utf-8")
    (shown,) = _json_blocks(how_to)
    pattern: Json = {"type": "event", "event": "order.paid", "conditions": {"amount": 3}}

    async def use(server: Served) -> Answer:
        await server.request("POST", "/patterns", json={"name": "orders", "pattern": pattern})
        event: Json = {"type": "order.paid", "id": "e-7", "data": {"amount": 2}}
        await server.request("POST", "/events", json=event)
        return await server.request("GET", "/patterns/orders/explain?event=e-7")

    body = serve(tmp_path, use).body

    assert body.keys() == shown.keys()
    assert body["clause"] == shown["clause"]


def _json_blocks(text: str) -> list[Mapping[str, Any]]:
    return [yaml.safe_load(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def _explained(text: str) -> set[str]:
    return set(rows(text, "field"))
