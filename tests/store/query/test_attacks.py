"""
What a query may see and do, against those who want more.

Nearly all attacks are read before they are run, and refused; what is left wants memory or time, and
has what it is given. `MAY_BE_SEEN` is all that a query learns of anything but events.
"""

import json
from pathlib import Path

import duckdb
import pytest

from oncue.store.query.messages import Answer, Refusal
from oncue.store.query.pool import Bounds
from oncue.store.query.reach import REFUSED_FUNCTIONS, TABLE_FUNCTIONS
from tests.store.query.asking import ENDLESS, ask_all, ask_pool

FILES = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM read_text('/proc/self/cmdline')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM read_ndjson('../**')",
    "SELECT * FROM read_duckdb('/tmp/x.db')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'file:///etc/passwd'",
    "FROM glob('/**')",
    "FROM glob('0.parquet')",
    "SELECT * FROM read_parquet('0.parquet')",
    "SELECT * FROM parquet_scan('0.parquet', filename = true)",
    "SELECT * FROM parquet_metadata('0.parquet')",
    "SELECT * FROM parquet_kv_metadata('0.parquet')",
    'SELECT * FROM "0.parquet"',
    "SELECT (SELECT max(content) FROM read_text('/etc/passwd'))",
    "SELECT * FROM events WHERE id IN (FROM glob('*'))",
    "WITH x AS (SELECT * FROM glob('*')) SELECT * FROM x",
    "DESCRIBE '/etc/passwd'",
    "SUMMARIZE '0.parquet'",
    "SELECT * FROM (PIVOT read_csv('/etc/passwd') ON column0 IN ('x'))",
]


NETWORK = [
    "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    "SELECT * FROM 's3://bucket/x.csv'",
    "SELECT * FROM http_get('https://example.com')",
    "SELECT * FROM which_secret('s3://bucket', 's3')",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CREATE SECRET (TYPE s3)",
]


STATEMENTS = [
    "COPY events TO 'stolen.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "EXPLAIN ANALYZE COPY events TO 'stolen.csv'",
    "EXPLAIN SELECT * FROM events",
    "EXPORT DATABASE 'stolen'",
    "IMPORT DATABASE 'stolen'",
    "ATTACH 'x.db'",
    "ATTACH ':memory:' AS x",
    "DETACH memory",
    "USE system",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "SET memory_limit = '100GB'",
    "SET GLOBAL lock_configuration = false",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "DELETE FROM recent",
    "INSERT INTO recent (id) VALUES ('x')",
    "UPDATE recent SET id = 'x'",
    "DROP VIEW events",
    "CREATE TABLE x AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "CREATE SEQUENCE s",
    "CALL pragma_version()",
    "CALL enable_logging()",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    "PIVOT events ON type USING count(*)",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY events TO 'stolen.csv'",
    "SELECT 1; --\nDELETE FROM recent",
    "",
    ";",
]


INSIDE = [
    "SELECT current_setting('allowed_paths')",
    "SELECT system.main.CURRENT_SETTING('allowed_paths')",
    "SELECT 'allowed_paths'.current_setting()",
    "SELECT list_transform(['allowed_paths'], lambda x: current_setting(x))",
    "SELECT * FROM events ORDER BY current_setting('allowed_paths')",
    "SHOW allowed_paths",
    "SHOW ALL TABLES",
    "FROM (SHOW DATABASES)",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM pg_settings",
    "SELECT * FROM pg_catalog.pg_settings",
    "SELECT * FROM pg_settings, (WITH pg_settings AS (SELECT 1) FROM pg_settings)",
    "WITH a AS (FROM pg_settings), pg_settings AS (SELECT 1) FROM a",
    "WITH pg_settings AS (FROM pg_settings) FROM pg_settings",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM duckdb_views",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_logs()",
    "SELECT * FROM duckdb_memory()",
    "SELECT pg_get_viewdef(1)",
    "SELECT getenv('PATH')",
    "SELECT * FROM recent",
    "SELECT * FROM memory.main.recent",
    "WITH recent AS (FROM recent) FROM recent",
    "SELECT * FROM query('SELECT current_setting(''allowed_paths'')')",
    "SELECT * FROM query_table('pg_settings')",
    "SELECT * FROM pg_settings MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS TRUE)",
    "SELECT * FROM events MATCH_RECOGNIZE (ORDER BY time MEASURES current_setting('x') AS x "
    "PATTERN (A) DEFINE A AS TRUE)",
    "SELECT * FROM (SELECT *, current_setting('allowed_paths') AS p FROM events) "
    "MATCH_RECOGNIZE (ORDER BY time MEASURES A.p AS p PATTERN (A) DEFINE A AS TRUE)",
    "SELECT current_setting('allowed_paths') FROM events MATCH_RECOGNIZE "
    "(ORDER BY time MEASURES A.id AS id PATTERN (A) DEFINE A AS TRUE)",
    "SELECT m.*, r.* FROM match_recognize_rows r, events MATCH_RECOGNIZE "
    "(ORDER BY time MEASURES A.id AS id PATTERN (A) DEFINE A AS TRUE) m",
    "SELECT * FROM TABLE(TUMBLE(TABLE pg_settings, DESCRIPTOR(time), INTERVAL '1' HOUR))",
    "SELECT * FROM histogram('pg_settings', name)",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM glob(''*'')'))",
    "SELECT json_serialize_plan('SELECT current_setting(''allowed_paths'')', optimize := true)",
    "SELECT * FROM from_substrait('x')",
    "SELECT * FROM sql_auto_complete('SEL')",
    "SELECT * FROM pandas_scan(123)",
    "SELECT * FROM arrow_scan(1, 2, 3)",
]


