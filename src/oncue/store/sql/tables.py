"""The tables of the catalog."""

import sqlalchemy as sa

metadata = sa.MetaData()

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False, server_default="UTC"),
    sa.Column("max_workflows", sa.BigInteger),
    sa.Column("max_executions_per_month", sa.BigInteger),
    sa.Column("max_events_per_month", sa.BigInteger),
    sa.Column("query_timeout_ms", sa.BigInteger),
    sa.Column("query_memory_mb", sa.BigInteger),
    sa.Column("query_max_bytes", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    # The last characters of the secret, so that people know it again.
    sa.Column("hint", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
workflow = sa.Table(
    "workflow",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    # Its versions stay for the executions that ran them.
    sa.Column("deleted_at", sa.BigInteger),
)
_is_there = workflow.c.deleted_at.is_(None)
sa.Index(
    "workflow_name",
    workflow.c.account,
    workflow.c.name,
    unique=True,
    sqlite_where=_is_there,
    postgresql_where=_is_there,
)
workflow_version = sa.Table(
    "workflow_version",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("workflow_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
pattern = sa.Table(
    "pattern",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    # The workflow that brought it; it then has that one's name.
    sa.Column("owner_id", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("deleted_at", sa.BigInteger),
)
_is_of_user = sa.and_(pattern.c.deleted_at.is_(None), pattern.c.owner_id.is_(None))
sa.Index(
    "pattern_name",
    pattern.c.account,
    pattern.c.name,
    unique=True,
    sqlite_where=_is_of_user,
    postgresql_where=_is_of_user,
)
sa.Index("pattern_owner", pattern.c.account, pattern.c.owner_id)
pattern_version = sa.Table(
    "pattern_version",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("pattern_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("state_version", sa.Integer, nullable=False),
    sa.Column("workflow_id", sa.Text),
    sa.Column("document", sa.JSON, nullable=False),
    # An inactive version ends the pattern's state.
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    # The offset of its change record; null until that record is known to be in the log.
    sa.Column("seen_from", sa.BigInteger),
)
answer = sa.Table(
    "answer",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
sa.Index("answer_oldest", answer.c.account, answer.c.created_at)
connection = sa.Table(
    "connection",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("integration", sa.Text, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    # How each secret ends; the secrets themselves are in `sealed` only.
    sa.Column("hints", sa.JSON, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("last_used_at", sa.BigInteger),
    sa.Column("last_test", sa.JSON),
    sa.UniqueConstraint("account", "name"),
)
hook = sa.Table(
    "hook",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    # How each secret ends; the secrets themselves are in `sealed` only.
    sa.Column("hints", sa.JSON, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    # The workflow that brought it; it then has that one's name.
    sa.Column("owner_id", sa.Text),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)
sa.Index(
    "hook_name",
    hook.c.account,
    hook.c.name,
    unique=True,
    sqlite_where=hook.c.owner_id.is_(None),
    postgresql_where=hook.c.owner_id.is_(None),
)
schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    # The workflow that brought it; it then has that one's name.
    sa.Column("owner_id", sa.Text),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("has_own_zone", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("anchor_at", sa.BigInteger, nullable=False),
    # The first tick that is undecided; null while it does not fire.
    sa.Column("next_at", sa.BigInteger),
    sa.Column("last_at", sa.BigInteger),
    sa.Column("missed", sa.Integer, nullable=False),
)
_is_of_nobody = schedule.c.owner_id.is_(None)
sa.Index(
    "schedule_name",
    schedule.c.account,
    schedule.c.name,
    unique=True,
    sqlite_where=_is_of_nobody,
    postgresql_where=_is_of_nobody,
)
sa.Index("schedule_owner", schedule.c.account, schedule.c.owner_id)
sa.Index("schedule_due", schedule.c.next_at)
secret = sa.Table(
    "secret",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
    # Null until a value is given.
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)
variable = sa.Table(
    "variable",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
    # JSON; SQLite would take a column of that type for numbers, and 1.0 for 1.
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)
