"""What packages bring is held against what is read off it later: all that is wrong is told."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from oncue.core.action_package import Taken, parts_of, problems_in
from oncue.extend import Action, Call, Credential, Idempotency, Integration, Json, Need


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


class Untold(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    how: Awaitable[None] | None = None


def _perform(call: Call[Words]) -> Awaitable[Json]:
    raise AssertionError("nobody calls it here")


PARCELS = Integration(
    name="parcels",
    title="Parcels",
    credentials=(Credential("api_key", "Key.", example="pk_1"),),
    enough=(("api_key",),),
)
BOOK = Action(
    name="parcels_book",
    summary="Book.",
    integration="parcels",
    category="logistics",
    input=Words,
    output=Words,
    idempotency=Idempotency.NONE,
    example={"text": "hello"},
    perform=_perform,
    needs=(Need("api_key"),),
)
OURS = Integration("slack", "Slack", (Credential("token", "Token."),), (("token",),))
TAKEN = Taken({"send_email": "OnCue's own"}, {"slack": OURS}, {"slack": "OnCue's own", "kv": "x"})


def _with(**changes: Any) -> list[str]:
    return problems_in([replace(BOOK, **changes)], [PARCELS], TAKEN)


def _among(**changes: Any) -> list[str]:
    return problems_in([BOOK], [replace(PARCELS, **changes)], TAKEN)


def test_nothing_is_wrong_with_a_good_one() -> None:
    assert problems_in([BOOK], [PARCELS], TAKEN) == []
    assert (
        problems_in([replace(BOOK, integration="slack", needs=(Need("token"),))], [], TAKEN) == []
    )
    assert problems_in([replace(BOOK, integration="anything", needs=())], [], TAKEN) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "send_email"}, "expected a name of its own, got one of OnCue's own"),
        ({"name": "Book it"}, "expected a name such as 'book_pickup', got 'Book it'"),
        ({"name": "b" * 64}, "expected a name such as"),
        ({"name": None}, "name: expected str, got a NoneType"),
        ({"summary": 3}, "summary: expected str, got a int"),
        ({"perform": "run"}, "perform: expected Callable, got a str"),
        ({"idempotency": "none"}, "idempotency: expected Idempotency, got a str"),
        ({"input": dict}, "input: expected a model of pydantic, got dict"),
        ({"output": Untold}, "output: expected a model that JSON Schema can tell"),
        ({"example": {}}, "example.text: expected"),
        ({"example": {"text": "x", "more": object()}}, "example: expected JSON"),
        ({"example": ["text"]}, "example: expected Mapping, got a list"),
        ({"needs": [Need("api_key")]}, "needs: expected tuple, got a list"),
        ({"needs": ("api_key",)}, "needs: expected needs, got a str"),
        ({"needs": (Need("apikey"),)}, "needs: parcels has no value 'apikey'; did you mean"),
        ({"integration": "parcel"}, "needs: expected the package to bring an integration"),
        ({"integration": "Par cels", "needs": ()}, "integration: expected a name such as"),
    ],
)
def test_what_is_wrong_with_an_action_is_told(changes: dict[str, Any], told: str) -> None:
    (problem,) = _with(**changes)

    assert problem.startswith("action ")
    assert told in problem


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "slack"}, "expected a name of its own, got one of OnCue's own"),
        ({"name": "kv"}, "expected a name of its own"),
        ({"title": None}, "title: expected str, got a NoneType"),
        ({"credentials": ("api_key",)}, "credentials: expected credentials, got a str"),
        ({"credentials": PARCELS.credentials * 2}, "expected each credential once"),
        ({"credentials": (Credential("api_key", "Key.", pattern="("),)}, "pattern: expected a"),
        ({"credentials": (Credential("api_key", "", example="x", pattern="y"),)}, "its example"),
        ({"credentials": (Credential("api_key", None),)}, "description: expected str"),  # type: ignore[arg-type] # the point
        ({"enough": ()}, "enough: expected at least one set"),
        ({"enough": (("api_keys",),)}, "enough: no credential 'api_keys'; did you mean"),
        ({"enough": ("api_key",)}, "enough: expected tuples of names, got a str"),
        ({"refreshes": True}, "refreshes: expected the credentials client_id"),
    ],
)
def test_what_is_wrong_with_an_integration_is_told(changes: dict[str, Any], told: str) -> None:
    (problem,) = _among(**changes)

    assert problem.startswith("integration ")
    assert told in problem


def test_all_is_told_at_once() -> None:
    problems = problems_in([replace(BOOK, name="X", input=str), replace(BOOK, name="send_email")], [PARCELS], TAKEN)  # type: ignore[arg-type] # the point  # fmt: skip

    assert len(problems) == 3


def test_names_that_stand_twice_are_told() -> None:
    assert problems_in([BOOK, BOOK], [PARCELS], TAKEN) == [
        "expected each action once, got 'parcels_book' twice"
    ]
    assert problems_in([], [PARCELS], TAKEN) == ["expected at least one action, got none"]


@pytest.mark.parametrize("contents", [BOOK, [BOOK], None, (BOOK, "more"), (Action,), (datetime,)])
def test_only_a_tuple_of_actions_and_integrations_is_a_package(contents: object) -> None:
    with pytest.raises(TypeError, match="expected"):
        parts_of(contents)


def test_the_parts_of_a_package() -> None:
    assert parts_of((PARCELS, BOOK)) == ((BOOK,), (PARCELS,))