EFFECTS = [
    "SELECT nextval('s')",
    "SELECT setseed(0.5)",
    "SELECT write_log('x')",
    "SELECT sleep_ms(60000)",
    "SELECT pg_sleep(60)",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM force_checkpoint()",
    "SELECT * FROM truncate_duckdb_logs()",
    "SELECT * FROM enable_profiling()",
    "SELECT * FROM create_external_resource('x')",
]


MAY_BE_SEEN = {
    "SELECT version() LIKE 'v%'": [[True]],
    "SELECT current_user, current_database(), current_schema()": [["duckdb", "memory", "main"]],
    "SELECT current_query()": [["SELECT current_query()"]],
    "SELECT DISTINCT column_name FROM (DESCRIBE events) WHERE column_name < 'f'": [
        ["data"],
        ["extensions"],
    ],
    "SELECT count(*) FROM (SUMMARIZE events)": [[9]],
    "SELECT count(*), count(DISTINCT id) FROM events": [[3, 3]],
    "WITH e AS (FROM events) SELECT count(*) FROM e, unnest(range(2))": [[6]],
    "SELECT * FROM (PIVOT (SELECT type FROM events) ON type IN ('order.paid'))": [[3]],
    "SELECT count(*) FROM memory.main.events": [[3]],
    "SELECT count(*) FROM events MATCH_RECOGNIZE "
    "(ORDER BY time MEASURES A.id AS id PATTERN (A) DEFINE A AS TRUE)": [[3]],
    "SELECT DISTINCT function_type FROM duckdb_functions() WHERE function_name = 'sum'": [
        ["aggregate"]
    ],
    "SELECT DISTINCT keyword_category FROM duckdb_keywords() WHERE keyword_name = 'select'": [
        ["reserved"]
    ],
    "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'events'": [[9]],
}


TOLD = ("duckdb_columns", "duckdb_functions", "duckdb_keywords")


# Chance, the clock, numbers of this process, and the query itself.
HARMLESS = {
    *("current_connection_id", "current_query_id", "current_transaction_id", "current_query"),
    *("error", "gen_random_uuid", "random", "uuid", "uuidv4", "uuidv7", "vector_type"),
}


WANTS_MEMORY = [
    "SELECT repeat('x', 4000000000)",
    "SELECT list(range(10000000)) FROM range(100)",
    "SELECT string_split(repeat('a,', 500000000), ',')",
    "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
    "SELECT repeat('x', 1000000) FROM range(1000)",
    "SELECT printf('%2000000000d', 1)",
    "SELECT list_reduce(range(100000000), lambda x, y: x + y)",
    "SELECT map_from_entries(list_transform(range(10000000), lambda x: {'k': x, 'v': x}))",
    "SELECT array_agg(repeat('x', 1000)) OVER () FROM range(1000000)",
    "WITH RECURSIVE t AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM t) SELECT max(s) FROM t",
]


WANTS_TIME = [
    ENDLESS,
    "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b",
    "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
    "WITH "
    + ", ".join(
        f"c{n} AS (SELECT * FROM c{n - 1} UNION ALL SELECT * FROM c{n - 1})"
        if n
        else "c0 AS (SELECT 1 AS x)"
        for n in range(30)
    )
    + " SELECT sum(x) FROM c29",
]


DEEP = {
    "parentheses": "SELECT {}1{}".format("(" * 20_000, ")" * 20_000),
    "parentheses that are looked through": "SELECT {}1{}".format("(" * 900, ")" * 900),
    "subqueries": "SELECT * FROM {}events{}".format("(SELECT * FROM " * 900, ")" * 900),
    "functions of paths": "SELECT {}data.n{} FROM events".format("abs(" * 400, ")" * 400),
    "sums": "SELECT " + "+".join(["1"] * 20_000),
    "cases": "SELECT {}1{}".format("CASE WHEN true THEN " * 3_000, " END" * 3_000),
    "lists": "SELECT {}1{}".format("[" * 250, "]" * 250),
    "conditions on paths": "SELECT 1 FROM events WHERE " + " AND ".join(["data.n = 1"] * 500),
    "paths in one column": "SELECT " + " AND ".join(["data.n = 1"] * 200) + " FROM events",
    "documents": "SELECT (repeat('[', 100000) || repeat(']', 100000))::JSON",
    "patterns": "SELECT regexp_matches(repeat('a', 1000000), '(a*)*b')",
}


