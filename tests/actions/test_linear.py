"""Tickets in Linear: teams and labels by name, one ticket for one key, and what refusals mean."""

from typing import Any

import pytest

from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.ids import derived_uuid
from oncue.core.json_text import Json
from oncue.testing.clock import START_MS
from oncue.testing.vendors import LOSE_ANSWER, Fixed, Simulators
from tests.vendors import KEY, Ask, with_vendors

TEAM = "9cfb482a-81e3-4154-b5b9-2c805e70a02d"
BUG = "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
ID = derived_uuid(["create_ticket", KEY])
TICKET: dict[str, Json] = {
    "team": "eng",
    "title": "Checkout is down",
    "description": "*All* of it",
    "priority": "Urgent",
    "labels": ["Bug", "FEATURE"],
    "due_date": "2026-11-30",
}
PLAIN: dict[str, Json] = {"team": TEAM, "title": "Checkout is down"}


def _created(document: Json, *answers: Any, **settings: str) -> tuple[Any, Any]:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.linear.answer_next(*answers)
        return await ask("create_ticket", document), vendors.linear

    return with_vendors(use, **settings)


def test_a_ticket_is_created_as_linear_takes_it() -> None:
    output, linear = _created(TICKET)

    assert output == {
        "id": ID,
        "identifier": "ENG-1",
        "url": "https://linear.app/simulated/issue/ENG-1",
    }
    _, _, create = linear.calls
    assert create.body["variables"]["input"] == {
        "id": ID,
        "teamId": TEAM,
        "title": "Checkout is down",
        "description": "*All* of it",
        "priority": 1,
        "labelIds": [BUG, "22222222-aaaa-4aaa-8aaa-aaaaaaaaaaaa"],
        "dueDate": "2026-11-30",
    }


def test_ids_are_not_looked_up() -> None:
    _, linear = _created({**PLAIN, "labels": [BUG]})

    (create,) = linear.calls
    assert create.body["variables"]["input"]["labelIds"] == [BUG]


@pytest.mark.parametrize(("priority", "number"), [(0, 0), ("low", 4), ("HIGH", 2)])
def test_a_ticket_may_have_everything(priority: Json, number: int) -> None:
    more: dict[str, Json] = {"assignee_id": BUG, "project_id": TEAM, "priority": priority}
    _, linear = _created({**TICKET, **more, "team": "Engineering", "labels": [BUG, "feature"]})

    asked = linear.calls[-1].body["variables"]["input"]
    assert (asked["assigneeId"], asked["projectId"], asked["priority"]) == (BUG, TEAM, number)
    assert asked["labelIds"] == [BUG, "22222222-aaaa-4aaa-8aaa-aaaaaaaaaaaa"]


def test_the_question_whether_it_was_made_is_one_that_linear_takes() -> None:
    _, linear = _repeated()

    assert len(linear.calls) == 3


def _repeated() -> tuple[Any, Any]:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.linear.answer_next(LOSE_ANSWER)
        with pytest.raises(OutcomeUnknown):
            await ask("create_ticket", PLAIN)
        return await ask("create_ticket", PLAIN, is_repeat=True), vendors.linear

    return with_vendors(use)


def test_a_ticket_whose_answer_was_lost_is_found_again() -> None:
    output, linear = _repeated()

    assert (output["id"], output["identifier"]) == (ID, "ENG-1")
    assert len(linear.effects) == 1


def test_a_token_of_oauth_is_a_bearers() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        with pytest.raises(PermanentError, match="AUTHENTICATION_ERROR"):
            await ask("create_ticket", PLAIN)
        return vendors.linear.calls[0].headers["authorization"]

    assert with_vendors(use, LINEAR_API_KEY="lin_oauth_x") == "Bearer lin_oauth_x"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({**TICKET, "team": "OPS"}, "team: expected a key, name or id of a team, got 'OPS'"),
        ({**TICKET, "labels": ["Bug", "Boo"]}, "labels: expected labels of the team, got Boo"),
        ({**PLAIN, "team": BUG}, r"Linear refused: Entity not found: Team \(INPUT_ERROR\)"),
        ({**PLAIN, "priority": "asap"}, r"with\.priority"),
        ({**PLAIN, "priority": 5}, r"with\.priority"),
    ],
)
def test_what_cannot_be_created_is_told(document: Json, told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        _created(document)


def _refused(code: str, status: int = 400, headers: dict[str, str] | None = None) -> Fixed:
    error: Json = {"message": "no", "extensions": {"code": code}}
    return Fixed(status, {"errors": [error]}, headers or {})


@pytest.mark.parametrize(
    ("answer", "error", "retry_after_ms"),
    [
        (_refused("RATELIMITED", headers={"Retry-After": "4"}), RetryableError, 4_000),
        (
            _refused("RATELIMITED", headers={"X-RateLimit-Requests-Reset": str(START_MS + 9_000)}),
            RetryableError,
            9_000,
        ),
        (_refused("RATELIMITED", 200), RetryableError, None),
        (_refused("INTERNAL_SERVER_ERROR", 500), RetryableError, None),
        (Fixed(503, "busy"), RetryableError, None),
        (Fixed(404, "nothing here"), PermanentError, None),
        (_refused("GRAPHQL_VALIDATION_FAILED"), PermanentError, None),
        (Fixed(200, {"data": None}), OutcomeUnknown, None),
        (Fixed(200, {"data": {"issueCreate": {"success": False}}}), OutcomeUnknown, None),
    ],
)
def test_what_an_answer_means(
    answer: Any, error: type[Exception], retry_after_ms: int | None
) -> None:
    with pytest.raises(error) as caught:
        _created(PLAIN, answer)

    if isinstance(caught.value, RetryableError):
        assert caught.value.retry_after_ms == retry_after_ms


def test_several_teams_of_one_name_are_none() -> None:
    nodes: Json = [{"id": TEAM, "key": "A"}, {"id": BUG, "key": "B"}]

    with pytest.raises(PermanentError, match="got several called 'eng'"):
        _created(TICKET, Fixed(200, {"data": {"teams": {"nodes": nodes}}}))
