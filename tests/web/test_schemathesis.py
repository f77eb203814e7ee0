"""Requests that schemathesis makes up from the OpenAPI document: no bug, no undocumented answer."""

import asyncio
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.make import make_document
from tests.server import KEY, Served, serve

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# A stream has no end that could be waited for.
WITHOUT_END = {"/events/stream"}


def _try_all(document: Any, url: str) -> tuple[int, list[str]]:
    """Return how many operations were tried, and what failed."""
    schema = schemathesis.openapi.from_dict(document)
    count = 0
    failures: list[str] = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path in WITHOUT_END:
            continue
        count += 1

        @settings(
            max_examples=6,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answers_as_documented(case: Any) -> None:
            headers = {"Authorization": f"Bearer {KEY}"}
            answer = case.call(base_url=url, headers=headers, timeout=10)
            case.validate_response(answer, checks=CHECKS)

        try:
            answers_as_documented()
        except BaseExceptionGroup as found:
            failures += [f"{operation.label}: {failure}" for failure in found.exceptions]
    return count, failures


def test_requests_that_are_made_up_are_answered_as_documented(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[int, list[str]]:
        await server.request("POST", "/workflows", json=make_document())
        document = (await server.request("GET", "/openapi.json")).body
        url = str(server.session._base_url)
        return await asyncio.to_thread(_try_all, document, url)

    count, failures = serve(tmp_path, use)

    assert failures == []
    assert count >= 49
