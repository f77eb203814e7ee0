"""The document of the API, its page, and the numbers for Prometheus."""

import re
from pathlib import Path
from typing import Any

import jsonschema

from tests.make import make_call, make_document
from tests.server import Answer, Served, serve


def _openapi(folder: Path) -> Any:
    async def use(server: Served) -> Any:
        return (await server.request("GET", "/openapi.json", key=None)).body

    return serve(folder, use)


def _schemas(document: Any, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def test_every_endpoint_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    document = _openapi(tmp_path)

    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) >= 50
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere(tmp_path: Path) -> None:
    document = _openapi(tmp_path)

    def references(value: Any) -> set[str]:
        match value:
            case dict():
                own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
                return own.union(*map(references, value.values()))
            case list():
                return set().union(*map(references, value))
            case _:
                return set()

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known


def test_every_example_is_taken(tmp_path: Path) -> None:
    document = _openapi(tmp_path)

    for methods in document["paths"].values():
        for operation in methods.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if "example" in content and "$ref" in content["schema"]:
                    name = content["schema"]["$ref"].rpartition("/")[2]
                    jsonschema.validate(content["example"], _schemas(document, name))


def test_what_is_answered_is_what_the_document_says(tmp_path: Path) -> None:
    paths = {
        "/events": "Event[]",
        "/events/one": "EventWithDispositions",
        "/patterns": "SavedPattern[]",
        "/patterns/p": "SavedPattern",
        "/patterns/p/matches": "Match[]",
        "/workflows": "SavedWorkflow[]",
        "/workflows/greet": "SavedWorkflow",
        "/executions": "ExecutionSummary[]",
        "/actions": "Action[]",
        "/kv/state": "Entry[]",
        "/account": "OwnAccount",
        "/accounts": "Account[]",
        "/monitoring/audit": "AuditEntry[]",
        "/nothing": "Problem",
    }

    async def use(server: Served) -> tuple[Any, dict[str, Answer], Answer, Answer]:
        steps: list[Any] = [make_call("a"), {"id": "w", "type": "delay", "for": "1h"}]
        await server.request("POST", "/workflows", json=make_document(steps=steps))
        pattern = {"name": "p", "pattern": {"type": "event", "event": "user.*"}}
        await server.request("POST", "/patterns", json=pattern)
        await server.request("POST", "/events", json={"id": "one", "type": "user.signup"})
        await server.request("PUT", "/kv/state/k", json={"value": 1})
        await server.world.engine.settled()
        answers = {path: await server.request("GET", path) for path in paths}
        (row,) = answers["/executions"].body["data"]
        execution = await server.request("GET", f"/executions/{row['id']}")
        plan = await server.request("POST", "/workflows/greet/plan", json={})
        document = (await server.request("GET", "/openapi.json")).body
        return document, answers, execution, plan

    document, answers, execution, plan = serve(tmp_path, use)

    for path, name in paths.items():
        body = answers[path].body
        shown = body["data"] if name.endswith("[]") else [body]
        assert shown, path
        for one in shown:
            schema = _schemas(document, name.removesuffix("[]"))
            # A saved document holds what its kind allows and what was added to it.
            if not name.startswith("Saved"):
                jsonschema.validate(one, schema)
    jsonschema.validate(execution.body, _schemas(document, "Execution"))
    jsonschema.validate(plan.body, _schemas(document, "ForeseenExecution"))


def test_the_pages_ask_nobody_else(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        pages = ("/", "/page.js", "/page.css", "/shared.js", "/sql", "/sql.js", "/docs", "/docs.js")
        return [await server.request("GET", path, key=None) for path in pages]

    for page in serve(tmp_path, use):
        assert page.status == 200
        assert "//" not in re.sub(r"^\s*//.*$", "", page.body, flags=re.M).replace(
            "http://www.w3", ""
        )
        assert "'unsafe" not in page.headers["Content-Security-Policy"]


def test_prometheus_reads_the_numbers(tmp_path: Path) -> None:
    async def use(server: Served) -> str:
        await server.request("POST", "/workflows", json=make_document(steps=[make_call("a")]))
        for _ in range(2):
            await server.request("POST", "/events", json={"id": "one", "type": "user.signup"})
        await server.request("GET", "/nothing")
        await server.world.engine.settled()
        return str((await server.request("GET", "/metrics", key=None)).body)

    shown = serve(tmp_path, use)

    for line in (
        "oncue_events_accepted_total 1.0",
        "oncue_events_duplicate_total 1.0",
        "oncue_matches_total 1.0",
        "oncue_executions_started_total 1.0",
        'oncue_executions_ended_total{status="completed"} 1.0',
        'oncue_attempts_total{action="note",outcome="completed"} 1.0',
        "oncue_events_unmatched 0.0",
        'oncue_http_requests_total{method="POST",status="202"} 2.0',
        'oncue_http_requests_total{method="GET",status="404"} 1.0',
        'oncue_http_request_duration_seconds_bucket{le="+Inf"} 4.0',
    ):
        assert f"\n{line}\n" in shown, line
