"""
The form of the catalog, and the way there from every older one.

A catalog that is not there yet is made from `tables.py` at once; an older one takes
the migrations in `versions/`, each in its turn, in one transaction with the number of
the form that it then has. Both ways lead to the same tables: whoever changes
`tables.py` adds a migration (`python -m scripts.make_migration`), or a test fails.

Alembic takes a while to load, so it is loaded only where there is something to migrate.
"""

import sqlalchemy as sa

from oncue.store.sql.migrations.forms import NEWEST, VERSIONS
from oncue.store.sql.tables import metadata

__all__ = ["NEWEST", "UNMARKED", "found_form", "make_tables", "migrate_tables"]

UNMARKED = 0
"""The form of a catalog from before forms had numbers."""
_mark = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), primary_key=True),
)


def found_form(connection: sa.Connection) -> int | None:
    """Return the number of the form that the catalog has; none where there are no tables."""
    names = sa.inspect(connection).get_table_names()
    if _mark.name in names:
        found: str | None = connection.execute(sa.select(_mark.c.version_num)).scalar()
        return UNMARKED if found is None else int(found)
    return UNMARKED if names else None


def make_tables(connection: sa.Connection) -> None:
    """Make all tables, in the newest form."""
    _begin(connection)
    metadata.create_all(connection)
    _mark.create(connection)
    connection.execute(sa.insert(_mark).values(version_num=f"{NEWEST:04}"))


def migrate_tables(connection: sa.Connection) -> None:
    """Bring an older catalog to the newest form."""
    from alembic import command
    from alembic.config import Config

    _begin(connection)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")


def _begin(connection: sa.Connection) -> None:
    # Python begins no transaction for changes of tables, which then would be durable one by one.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
