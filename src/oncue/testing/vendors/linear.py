"""
Linear's GraphQL endpoint, for four operations: find a team, labels, an issue; create an issue.

Fields and arguments are those of Linear's schema; errors, and their codes, those
that its API answers with. It knows an operation by the field that it asks for.
"""

import re
from collections.abc import Mapping
from typing import Final

from oncue.core.json_text import Json
from oncue.testing.vendors.simulator import Fixed, ReceivedCall, Simulator

_UUID4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII
)
_FIELD = re.compile(r"\{\s*(\w+)")
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

    def answer(self, call: ReceivedCall) -> Fixed:
        """Carry out the operation; `effects` are the issues."""
        if (call.method, call.path) != ("POST", "/graphql"):
            return Fixed(404, "Not Found")
        if call.headers.get("authorization") != self.api_key:
            message = "Authentication required, not authenticated"
            return _error(401, message, "AUTHENTICATION_ERROR")
        match call.body:
            case {"query": str(query), "variables": Mapping() as variables}:
                found = _FIELD.search(query)
                return self._carry_out(found[1] if found else "", variables)
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
