"""`/actions` and `/expressions`: what there is to call, and to try."""

from collections.abc import Mapping
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.action import AnyAction
from oncue.core.errors import EvaluationError, InvalidInput, NotFound, Problem
from oncue.core.expression import compile_expression, compile_template, to_json
from oncue.core.json_text import Json
from oncue.core.problems import nearest
from oncue.web import render
from oncue.web.answers import answer
from oncue.web.body import read_json
from oncue.web.context import Context
from oncue.web.endpoint import Body, Endpoint, Gives

_RUN_FIELDS = ("with", "connection", "dry_run")
_EVALUATE_FIELDS = ("expr", "template", "values")


class ActionRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._library = context.world.library

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint("GET /actions", self.list, "read", Gives("Action[]")),
            Endpoint("GET /actions/{name}", self.get, "read", Gives("Action")),
            Endpoint(
                "POST /actions/{name}/run",
                self.run,
                "write",
                Gives("Tried"),
                body=Body("object", {"with": {"text": "Hello"}, "dry_run": True}),
            ),
            Endpoint(
                "POST /expressions/evaluate",
                self.evaluate,
                "read",
                Gives("Value"),
                body=Body("object", {"expr": "n * 2", "values": {"n": 21}}),
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Return all actions."""
        await self._context.gate.account(request, "read")
        shown: list[Json] = [_shown(action) for action in self._library.values()]
        return answer({"data": shown, "next_cursor": None})

    async def get(self, request: Request) -> Response:
        """Return one action."""
        await self._context.gate.account(request, "read")
        return answer(_shown(self._find(request)))

    async def run(self, request: Request) -> Response:
        """Try an action for real, or with `dry_run` up to what it would send first."""
        account = await self._context.gate.account(request, "write")
        action = self._find(request)
        body = await read_json(request, self._context.limits.document_bytes)
        given = _fields(body, _RUN_FIELDS)
        is_dry = given.get("dry_run", False)
        if not isinstance(is_dry, bool):
            raise InvalidInput([Problem("dry_run", f"expected true or false, got {is_dry!r}")])
        connection = await self._connection(account, action, given.get("connection"))
        world = self._context.world
        began_ms = world.clock.now_ms()
        key = world.fresh_id("run")
        rehearsal = await world.actions.rehearse(
            account,
            action.name,
            given.get("with", {}),
            key,
            is_dry=is_dry,
            connection=connection,
        )
        shown = render.rehearsal(rehearsal, world.clock.now_ms() - began_ms)
        if is_dry:
            shown.pop("output", None)
        return answer(shown)

    async def evaluate(self, request: Request) -> Response:
        """Evaluate an expression or render a template with the values given."""
        await self._context.gate.account(request, "read")
        body = await read_json(request, self._context.limits.document_bytes)
        given = _fields(body, _EVALUATE_FIELDS)
        values = given.get("values", {})
        if not isinstance(values, Mapping):
            raise InvalidInput([Problem("values", "expected an object, got something else")])
        if ("expr" in given) == ("template" in given):
            got = "both" if "expr" in given else "none"
            raise InvalidInput([Problem("", f"expected either expr or template, got {got}")])
        try:
            return answer({"value": _evaluate(given, cast("Mapping[str, object]", values))})
        except EvaluationError as exc:
            name = "expr" if "expr" in given else "template"
            raise InvalidInput([Problem(name, str(exc))]) from exc

    async def _connection(self, account: str, action: AnyAction, name: Json) -> str | None:
        if name is None:
            return None
        known = await self._context.world.connected.integrations_by_name(account)
        if not isinstance(name, str) or name not in known:
            hint = nearest(str(name), known)
            raise InvalidInput(
                [Problem("connection", f"expected a connection, got {name!r}{hint}")]
            )
        if known[name] != action.integration:
            message = f"expected one for {action.integration}, got {name!r}, for {known[name]}"
            raise InvalidInput([Problem("connection", message)])
        return name

    def _find(self, request: Request) -> AnyAction:
        name = request.path_params["name"]
        if name not in self._library:
            raise NotFound(f"no action {name!r}{nearest(name, self._library)}")
        return self._library[name]


def _evaluate(given: Mapping[str, Json], values: Mapping[str, object]) -> Json:
    if "template" in given:
        template = compile_template(given["template"], roots=[*values], path="template")
        return template.render(values)
    text = given["expr"]
    if not isinstance(text, str):
        raise InvalidInput([Problem("expr", f"expected text, got {text!r}")])
    return to_json(compile_expression(text, roots=[*values], path="expr").evaluate(values))


def _fields(body: Json, known: tuple[str, ...]) -> Mapping[str, Json]:
    if not isinstance(body, Mapping):
        raise InvalidInput([Problem("", "expected an object, got something else")])
    problems = [
        Problem(name, f"expected no such field, got {name!r}{nearest(name, known)}")
        for name in body
        if name not in known
    ]
    if problems:
        raise InvalidInput(problems)
    return body


def _shown(action: AnyAction) -> Json:
    shown: Json = {
        "name": action.name,
        "summary": action.summary,
        "category": action.category,
        "integration": action.integration,
        "package": action.package,
        "idempotency": action.idempotency.value,
        "input_schema": action.input.model_json_schema(),
        "output_schema": action.output.model_json_schema(),
        "example": action.example,
    }
    return shown
