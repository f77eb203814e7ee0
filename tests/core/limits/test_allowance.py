"""Rate-limit headers, as vendors send them."""

import pytest

from oncue.core.limits.allowance import Allowance, allowances

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(
            {"ratelimit": '"default";r=50;t=30'}, [Allowance(50, NOW_MS + 30_000)], id="draft 10"
        ),
        pytest.param(
            {"ratelimit": '"day";r=900;t=3600, "second";r=0;t=1'},
            [Allowance(900, NOW_MS + 3_600_000), Allowance(0, NOW_MS + 1_000)],
            id="several policies",
        ),
        pytest.param(
            {"ratelimit-limit": "2", "ratelimit-remaining": "1", "ratelimit-reset": "1"},
            [Allowance(1, NOW_MS + 1_000)],
            id="Resend",
        ),
        pytest.param(
            {"x-ratelimit-remaining": "4", "x-ratelimit-reset": "1800000060"},
            [Allowance(4, 1_800_000_060_000)],
            id="GitHub: an instant in seconds",
        ),
        pytest.param(
            {"x-ratelimit-requests-remaining": "9", "x-ratelimit-requests-reset": "1800000009000"},
            [Allowance(9, 1_800_000_009_000)],
            id="Linear: an instant in milliseconds",
        ),
        pytest.param(
            {
                "x-hubspot-ratelimit-max": "100",
                "x-hubspot-ratelimit-remaining": "3",
                "x-hubspot-ratelimit-interval-milliseconds": "10000",
            },
            [Allowance(3, NOW_MS + 10_000)],
            id="HubSpot: the length of the window",
        ),
        pytest.param(
            {"x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "6m0.5s"},
            [Allowance(59, NOW_MS + 360_500)],
            id="OpenAI: a duration",
        ),
        pytest.param({"x-ratelimit-remaining": "4"}, [], id="no end"),
        pytest.param({"x-ratelimit-remaining": "-1", "x-ratelimit-reset": "5"}, [], id="negative"),
        pytest.param({"x-ratelimit-remaining": "x", "x-ratelimit-reset": "5"}, [], id="no number"),
        pytest.param({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "soon"}, [], id="no time"),
        pytest.param({}, [], id="nothing"),
    ],
)
def test_what_an_answer_tells(headers: dict[str, str], expected: list[Allowance]) -> None:
    assert list(allowances(headers, NOW_MS)) == expected
