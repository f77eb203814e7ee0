"""
Linear's GraphQL endpoint, for some operations: find a team, labels, an issue; create an issue; who asks.

Fields and arguments are those of Linear's schema; errors, and their codes, those
that its API answers with. It knows an operation by the field that it asks for.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from oncue.core.json_text import Json
from oncue.testing.vendors.orders import Fixed, Refused
from oncue.testing.vendors.simulator import ReceivedCall, Simulator

_UUID4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII
)
_FIELD = re.compile(r"\{\s*(\w+)")
_PER_HOUR: Final = 5_000
_COMPLEXITY_PER_HOUR: Final = 250_000
_RESET_MS: Final = 1_000
_VIEWER: Final = "33333333-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
_TEAM: Final = "9cfb482a-81e3-4154-b5b9-2c805e70a02d"
_LABELS: Final = {
    "bug": "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
    "feature": "22222222-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
}


class LinearSimulator(Simulator):
    """A workspace with the team Engineering (`ENG`), and the labels Bug and Feature."""

    origin = "https://api.linear.app"
    api_key: Final = "lin_api_simulated"

    @property
    def settings(self) -> Mapping[str, str]:
        """Key and endpoint."""
        return {"LINEAR_API_KEY": self.api_key, "ONCUE_LINEAR_BASE_URL": self.base_url}

    @property
    def allowance(self) -> Mapping[str, str]:
        """Requests and complexity in an hour, and when (in ms) there is all of it again."""
        return self._allowance(_PER_HOUR - 1)

    def refuse(self, refused: Refused) -> Fixed:
        """Say no by Linear's codes; who asks too often gets 400."""
        status, message, code = _REFUSALS[refused]
        answer = _error(status, message, code)
        if refused is Refused.RATE_LIMITED:
            return replace(answer, headers=self._allowance(0))
        return answer

    def _allowance(self, left: int) -> dict[str, str]:
        reset = str(self.clock.now_ms() + _RESET_MS)
        requests = {"Limit": str(_PER_HOUR), "Remaining": str(left), "Reset": reset}
        complexity = {
            "Limit": str(_COMPLEXITY_PER_HOUR),
            "Remaining": str(_COMPLEXITY_PER_HOUR - 1),
            "Reset": reset,
        }
        return {
            "X-Complexity": "1",
            **{f"X-RateLimit-Requests-{name}": value for name, value in requests.items()},
            **{f"X-RateLimit-Complexity-{name}": value for name, value in complexity.items()},
        }

    def answer(self, call: ReceivedCall) -> Fixed:
        """Carry out the operation; `effects` are the issues."""
        if (call.method, call.path) != ("POST", "/graphql"):
            return Fixed(404, "Not Found")
        if call.headers.get("authorization") != self.api_key:
            message = "Authentication required, not authenticated"
            return _error(401, message, "AUTHENTICATION_ERROR")
        match call.body:
            case {"query": str(query), **more}:
                found, variables = _FIELD.search(query), more.get("variables", {})
                given = variables if isinstance(variables, Mapping) else {}
                return self._carry_out(found[1] if found else "", given)
            case _:
                return _error(400, "POST body missing, invalid Content-Type", "BAD_REQUEST")

    def _carry_out(self, field: str, variables: Mapping[str, Json]) -> Fixed:
        match field, variables:
            case "teams", {"team": {"or": [{"key": {"eqIgnoreCase": str(name)}}, *_]}}:
                is_known = name.lower() in ("eng", "engineering")
                nodes: list[Json] = [{"id": _TEAM, "key": "ENG"}] if is_known else []
                return _data({"teams": {"nodes": nodes}})
            case "issueLabels", {"labels": {"or": [*names]}}:
                return _data({"issueLabels": {"nodes": _labels(names)}})
            case "viewer", _:
                return _data({"viewer": {"id": _VIEWER, "name": "Simulated"}})
            case "issue", {"id": str(id_)}:
                return self._find(id_)
            case "issueCreate", {"input": Mapping() as wanted}:
                return self._create(wanted)
            case _:
                return _error(400, f'Cannot query field "{field}".', "GRAPHQL_VALIDATION_FAILED")

    def _find(self, id_: str) -> Fixed:
        for issue in self.effects:
            if issue["id"] == id_:
                return _data({"issue": _shown(issue)})
        return _error(400, "Entity not found: Issue", "INPUT_ERROR")

    def _create(self, wanted: Mapping[str, Json]) -> Fixed:
        number = len(self.effects) + 1
        id_ = wanted.get("id", f"00000000-0000-4000-8000-{number:012x}")
        if not isinstance(id_, str) or not _UUID4.fullmatch(id_):
            return _error(400, "Argument Validation Error: id must be a UUID", "INVALID_INPUT")
        if wanted.get("teamId") != _TEAM:
            return _error(400, "Entity not found: Team", "INPUT_ERROR")
        if any(issue["id"] == id_ for issue in self.effects):
            return _error(400, f"Entity with id {id_} already exists", "INPUT_ERROR")
        made: dict[str, Json] = {
            **wanted,
            "id": id_,
            "identifier": f"ENG-{number}",
            "url": f"https://linear.app/simulated/issue/ENG-{number}",
        }
        self.effects.append(made)
        return _data({"issueCreate": {"success": True, "issue": _shown(made)}})


_REFUSALS: Final[Mapping[Refused, tuple[int, str, str]]] = {
    Refused.UNAUTHORIZED: (401, "Authentication required", "AUTHENTICATION_ERROR"),
    Refused.FORBIDDEN: (403, "You don't have permission", "FORBIDDEN"),
    Refused.CONFLICT: (400, "Entity already exists", "INPUT_ERROR"),
    Refused.INVALID: (400, "Argument Validation Error", "INVALID_INPUT"),
    Refused.RATE_LIMITED: (400, "Rate limit exceeded", "RATELIMITED"),
    Refused.BROKEN: (500, "Internal server error", "INTERNAL_SERVER_ERROR"),
    Refused.UNAVAILABLE: (503, "Service unavailable", "INTERNAL_SERVER_ERROR"),
}


def _labels(names: list[Json]) -> list[Json]:
    nodes: list[Json] = []
    for one in names:
        match one:
            case {"name": {"eqIgnoreCase": str(name)}} if name.lower() in _LABELS:
                nodes.append({"id": _LABELS[name.lower()], "name": name.capitalize()})
            case _:
                continue
    return nodes


def _shown(issue: Mapping[str, Json]) -> Json:
    return {name: issue[name] for name in ("id", "identifier", "url")}


def _data(data: Json) -> Fixed:
    return Fixed(200, {"data": data})


def _error(status: int, message: str, code: str) -> Fixed:
    error: Json = {"message": message, "extensions": {"code": code}}
    return Fixed(status, {"errors": [error]})
