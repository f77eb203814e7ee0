"""What is saved together, or not at all."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from oncue.ports.catalog import PatternVersion, WorkflowVersion
from oncue.ports.connections import Connection
from oncue.ports.hooks import Hook
from oncue.ports.schedules import Schedule
from oncue.ports.secrets import Secret, Variable

Keepable: TypeAlias = (
    WorkflowVersion | PatternVersion | Connection | Hook | Schedule | Secret | Variable
)
"""A version: the first, or the one after the current."""


class Shelf(Protocol):
    """The definitions of all accounts."""

    async def save_all(self, account: str, kept: Sequence[Keepable]) -> None:
        """
        Keep versions, all or none.

        Raises:
            Conflict: a name is taken, or somebody saved one of them meanwhile.
        """
