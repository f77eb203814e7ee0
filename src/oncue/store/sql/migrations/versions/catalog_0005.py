"""What queries of an account may take."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Go to this form from the one before."""
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("query_timeout_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("query_memory_mb", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("query_max_bytes", sa.BigInteger(), nullable=True))
