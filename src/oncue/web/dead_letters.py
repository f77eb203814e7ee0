"""`/dead-letters`: what was given up."""

from dataclasses import asdict, replace
from operator import attrgetter
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from oncue.core.dead_letters import LetterState, Queue
from oncue.core.documents import Document, InstantMs
from oncue.core.errors import InvalidInput, Problem
from oncue.core.instants import format_instant, format_instant_if_any, parse_rate
from oncue.core.json_text import Json
from oncue.core.problems import nearest, problems_of
from oncue.engine.replays import VersionChoice
from oncue.ports import DeadLetter, LetterFilter, LetterGroup, Redrive
from oncue.web.answers import answer, answer_page
from oncue.web.body import read_json, read_model, read_optional_json
from oncue.web.context import Context
from oncue.web.cursor import Page
from oncue.web.endpoint import PAGE, Body, Endpoint, Gives

GROUP_BY = "error"
_TERMS = ("queue", "state", "workflow", "pattern", "fingerprint", "from", "to")


class LetterTerms(Document):
    """Which dead letters are meant; without terms, all."""

    queue: Queue | None = None
    workflow: str | None = Field(default=None, description="Name or id of a workflow.")
    pattern: str | None = Field(default=None, description="Name or id of a pattern.")
    fingerprint: str | None = Field(default=None, description="What one cause has in common.")
    from_: InstantMs | None = Field(default=None, alias="from", description="Not before it.")
    to: InstantMs | None = Field(default=None, description="Before it.")

    def meaning(self) -> LetterFilter:
        """Return it as the store reads it: of those that are open."""
        return LetterFilter(
            self.queue,
            LetterState.OPEN,
            self.workflow,
            self.pattern,
            self.fingerprint,
            self.from_,
            self.to,
        )


class Chosen(Document):
    """A choice of open dead letters."""

    filter: LetterTerms


def _rate(text: str) -> str:
    parse_rate(text)
    return text


class RedriveMany(Chosen):
    """A choice of open dead letters that are tried again, and how fast."""

    rate: Annotated[str, AfterValidator(_rate)] = Field(
        default="10/s", description="So many a second, minute or hour.", examples=["30/m"]
    )
    version: VersionChoice = VersionChoice.PINNED


class RedriveTerms(Document):
    """Which version of its workflow goes on with an execution that failed."""

    version: VersionChoice = VersionChoice.PINNED


class DeadLetterRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._letters = context.world.letters

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "GET /dead-letters",
                self.list,
                "read",
                Gives("DeadLetterOrGroup[]"),
                query=(*_TERMS, "group", *PAGE),
            ),
            Endpoint(
                "POST /dead-letters/discard",
                self.discard_all,
                "write",
                Gives("Discarded"),
                body=Body(Chosen, {"filter": {"workflow": "welcome"}}),
            ),
            Endpoint(
                "POST /dead-letters/redrive",
                self.redrive_all,
                "write",
                Gives("Redrive", 202),
                body=Body(RedriveMany, {"filter": {"workflow": "welcome"}, "rate": "10/s"}),
            ),
            Endpoint(
                "GET /dead-letters/redrives", self.redrives, "read", Gives("Redrive[]"), query=PAGE
            ),
            Endpoint("GET /dead-letters/redrives/{id}", self.progress, "read", Gives("Redrive")),
            Endpoint(
                "POST /dead-letters/redrives/{id}/cancel",
                self.cancel,
                "write",
                Gives("Redrive", 202, also={409: "It has ended."}),
            ),
            Endpoint("GET /dead-letters/{id}", self.get, "read", Gives("DeadLetter")),
            Endpoint(
                "POST /dead-letters/{id}/redrive",
                self.redrive,
                "write",
                Gives("DeadLetter", 202, also={409: "It is not open.", 429: ""}),
                body=Body(RedriveTerms, {"version": "latest"}, is_required=False),
            ),
            Endpoint(
                "DELETE /dead-letters/{id}",
                self.discard,
                "write",
                Gives(None, 204, also={409: "It is not open."}),
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Return dead letters, newest first; with `group=error` by cause."""
        account = await self._context.gate.account(request, "read")
        page = Page.of(request)
        wanted = _wanted(request)
        if "group" in request.query_params:
            groups = await self._letters.groups(account, wanted, page.limit + 1, page.before)
            return answer_page(groups, page, _group, attrgetter("last_at_ms", "fingerprint"))
        rows = await self._letters.all(account, wanted, page.limit + 1, page.before)
        return answer_page(rows, page, shown)

    async def get(self, request: Request) -> Response:
        """Return a dead letter."""
        account = await self._context.gate.account(request, "read")
        return answer(shown(await self._letters.letter(account, request.path_params["id"])))

    async def discard(self, request: Request) -> Response:
        """Let go of a dead letter."""
        account = await self._context.gate.account(request, "write")
        now = self._context.world.clock.now_ms()
        await self._letters.discard(account, request.path_params["id"], now)
        return Response(status_code=204)

    async def redrive(self, request: Request) -> Response:
        """Try a dead letter again: an execution from where it failed, an event at its pattern."""
        account = await self._context.gate.account(request, "write")
        body = await read_optional_json(request, self._context.limits.document_bytes)
        version = read_model(RedriveTerms, body).version
        dead_letters = self._context.engine.dead_letters
        letter = await dead_letters.redrive(account, request.path_params["id"], version)
        return answer(shown(letter), 202)

    async def redrive_all(self, request: Request) -> Response:
        """Try all open dead letters again that a filter finds, at a rate; it survives restarts."""
        account = await self._context.gate.account(request, "write")
        body = await read_json(request, self._context.limits.document_bytes)
        many = read_model(RedriveMany, body, _TERMS)
        begun = await self._context.engine.redriving.begin(
            account,
            many.filter.model_dump(mode="json", by_alias=True, exclude_unset=True),
            many.filter.meaning(),
            many.rate,
            many.version,
        )
        return answer(_redrive(begun), 202, {"Location": f"/dead-letters/redrives/{begun.id}"})

    async def redrives(self, request: Request) -> Response:
        """Return the redrives of many, newest first, with their progress."""
        account = await self._context.gate.account(request, "read")
        page = Page.of(request)
        rows = await self._context.world.redrives.all(account, page.limit + 1, page.before)
        return answer_page(rows, page, _redrive)

    async def progress(self, request: Request) -> Response:
        """Return how far the redriving of many has come."""
        account = await self._context.gate.account(request, "read")
        redrive_id = request.path_params["id"]
        return answer(_redrive(await self._context.world.redrives.redrive(account, redrive_id)))

    async def cancel(self, request: Request) -> Response:
        """End the redriving of many; what was not tried again stays open."""
        account = await self._context.gate.account(request, "write")
        redriving = self._context.engine.redriving
        return answer(_redrive(await redriving.cancel(account, request.path_params["id"])), 202)

    async def discard_all(self, request: Request) -> Response:
        """Let go of all open dead letters that a filter finds."""
        account = await self._context.gate.account(request, "write")
        body = await read_json(request, self._context.limits.document_bytes)
        chosen = read_model(Chosen, body, _TERMS)
        now = self._context.world.clock.now_ms()
        count = await self._letters.discard_all(account, chosen.filter.meaning(), now)
        return answer({"discarded": count})


def shown(letter: DeadLetter) -> dict[str, Json]:
    """Return a dead letter as users see it."""
    kind = "workflow" if letter.queue is Queue.WORKFLOWS else "pattern"
    return {
        "id": letter.id,
        "queue": letter.queue.value,
        "state": letter.state.value,
        "error": letter.error,
        "fingerprint": letter.fingerprint,
        kind: letter.origin,
        f"{kind}_id": letter.origin_id,
        "version": letter.version,
        "execution_id": letter.execution_id,
        "created_at": format_instant(letter.created_at_ms),
        "closed_at": format_instant_if_any(letter.closed_at_ms),
        "redriven_as": letter.redriven_as,
        "event": None if letter.event is None else asdict(letter.event),
    }


def _group(group: LetterGroup) -> dict[str, Json]:
    return {
        "fingerprint": group.fingerprint,
        "error": group.error,
        "count": group.count,
        "origins": list(group.origins),
        "first_at": format_instant(group.first_at_ms),
        "last_at": format_instant(group.last_at_ms),
    }


def _redrive(redrive: Redrive) -> dict[str, Json]:
    return {
        "id": redrive.id,
        "state": redrive.state.value,
        "filter": dict(redrive.filter),
        "rate": redrive.rate,
        "version": redrive.version,
        "total": redrive.total,
        "redriven": redrive.redriven,
        "refused": redrive.refused,
        "left": redrive.left,
        "last_error": redrive.last_error,
        "created_at": format_instant(redrive.created_at_ms),
        "finished_at": format_instant_if_any(redrive.finished_at_ms),
    }


def _wanted(request: Request) -> LetterFilter:
    given = request.query_params
    problems: list[Problem] = []
    if given.get("group", GROUP_BY) != GROUP_BY:
        problems.append(Problem("group", f"expected {GROUP_BY!r}, got {given['group']!r}"))
    terms: dict[str, Any] = {name: given[name] for name in _TERMS if name in given}
    state = terms.pop("state", None)
    if state is not None and state not in list(LetterState):
        expected = f"expected one of {', '.join(LetterState)}"
        problems.append(
            Problem("state", f"{expected}, got {state!r}{nearest(state, [*LetterState])}")
        )
    try:
        meaning = LetterTerms.model_validate(terms).meaning()
    except ValidationError as exc:
        raise InvalidInput([*problems, *problems_of(exc, terms, names=_TERMS)]) from exc
    if problems:
        raise InvalidInput(problems)
    return replace(meaning, state=None if state is None else LetterState(state))
