"""The fields of documents, as they are written in queries."""

import pytest

from oncue.core.json_text import Json
from oncue.core.sql.fields import MAX_FIELDS, Field, fields_of


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        pytest.param({"a": "UBIGINT"}, [Field("data.a", "number")], id="a number"),
        pytest.param({"a": {"b": "VARCHAR"}}, [Field("data.a.b", "text")], id="further in"),
        pytest.param(
            {"a b": "BOOLEAN"}, [Field("data['a b']", "boolean")], id="a name that is none"
        ),
        pytest.param({"it's": "JSON"}, [Field("data['it''s']", "mixed")], id="an apostrophe"),
        pytest.param({"a": "JSON"}, [Field("data.a", "mixed")], id="now this, now that"),
        pytest.param(
            {"a": [{"b": "NULL"}]},
            [Field("data.a", "list"), Field("data.a[0].b", "null")],
            id="objects in a list",
        ),
        pytest.param({"a": ["UBIGINT"]}, [Field("data.a", "list")], id="numbers in a list"),
        pytest.param("VARCHAR", [], id="no fields"),
        pytest.param(None, [], id="nothing"),
    ],
)
def test_fields_have_paths_and_kinds(structure: Json, expected: list[Field]) -> None:
    assert fields_of("data", structure) == expected


def test_there_are_not_more_than_a_person_reads() -> None:
    assert len(fields_of("data", {f"f{n}": "VARCHAR" for n in range(2_000)})) == MAX_FIELDS
