"""Events as they come in: what is taken, and what is refused."""

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.event import IncomingEvent, parse_event
from oncue.core.json_text import Json
from tests.make import make_event


def _parse(value: Json) -> IncomingEvent:
    return parse_event(value, lambda: "evt_fresh")


def test_only_the_type_is_required() -> None:
    assert _parse({"type": "user.signup"}) == IncomingEvent(
        id="evt_fresh",
        source="api",
        type="user.signup",
        subject=None,
        time_ms=None,
        data=None,
        attributes={},
    )


def test_all_names_of_cloudevents_are_read() -> None:
    event = _parse(
        {
            "specversion": "1.0",
            "type": "user.signup",
            "source": "web",
            "subject": "user-42",
            "id": "e-1",
            "time": "1970-01-01T00:00:01Z",
            "data": {"plan": "free"},
            "datacontenttype": "application/json",
            "correlationid": "c-1",
        }
    )

    assert event == IncomingEvent(
        id="e-1",
        source="web",
        type="user.signup",
        subject="user-42",
        time_ms=1_000,
        data={"plan": "free"},
        attributes={"datacontenttype": "application/json", "correlationid": "c-1"},
    )


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        pytest.param([], {"": "expected an object, got a list"}, id="no object"),
        pytest.param("x", {"": "expected an object, got text"}, id="text"),
        pytest.param({}, {"type": "got none"}, id="no type"),
        pytest.param({"typ": "a"}, {"type": "did you mean 'type'?"}, id="a slip of the type"),
        pytest.param({"type": ""}, {"type": "got ''"}, id="an empty type"),
        pytest.param({"type": 7}, {"type": "got a number"}, id="a number for a type"),
        pytest.param({"type": ".a"}, {"type": "got '.a'"}, id="a type beginning with a dot"),
        pytest.param({"type": "a b"}, {"type": "got 'a b'"}, id="a space in the type"),
        pytest.param({"type": "a" * 256}, {"type": "got 'aaa"}, id="too long a type"),
        pytest.param({"type": "a\n"}, {"type": "got 'a\\n'"}, id="a newline after the type"),
        pytest.param({"type": "a", "id": ""}, {"id": "got 0 characters"}, id="an empty id"),
        pytest.param({"type": "a", "id": None}, {"id": "got null"}, id="null for an id"),
        pytest.param({"type": "a", "id": "x" * 513}, {"id": "got 513"}, id="too long an id"),
        pytest.param({"type": "a", "subject": True}, {"subject": "got a boolean"}, id="a boolean"),
        pytest.param({"type": "a", "time": "noon"}, {"time": "got 'noon'"}, id="no instant"),
        pytest.param({"type": "a", "time": 5}, {"time": "got a number"}, id="a number for a time"),
        pytest.param({"type": "a", "Data": 1}, {"Data": "did you mean 'data'?"}, id="upper case"),
        pytest.param({"type": "a", "x": {}}, {"x": "got an object"}, id="an extension of objects"),
        pytest.param(
            {"type": "a", "data_base64": "!!"}, {"data_base64": "expected base64"}, id="no base64"
        ),
        pytest.param({"type": "a", "specversion": "0.3"}, {"specversion": "'0.3'"}, id="old spec"),
        pytest.param(
            {"source": "", "subject": "", "time": ""},
            {"type": "got none", "source": "got 0", "subject": "got 0", "time": "got ''"},
            id="all problems at once",
        ),
    ],
)
def test_what_is_no_event_is_refused_with_all_problems(
    value: Json, problems: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        _parse(value)

    found = {problem.path: problem.message for problem in caught.value.problems}
    assert found.keys() == problems.keys()
    for path, part in problems.items():
        assert part in found[path]


def test_people_see_names_of_cloudevents_and_instants_as_text() -> None:
    assert make_event(subject="user-42", attributes={"correlationid": "c-1"}).view() == {
        "id": "e-1",
        "source": "web",
        "type": "user.signup",
        "subject": "user-42",
        "time": "1970-01-01T00:00:01.000Z",
        "data": {"plan": "enterprise"},
        "correlationid": "c-1",
    }
