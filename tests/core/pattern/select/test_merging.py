"""A SELECT that only chooses and names, inside of one that groups or frames."""

import pytest

from tests.core.pattern.select.test_select import problems, rows, sale

NAMED = "(SELECT time, data.shop AS shop, data.amount AS amount, data AS d FROM events WHERE type = 'sale')"
WINDOW = "TUMBLE(time, INTERVAL '10' SECOND)"
EVENTS = [sale(n, "ab"[n % 2], n, "sale" if n % 5 else "return") for n in range(25)]


@pytest.mark.parametrize(
    ("named", "written_out"),
    [
        pytest.param(
            f"SELECT shop, SUM(amount) AS total FROM {NAMED} GROUP BY shop, {WINDOW}",
            f"SELECT data.shop AS shop, SUM(data.amount) AS total FROM events WHERE type = 'sale'"
            f" GROUP BY data.shop, {WINDOW}",
            id="groups",
        ),
        pytest.param(
            f"SELECT shop, COUNT(*) FROM {NAMED} GROUP BY shop, {WINDOW}",
            f"SELECT data.shop AS shop, COUNT(*) FROM events WHERE type = 'sale'"
            f" GROUP BY data.shop, {WINDOW}",
            id="counts without a name",
        ),
        pytest.param(
            f"SELECT v.shop AS s, COUNT(*) AS n FROM {NAMED} AS v WHERE v.d.amount > 3 AND amount < 9"
            f" GROUP BY s, {WINDOW} HAVING MAX(amount) > 5",
            f"SELECT data.shop AS s, COUNT(*) AS n FROM events WHERE type = 'sale' AND data.amount > 3"
            f" AND data.amount < 9 GROUP BY data.shop, {WINDOW} HAVING MAX(data.amount) > 5",
            id="conditions, a document and a name",
        ),
        pytest.param(
            f"SELECT shop, n FROM (SELECT shop, COUNT(*) AS n FROM (SELECT shop, time FROM {NAMED})"
            f" GROUP BY shop, {WINDOW}) WHERE n > 3",
            f"SELECT shop, n FROM (SELECT data.shop AS shop, COUNT(*) AS n FROM events"
            f" WHERE type = 'sale' GROUP BY data.shop, {WINDOW}) WHERE n > 3",
            id="several, and one around",
        ),
        pytest.param(
            "SELECT window_start, k, COUNT(*) AS n FROM (SELECT *, data.shop || '!' AS k FROM TABLE(TUMBLE("
            "TABLE events, DESCRIPTOR(time), INTERVAL '10' SECOND))) GROUP BY window_start, window_end, k",
            "SELECT window_start, data.shop || '!' AS k, COUNT(*) AS n FROM TABLE(TUMBLE("
            "TABLE events, DESCRIPTOR(time), INTERVAL '10' SECOND))"
            " GROUP BY window_start, window_end, data.shop || '!'",
            id="all columns and the bounds of windows",
        ),
        pytest.param(
            f"SELECT shop, SUM(amount) OVER (PARTITION BY shop ORDER BY time ROWS 2 PRECEDING) AS s FROM {NAMED}",
            "SELECT data.shop AS shop, SUM(data.amount) OVER (PARTITION BY data.shop ORDER BY time"
            " ROWS 2 PRECEDING) AS s FROM events WHERE type = 'sale'",
            id="frames",
        ),
    ],
)
def test_names_are_what_they_stand_for(named: str, written_out: str) -> None:
    found = rows(named, EVENTS)

    assert found == rows(written_out, EVENTS)
    assert len(found) > 1


def test_what_is_not_named_inside_cannot_be_used() -> None:
    [(path, message)] = problems(
        f"SELECT COUNT(*) AS n FROM {NAMED} WHERE amuont > 3 GROUP BY {WINDOW}"
    )

    assert path == "pattern.query"
    assert message.startswith(
        "line 1, column 132: expected one of the columns time, shop, amount, d of"
    )
    assert message.endswith("got 'amuont'; did you mean 'amount'?")
