"""Which dead letters a filter means, as SQL."""

from collections.abc import Sequence

from oncue.ports import LetterFilter


def meant(wanted: LetterFilter) -> tuple[str, Sequence[int | str]]:
    """Return the clauses of a filter, and their values."""
    clauses: list[str] = []
    values: list[int | str] = []
    for clause, value in (
        ("queue = ?", wanted.queue),
        ("state = ?", wanted.state),
        ("queue = 'workflows' AND ? IN (origin, origin_id)", wanted.workflow),
        ("queue = 'events' AND ? IN (origin, origin_id)", wanted.pattern),
        ("fingerprint = ?", wanted.fingerprint),
        ("created_at >= ?", wanted.from_ms),
        ("created_at < ?", wanted.to_ms),
    ):
        if value is not None:
            clauses.append(f" AND {clause}")
            values.append(value)
    return "".join(clauses), values
