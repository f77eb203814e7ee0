"""
Write the migration that brings the catalog to what `tables.py` says now: `make_migration "title"`.

It is a draft: rows that are there already may need more than Alembic can see.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext

from oncue.store.sql.migrations import NEWEST, migrate_tables
from oncue.store.sql.migrations.forms import VERSIONS
from oncue.store.sql.tables import metadata

TEMPLATE = '''"""{title}."""

import sqlalchemy as sa
from alembic import op

revision = "{number:04}"
down_revision = "{before:04}"


def upgrade() -> None:
    """Go to this form from the one before."""
{body}
'''


def main(title: str) -> int:
    """Return 1 if there is nothing to write."""
    with TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{Path(folder) / 'catalog.db'}")
        with engine.begin() as connection:
            migrate_tables(connection)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"render_as_batch": True})
            changes = produce_migrations(context, metadata).upgrade_ops
        engine.dispose()
    if changes is None or changes.is_empty():
        sys.stderr.write("the migrations lead to what tables.py says already\n")
        return 1
    path = VERSIONS / f"catalog_{NEWEST + 1:04}.py"
    body = render_python_code(changes, render_as_batch=True)
    text = TEMPLATE.format(title=title, number=NEWEST + 1, before=NEWEST, body=body)
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(" ".join(sys.argv[1:]) or "Tables of the catalog"))
