"""
Tickets in Linear, by its GraphQL API.

We choose the id of the ticket, from the idempotency key, so Linear refuses a
second one. A refusal is therefore looked into: if the ticket is there, an
earlier attempt made it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency, Need
from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.http_answer import error_object, failure, read_object, retry_after_ms
from oncue.core.ids import derived_uuid
from oncue.core.json_text import Json, encode_json

_VENDOR: Final = "Linear"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_OAUTH: Final = "lin_oauth_"
_PRIORITIES: Final = {"none": 0, "urgent": 1, "high": 2, "medium": 3, "low": 4}

_FIND_TEAM: Final = """query Team($team: TeamFilter!) {
  teams(filter: $team, first: 2) { nodes { id key } }
}"""
_FIND_LABELS: Final = """query Labels($labels: IssueLabelFilter!) {
  issueLabels(filter: $labels, first: 250) { nodes { id name } }
}"""
_FIND_ISSUE: Final = """query Issue($id: String!) {
  issue(id: $id) { id identifier url }
}"""
_CREATE: Final = """mutation Create($input: IssueCreateInput!) {
  issueCreate(input: $input) { success issue { id identifier url } }
}"""


def _priority(value: object) -> object:
    return _PRIORITIES.get(value.lower(), value) if isinstance(value, str) else value


class TicketInput(BaseModel):
    """One ticket."""

    model_config = ConfigDict(extra="forbid")

    team: str = Field(
        min_length=1, description="Whose it is: the team's key, name or id.", examples=["ENG"]
    )
    title: str = Field(min_length=1, max_length=255, description="What it is about.")
    description: str | None = Field(default=None, description="More, in Markdown.")
    priority: Annotated[int, BeforeValidator(_priority), Field(ge=0, le=4)] | None = Field(
        default=None, description="urgent, high, medium, low or none; Linear's 0 to 4 as well."
    )
    labels: list[str] = Field(default_factory=list, max_length=50, description="Names or ids.")
    assignee_id: str | None = Field(default=None, description="Linear's id of who does it.")
    project_id: str | None = Field(default=None, description="Linear's id of the project.")
    due_date: str | None = Field(
        default=None, pattern=r"^\d{4}-\d{2}-\d{2}$", description="The day, as 2026-11-30."
    )


class TicketOutput(BaseModel):
    """What Linear calls the ticket."""

    id: str
    identifier: str
    url: str


async def _create(call: Call[TicketInput]) -> Json:
    given = call.input
    id_ = derived_uuid(["create_ticket", call.idempotency_key])
    team = await _team(call, given.team)
    labels = await _labels(call, team, given.labels) if given.labels else []
    wanted: dict[str, Json] = {
        "id": id_,
        "teamId": team,
        "title": given.title,
        "description": given.description,
        "priority": given.priority,
        "labelIds": [*labels] or None,
        "assigneeId": given.assignee_id,
        "projectId": given.project_id,
        "dueDate": given.due_date,
    }
    input_: Json = {name: value for name, value in wanted.items() if value is not None}
    try:
        data = await _ask(call, _CREATE, {"input": input_})
    except PermanentError:
        if made := await _made_before(call, id_):
            return made
        raise
    match data:
        case {"issueCreate": {"success": True, "issue": Mapping() as issue}}:
            return dict(issue)
        case _:
            raise OutcomeUnknown(f"expected {_VENDOR} to answer with a ticket, got something else")


async def _made_before(call: Call[TicketInput], id_: str) -> Json:
    try:
        data = await _ask(call, _FIND_ISSUE, {"id": id_})
    except PermanentError:
        return None
    issue = data.get("issue")
    return dict(issue) if isinstance(issue, Mapping) else None


async def _team(call: Call[TicketInput], named: str) -> str:
    if _UUID.fullmatch(named):
        return named.lower()
    either: Json = [{"key": {"eqIgnoreCase": named}}, {"name": {"eqIgnoreCase": named}}]
    match await _ask(call, _FIND_TEAM, {"team": {"or": either}}):
        case {"teams": {"nodes": [{"id": str(id_)}]}}:
            return id_
        case {"teams": {"nodes": [_, _, *_]}}:
            raise PermanentError(f"team: expected one team, got several called {named!r}")
        case _:
            raise PermanentError(f"team: expected a key, name or id of a team, got {named!r}")


async def _labels(call: Call[TicketInput], team: str, named: list[str]) -> list[str]:
    """Return the ids of labels; names are those of the team's labels and of the workspace's."""
    names = [name for name in named if not _UUID.fullmatch(name)]
    known = {name: name for name in named if _UUID.fullmatch(name)}
    if names:
        of_team: Json = {"or": [{"null": True}, {"id": {"eq": team}}]}
        any_name: Json = [{"name": {"eqIgnoreCase": name}} for name in names]
        data = await _ask(call, _FIND_LABELS, {"labels": {"team": of_team, "or": any_name}})
        known |= _ids_by_name(data, names)
    if missing := [name for name in named if name not in known]:
        raise PermanentError(f"labels: expected labels of the team, got {', '.join(missing)}")
    return [known[name] for name in named]


def _ids_by_name(data: Mapping[str, Json], names: list[str]) -> dict[str, str]:
    match data:
        case {"issueLabels": {"nodes": [*nodes]}}:
            ids = {
                str(node["name"]).lower(): str(node["id"])
                for node in nodes
                if isinstance(node, Mapping)
            }
            return {name: ids[name.lower()] for name in names if name.lower() in ids}
        case _:
            raise OutcomeUnknown(f"expected {_VENDOR} to answer with labels, got something else")


async def _ask(
    call: Call[TicketInput], query: str, variables: Mapping[str, Json]
) -> Mapping[str, Json]:
    key = call.credentials["api_key"]
    answer = await call.send(
        HttpRequest(
            method="POST",
            url=f"{call.credentials['base_url'].rstrip('/')}/graphql",
            headers={
                # A personal key stands alone; a token of OAuth is a bearer's.
                "Authorization": f"Bearer {key}" if key.startswith(_OAUTH) else key,
                "Content-Type": "application/json",
            },
            body=encode_json({"query": query, "variables": {**variables}}),
        )
    )
    # Errors of GraphQL come with 200 as well as with 400.
    if errors := error_object(answer).get("errors"):
        raise _refusal(answer, errors, call.now_ms)
    if not 200 <= answer.status < 300:
        raise failure(answer, _VENDOR)
    data = read_object(answer, _VENDOR).get("data")
    if not isinstance(data, Mapping):
        raise OutcomeUnknown(f"expected {_VENDOR} to answer with data, got something else")
    return data


def _refusal(answer: HttpAnswer, errors: Json, now_ms: int) -> ActionError:
    message, code, shown = "", "", ""
    match errors:
        case [{"message": str(message), "extensions": Mapping() as more}, *_]:
            code = str(more.get("code", ""))
            shown = str(more.get("userPresentableMessage") or message)
        case [{"message": str(message)}, *_]:
            shown = message
    said = f"{_VENDOR} refused: {shown}" + (f" ({code})" if code else "")
    if code == "RATELIMITED":
        return RetryableError(said, retry_after_ms=_reset_after_ms(answer, now_ms))
    if code == "INTERNAL_SERVER_ERROR" or answer.status >= 500:
        return RetryableError(said)
    return PermanentError(said)


def _reset_after_ms(answer: HttpAnswer, now_ms: int) -> int | None:
    """Return when the budget is full again, by `Retry-After` or by Linear's own header."""
    reset = answer.headers.get("x-ratelimit-requests-reset", "")
    if (asked := retry_after_ms(answer)) is not None:
        return asked
    return max(0, int(reset) - now_ms) if reset.isdecimal() and reset.isascii() else None


CREATE_TICKET = Action(
    name="create_ticket",
    summary="Create a ticket in Linear.",
    integration="linear",
    category="integrations",
    input=TicketInput,
    output=TicketOutput,
    idempotency=Idempotency.CLIENT_ID,
    example={"team": "ENG", "title": "Checkout is down", "priority": "urgent", "labels": ["Bug"]},
    perform=_create,
    needs=(Need("api_key", "LINEAR_API_KEY"),),
)
