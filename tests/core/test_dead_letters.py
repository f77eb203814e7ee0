"""What errors of one cause have in common."""

import pytest

from oncue.core.dead_letters import fingerprint, normalised


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("no answer within 60000 ms", "no answer within <n> ms"),
        ("user ada@example.com at https://x.y/z?q=1 gone", "user <email> at <url> gone"),
        ("can't reach 10.0.0.1:5432, won't try", "can't reach <address>, won't try"),
        ("::1 refused, fe80::1 too", "<address> refused, <address> too"),
        ("object at 0x7f12ab", "object at <address>"),
        ("exe_019ab01234567 at 2026-01-01T00:00:00.000Z", "<id> at <time>"),
        ("request 4f1c9a2e77b0 lost", "request <id> lost"),
        ("got 'tomorrow' and \"x\"", "got <value> and <value>"),
        ("iteration 3: step 'a': busy", "iteration <n>: step <value>: busy"),
        ("slack answered 503: busy", "slack answered 503: busy"),
        ("a  b\n c", "a b c"),
    ],
)
def test_what_differs_from_case_to_case_is_left_out(error: str, expected: str) -> None:
    assert normalised(error) == expected


def test_a_status_tells_one_cause_from_another() -> None:
    busy, gone = "slack answered 503: x", "slack answered 404: x"

    assert fingerprint(busy) != fingerprint(gone)
    assert fingerprint(f"{busy} 1") == fingerprint(f"{busy} 2")


def test_a_long_text_takes_no_time() -> None:
    assert len(fingerprint("a" * 1_000_000 + "@")) == 16
