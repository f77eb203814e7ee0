"""
Workflows that every account is given once, and then are its own.

The id of one comes of the account and the name, and the catalog keeps what was deleted: so one
that was renamed or deleted is not given again.
"""

import logging
from collections.abc import Sequence

from oncue.core.errors import Conflict, InvalidInput, NotFound
from oncue.core.ids import derived_id
from oncue.core.json_text import Json
from oncue.engine.definitions import Beside, Definitions
from oncue.ports import Catalog, WorkflowVersion

FAILURE_ALERT = "failure-alert"

_log = logging.getLogger(__name__)


class BuiltIns:
    """The documents, and who has them."""

    def __init__(
        self, documents: Sequence[Json], definitions: Definitions, catalog: Catalog
    ) -> None:
        self._documents = documents
        self._definitions = definitions
        self._catalog = catalog

    async def give(self, account: str) -> None:
        """Give an account what it never had."""
        for document in self._documents:
            id_ = _id(account, _name(document))
            try:
                await self._catalog.workflow(account, id_)
            except NotFound:
                await self._save(account, id_, document)

    async def find(self, account: str, name: str) -> WorkflowVersion:
        """
        Return a workflow as it is now, also one that was renamed or deleted.

        Raises:
            NotFound: the account was never given it.
        """
        return await self._catalog.workflow(account, _id(account, name))

    async def count_others(self, account: str) -> int:
        """Return how many workflows an account has beside these."""
        ours = [_id(account, _name(document)) for document in self._documents]
        return await self._catalog.workflow_count(account, ours)

    async def _save(self, account: str, id_: str, document: Json) -> None:
        beside = Beside(workflows={_name(document): id_})
        try:
            workflow = await self._definitions.first(account, document, beside)
            await self._catalog.save_workflow(account, workflow)
        except Conflict:
            # Somebody chose the name before; what they made of it stays.
            return
        except InvalidInput as exc:
            # The settings allow fewer steps than it has.
            _log.warning("%s goes without %s: %s", account, _name(document), exc)
            return
        await self._definitions.put_in_force(account, workflow)


def is_built_in(account: str, workflow_id: str) -> bool:
    """Return whether a workflow of an account is one that it was given."""
    return workflow_id == _id(account, FAILURE_ALERT)


def _id(account: str, name: str) -> str:
    return derived_id("wf", 0, [account, name])


def _name(document: Json) -> str:
    assert isinstance(document, dict)
    return str(document["name"])
