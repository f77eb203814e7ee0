"""Patterns that are statements over the stream: each row is a match."""

from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json

OVER_ROWS: Final[Sequence[Mapping[str, Json]]] = (
    {
        "name": "best-sellers",
        "title": "The three best of each hour",
        "description": "What sold most in an hour, told when it is over; one match for each.",
        "pattern": {
            "type": "sql",
            "query": """SELECT place, product, total
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY total DESC, product) AS place
      FROM (SELECT window_start, window_end, data.product AS product, SUM(data.amount) AS total
            FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '1' HOUR))
            WHERE type = 'order.paid'
            GROUP BY window_start, window_end, data.product))
WHERE place <= 3""",
        },
    },
    {
        "name": "visit-ended",
        "title": "A visit is over",
        "description": "Half an hour after the last page of somebody who saw more than one.",
        "pattern": {
            "type": "sql",
            "query": """SELECT subject AS visitor, COUNT(*) AS pages, MAX(data.price) AS dearest
FROM events
WHERE type = 'page.viewed'
GROUP BY SESSION(time, INTERVAL '30' MINUTE), subject
HAVING COUNT(*) > 1""",
        },
    },
    {
        "name": "unusual-payment",
        "title": "Far above the own mean",
        "description": "A payment of more than three times what the same user paid on average that day.",
        "pattern": {
            "type": "sql",
            "query": """SELECT user, amount, mean
FROM (SELECT subject AS user, data.amount AS amount, AVG(data.amount) OVER (
        PARTITION BY subject ORDER BY time RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) AS mean
      FROM events WHERE type = 'payment.made')
WHERE amount > 3 * mean""",
        },
    },
)
