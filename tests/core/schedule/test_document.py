"""Schedules as users write them."""

from typing import Any

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.schedule.document import parse_schedule
from oncue.core.schedule.firing import Misfire


def test_what_is_not_said() -> None:
    parsed = parse_schedule({"name": "nightly", "every": "90s"}).definition

    assert (parsed.every, parsed.time_zone, parsed.data) == (90_000, None, {})
    assert (parsed.misfire, parsed.enabled) == (Misfire.FIRE_ONCE, True)


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        pytest.param(
            {"name": "Nightly", "cron": "0 25 * * *", "time_zone": "Europe/Berln", "misfire": "all"},
            {
                "name": "expected a name of at most 63 lower-case letters, digits and '-', "
                "got 'Nightly'",
                "cron": "expected an hour from 0 to 23, got '25' in '0 25 * * *'",
                "time_zone": "expected a time zone such as 'Europe/Berlin', got 'Europe/Berln'; "
                "did you mean 'Europe/Berlin'?",
                "misfire": "expected 'skip', 'fire_once' or 'fire_all', got 'all'",
            },
            id="all problems at once",
        ),
        pytest.param(
            {"name": "nightly"},
            {"": "expected either 'cron' or 'every', got none"},
            id="no rhythm",
        ),
        pytest.param(
            {"name": "nightly", "cron": "* * * * *", "every": "1m"},
            {"": "expected either 'cron' or 'every', got both"},
            id="two rhythms",
        ),
        pytest.param(
            {"name": "nightly", "every": "500ms"},
            {"every": "expected a duration of at least '1s', got '500ms'"},
            id="too often",
        ),
        pytest.param(
            {"name": "nightly", "every": "1m", "data": {"schedule": 1}},
            {"data": "expected no member 'schedule': the event tells of the schedule there"},
            id="a member that is ours",
        ),
        pytest.param(
            {"name": "nightly", "every": "1m", "data": {"x": "y" * 65_536}},
            {"data": "expected at most 65536 bytes of JSON, got 65544"},
            id="too much data",
        ),
        pytest.param(
            {"name": "nightly", "evry": "1m"},
            {"evry": "expected no such field, got 'evry'; did you mean 'every'?"},
            id="a name that is not known",
        ),
        pytest.param([], {"": "expected an object, got []"}, id="no object"),
    ],
)  # fmt: skip
def test_what_is_no_schedule(document: Any, problems: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_schedule(document)

    assert {problem.path: problem.message for problem in caught.value.problems} == problems
