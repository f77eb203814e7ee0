"""
The process that answers one question, and ends.

It starts before anybody asks, so that nobody waits for DuckDB to load. It is told
where the rows of one account stand, reads them, and locks itself in: no files but those
of that account's archive, no network, no settings, a bounded address space, nothing that
may be written. Only then it sees the SQL. Whoever asked ends it by killing it; if that one
is no more, it ends by itself.
"""

import contextlib
import os
import resource
import sys
import threading
from pathlib import Path
from typing import IO, Final

import duckdb
from msgspec import MsgspecError
from msgspec.structs import replace

from oncue.core.errors import InvalidInput, Problem
from oncue.core.sql.paths.kinds import MACROS
from oncue.core.sql.paths.typed import with_typed_paths, written_name
from oncue.core.sql.windows.rewriting import with_windows
from oncue.store.frames import answer_frames
from oncue.store.query.encoding import answer_of
from oncue.store.query.messages import (
    OVER_MEMORY,
    Answer,
    Part,
    Question,
    Ready,
    Refusal,
    Reply,
    Rows,
    read_part,
    write_message,
)
from oncue.store.query.reach import Reach
from oncue.store.query.row_patterns import Params, RowPatterns

_CONNECT: Final = {
    "threads": "1",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}
# Reserved rather than used by DuckDB and its allocator, before there are any rows.
_USUALLY_HELD_BYTES: Final = 800 << 20
_LOAD: Final = """
CREATE TABLE recent AS
SELECT i AS id, s AS source, t AS type, u AS subject,
    make_timestamptz(m * 1000) AS time, make_timestamptz(r * 1000) AS received_at,
    o AS "offset", b.data AS data, b.attributes AS extensions
FROM read_ndjson(?, columns = {i: 'VARCHAR', s: 'VARCHAR', t: 'VARCHAR', u: 'VARCHAR',
    m: 'BIGINT', r: 'BIGINT', o: 'BIGINT', b: 'STRUCT(data JSON, attributes JSON)'},
    maximum_object_size = 16777216)
"""
# As on a stream: infinity and NaN would be greater than all other numbers, and an error the end.
_NULL_WITHOUT_QUOTIENT: Final = (
    "SET error_on_division_by_zero = false",
    'CREATE MACRO "/"(a, b) AS system.main."/"(a, nullif(b, 0))',
    'CREATE MACRO "%"(a, b) AS system.main."%"(a, nullif(b, 0))',
)
_LOCK: Final = (
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


_ARCHIVED: Final = """
SELECT id, source, type, subject, time, received_at, "offset", data, extensions
FROM read_parquet({files}) WHERE account = '{account}' AND kind = 0
"""


_WATCHED_S: Final = 1
_MAX_TOLD: Final = 2_000
_MAX_PROBLEMS: Final = 100


class Session:
    """One account's rows, and one question over them."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config=dict(_CONNECT))
        self._connection.execute("SET TimeZone = 'UTC'")
        self._reach = Reach(self._connection)
        self._row_patterns = RowPatterns(self._connection, self._prepared, self._explained)

    def load(self, rows: Rows) -> None:
        """Read the rows, then read nothing else any more."""
        lines = str(Path(rows.lines).absolute())
        os.chdir(rows.folder)
        self.read(replace(rows, lines=lines))
        self._lock_in(rows)

    def read(self, rows: Rows) -> None:
        """Read the rows; the archived ones stand in the folder that is the current one."""
        connection = self._connection
        connection.execute(f"SET memory_limit = '{rows.memory_mb}MB'")
        connection.execute(_LOAD, [rows.lines])
        connection.execute(_view(rows))
        for kind, forms in MACROS.items():
            connection.execute(f"CREATE MACRO {kind.value}{', '.join(forms)}")
        for statement in _NULL_WITHOUT_QUOTIENT:
            connection.execute(statement)

    def _lock_in(self, rows: Rows) -> None:
        connection = self._connection
        connection.execute(f"SET allowed_paths = {rows.archived}")
        for statement in _LOCK:
            connection.execute(statement)
        bound = _held_bytes() + (rows.memory_mb << 20)
        # What another limit forbids already cannot be set; it is lower then.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def reply(self, part: Part) -> Reply:
        """Return what there is to say to one part, also where it wants too much."""
        try:
            if isinstance(part, Rows):
                self.load(part)
                return Ready()
            answer = self.answer(part)
        except duckdb.OutOfMemoryException as exc:
            # Its further lines advise on settings that nobody has here.
            return Refusal(f"over memory: {_told(exc).partition(chr(10))[0]}")
        except MemoryError:
            return Refusal(OVER_MEMORY)
        return _cut(answer) if isinstance(answer, Refusal) else answer

    def answer(self, question: Question) -> Answer | Refusal:
        """Return what a question gives."""
        try:
            question = self._row_patterns.answered(question)
            sql = self._prepared(question.sql, question.values)
            return answer_of(self._connection, sql, question)
        except InvalidInput as exc:
            return Refusal(*_messages(exc))
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as exc:
            return Refusal(self._explained(question.sql, question.values, exc))
        except (ArithmeticError, RuntimeError, TypeError, ValueError, MsgspecError) as exc:
            # Of values that DuckDB has and Python has not, such as a million years.
            return Refusal(f"expected values that can be written, cast them to text: {_told(exc)}")

    def _prepared(self, sql: str, params: Params) -> str:
        sql = with_windows(sql)
        for text in (sql, typed := with_typed_paths(sql, params)):
            if problem := self._problem(text):
                raise InvalidInput([Problem("sql", problem)])
        return typed

    def _problem(self, sql: str) -> str | None:
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            return f"expected one statement, got {len(statements)}"
        kind = statements[0].type
        if kind is duckdb.StatementType.MULTI:
            return "expected PIVOT with its values, such as ON type IN ('a', 'b')"
        if kind is not duckdb.StatementType.SELECT:
            return f"expected SELECT, got {kind.name}: events are read, never changed"
        return self._reach.problem(sql)

    def _explained(self, sql: str, params: Params, exc: duckdb.Error) -> str:
        # Of the SQL as it was written, so that the place is that of the user.
        if isinstance(exc, duckdb.BinderException | duckdb.CatalogException):
            try:
                # Run, not explained: it cannot be bound, so it does nothing.
                self._connection.execute(with_windows(sql), params or None)
            except (duckdb.BinderException, duckdb.CatalogException) as first:
                return _told(first)
            except duckdb.Error:
                return _told(exc)
        return _told(exc)


def _held_bytes() -> int:
    """Return the address space that is taken already; the rows are in it."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    except OSError:
        return _USUALLY_HELD_BYTES
    return int(pages) * resource.getpagesize()


def _view(rows: Rows) -> str:
    if not rows.archived:
        return "CREATE VIEW events AS SELECT * FROM recent"
    archived = _ARCHIVED.format(files=rows.archived, account=rows.account.replace("'", "''"))
    # In the order in which they came.
    return f"CREATE VIEW events AS {archived} UNION ALL SELECT * FROM recent"  # noqa: S608 all is ours


def _messages(exc: InvalidInput) -> tuple[str, list[str]]:
    first, *further = [problem.message for problem in exc.problems]
    return first, further


def _told(exc: Exception) -> str:
    message = str(exc).strip()
    if isinstance(exc, duckdb.InternalException | duckdb.FatalException):
        # What follows are places in its own code.
        return message.partition("\n")[0]
    written = written_name(message)
    # The place is one of the SQL that paths are typed in, then.
    return message if written == message else written.partition("\n\nLINE ")[0]


def _cut(refusal: Refusal) -> Refusal:
    told = [refusal.message, *refusal.further]
    first, *further = [
        one if len(one) <= _MAX_TOLD else f"{one[:_MAX_TOLD]}…" for one in told[:_MAX_PROBLEMS]
    ]
    return Refusal(first, further)


def answer_parts(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer parts until there are none."""
    session = Session()
    answer_frames(source, sink, lambda part: write_message(session.reply(read_part(part))))


def end_without(parent: int) -> None:
    """End this process when another one is its parent than that which began it."""

    never = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            never.wait(_WATCHED_S)
        os._exit(1)

    threading.Thread(target=watch, name="watch the parent", daemon=True).start()


if __name__ == "__main__":
    end_without(os.getppid())
    answer_parts(sys.stdin.buffer, sys.stdout.buffer)
