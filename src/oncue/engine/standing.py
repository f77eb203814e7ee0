"""What an account has defined, as the documents that would define it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from oncue.core.json_text import Json
from oncue.engine.connected import Connected
from oncue.engine.connection_book import ConnectionBook
from oncue.engine.definitions import Definitions
from oncue.engine.hook_book import HookBook
from oncue.engine.paging import everything
from oncue.engine.patterns import PatternDefinitions
from oncue.engine.schedule_book import ScheduleBook
from oncue.engine.secret_book import SecretBook
from oncue.engine.variable_book import VariableBook
from oncue.ports import (
    Catalog,
    Connection,
    Hook,
    Keepable,
    Patterns,
    PatternVersion,
    Secret,
    Variable,
)

KINDS: Final = ("variable", "secret", "connection", "workflow", "pattern", "schedule", "hook")
"""In this order: each may name those before it."""
SEALED: Final = ("secret", "connection")
"""Only administrators see that there are any."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where each kind of definition is kept."""

    catalog: Catalog
    pattern_rows: Patterns
    connected: Connected
    variables: VariableBook
    secrets: SecretBook
    connections: ConnectionBook
    workflows: Definitions
    patterns: PatternDefinitions
    schedules: ScheduleBook
    hooks: HookBook


@dataclass(frozen=True, slots=True)
class Standing:
    """The definitions of an account by kind and name, those of a kind in the order they were made."""

    rows: Mapping[str, Mapping[str, Keepable]]
    workflow_names: Mapping[str, str] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> Keepable | None:
        """Return the definition of a kind that has a name."""
        return self.rows[kind].get(name)

    def document(self, kind: str, name: str) -> dict[str, Json] | None:
        """Return a definition as a document; nothing of it is secret."""
        row = self.find(kind, name)
        return None if row is None else {"kind": kind, **_bare(row, self.workflow_names)}


async def standing(account: str, books: Books) -> Standing:
    """Return what an account has defined; what a workflow brought stands in the workflow."""
    workflows = await everything(partial(books.catalog.workflows, account))
    patterns = await everything(partial(books.pattern_rows.all, account))
    schedules = await everything(partial(books.schedules.store.all, account))
    found: dict[str, list[Keepable]] = {
        "variable": [*(await books.variables.by_name(account)).values()],
        "secret": [*(await books.secrets.by_name(account)).values()],
        "connection": [*await books.connected.store.all(account)],
        "workflow": [*workflows],
        "pattern": [row for row in patterns if row.owner_id is None],
        "schedule": [row for row in schedules if row.owner_id is None],
        "hook": [row for row in await books.hooks.store.all(account) if row.owner_id is None],
    }
    rows = {kind: {row.name: row for row in reversed(those)} for kind, those in found.items()}
    return Standing(rows, {row.id: row.name for row in workflows})


def _bare(row: Keepable, workflow_names: Mapping[str, str]) -> dict[str, Json]:
    match row:
        case Variable():
            return {"name": row.name, **_described(row.description), "value": row.value}
        case Secret():
            return {"name": row.name, **_described(row.description)}
        case Connection():
            return {
                "name": row.name,
                "integration": row.integration,
                "default": row.is_default,
                "values": dict(row.settings),
            }
        case Hook():
            return _as_written(row.document)
        case PatternVersion():
            return _with_workflow(_as_written(row.document), row.workflow_id, workflow_names)
        case _:
            return _as_written(row.document)


def _described(description: str) -> dict[str, Json]:
    return {"description": description} if description else {}


def _as_written(document: Json) -> dict[str, Json]:
    assert isinstance(document, Mapping)
    return {name: value for name, value in document.items() if name != "kind"}


def _with_workflow(
    document: dict[str, Json], workflow_id: str | None, names: Mapping[str, str]
) -> dict[str, Json]:
    """Return a pattern with the name of its workflow, which may be given by id, or be gone."""
    if workflow_id is None or "workflow" not in document:
        return document
    if workflow_id in names:
        return {**document, "workflow": names[workflow_id]}
    return {name: value for name, value in document.items() if name != "workflow"}
