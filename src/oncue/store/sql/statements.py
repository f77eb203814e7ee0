"""Statements that are the same for whatever an account keeps."""

from typing import Any

import sqlalchemy as sa


def newest_first(table: sa.Table, account: str, id_: str = "id") -> sa.Select[Any]:
    """Return what finds all that an account keeps in a table, whose rows are told by `id_`."""
    columns = table.c
    return (
        sa.select(table)
        .where(columns.account == account)
        .order_by(columns.created_at.desc(), columns[id_].desc())
    )