@pytest.mark.parametrize(
    "attacks",
    [FILES, NETWORK, STATEMENTS, INSIDE, EFFECTS],
    ids=["files", "network", "statements", "inside", "effects"],
)
def test_what_reaches_for_more_than_events_is_refused(tmp_path: Path, attacks: list[str]) -> None:
    *replies, after = ask_all(tmp_path, *attacks, "SELECT count(*) FROM events")

    answered = [
        sql
        for sql, reply in zip(attacks, replies, strict=True)
        if not isinstance(reply, Refusal) or str(tmp_path) in reply.message
    ]
    assert answered == []
    assert isinstance(after, Answer)
    assert after.body == b"[[3]]"
    assert not [*tmp_path.rglob("stolen*")]


def test_what_a_query_may_see_beside_events_is_told_here(tmp_path: Path) -> None:
    replies = ask_all(tmp_path, *MAY_BE_SEEN)

    seen = {
        sql: json.loads(reply.body) if isinstance(reply, Answer) else reply
        for sql, reply in zip(MAY_BE_SEEN, replies, strict=True)
    }
    assert seen == MAY_BE_SEEN


def test_what_duckdb_tells_of_itself_has_no_paths(tmp_path: Path) -> None:
    telling = f"count(*) FILTER (contains(t::VARCHAR, '{tmp_path.parent}'))"
    told = [f"SELECT {telling}, count(*) > 50 FROM {name}() t" for name in TOLD]

    replies = ask_all(tmp_path, *told)

    assert [reply.body for reply in replies if isinstance(reply, Answer)] == [b"[[0,true]]"] * 3


def test_no_function_of_this_duckdb_gives_rows_of_anything_else(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            "WHERE function_type IN ('table', 'table_macro', 'pragma')"
        ).fetchall()
    names = sorted({name for (name,) in found} - TABLE_FUNCTIONS)

    replies = ask_all(tmp_path, *[f"""SELECT * FROM "{name}"('x')""" for name in names])

    assert len(names) > 80
    assert [reply for reply in replies if not isinstance(reply, Refusal)] == []
    assert {("expected the table events" in str(reply)) for reply in replies} == {True}


def test_every_function_whose_value_is_not_of_its_arguments_alone_is_known() -> None:
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            "WHERE function_type = 'scalar' AND (has_side_effects OR stability = 'VOLATILE')"
        ).fetchall()

    assert {name for (name,) in found} - REFUSED_FUNCTIONS == HARMLESS


@pytest.mark.parametrize("sql", WANTS_MEMORY)
def test_what_wants_too_much_memory_is_told_so(tmp_path: Path, sql: str) -> None:
    told, after = ask_pool(tmp_path, Bounds(60_000, 128, 1 << 20), sql, "SELECT 1")

    assert told.startswith(("over memory: ", "over size: ")), told
    assert after == "[[1]]"


def test_what_wants_too_much_time_is_killed(tmp_path: Path) -> None:
    told = ask_pool(tmp_path, Bounds(700, 512, 1 << 20), *WANTS_TIME)

    assert {words.partition(":")[0] for words in told} <= {"over time", "over memory"}
    assert told[0] == "over time: no answer within 700 ms"


@pytest.mark.parametrize("sql", DEEP.values(), ids=DEEP)
def test_what_is_nested_deeply_is_answered_or_refused(tmp_path: Path, sql: str) -> None:
    (reply,) = ask_all(tmp_path, sql)

    assert isinstance(reply, Answer | Refusal)


def test_an_error_as_long_as_one_likes_is_cut(tmp_path: Path) -> None:
    queries = [
        "SELECT error(repeat('x', 10000000))",
        f"SELECT {'x' * 90_000}",
        f"FROM {'x' * 9_000}",
    ]

    replies = ask_all(tmp_path, *queries)

    assert all(isinstance(reply, Refusal) for reply in replies)
    assert max(len(str(reply)) for reply in replies) < 3_000


def test_the_columns_of_an_answer_are_bounded_as_its_rows_are(tmp_path: Path) -> None:
    wide = "SELECT " + ", ".join(f"1 AS {'x' * 900}{n}" for n in range(100))

    (told,) = ask_pool(tmp_path, Bounds(60_000, 512, 4_096), wide)

    assert told == "over size: expected at most 4096 bytes of rows, got more"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT INTERVAL '100000000 years'", "expected values that can be written"),
        ('SELECT \'{"a": NaN, "b": 1e999}\'::JSON', '[[{"a":null,"b":null}]]'),
        ("SELECT * FROM evnts", "expected the table events, got 'evnts'; did you mean 'events'?"),
        (
            "SELECT 'ä',\n count(*) FROM évents",
            "LINE 2:  count(*) FROM évents\n                       ^",
        ),
        ("FROM unest([1])", "got unest(); did you mean 'unnest'?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, sql: str, words: str) -> None:
    (reply,) = ask_all(tmp_path, sql)

    told = reply.body.decode() if isinstance(reply, Answer) else str(reply.message)  # type: ignore[union-attr]
    assert words in told
