"""What a run of the automaton gives: matches, and partial matches whose time was over."""

from typing import NamedTuple

from oncue.core.pattern.nfa.partial import Taken, events_of


class Completion(NamedTuple):
    """
    A match, or with `is_timeout` a partial match whose time was over.

    `is_absent`: a clock completed it, since nothing came that was forbidden.
    """

    taken: Taken | None
    start: int
    start_ms: int
    at_ms: int
    is_absent: bool = False
    is_timeout: bool = False


def best(candidates: list[Completion]) -> Completion:
    """Return the match with most events; of several, the one whose events came earliest."""
    if len(candidates) == 1:
        return candidates[0]
    return min(candidates, key=_rank)


def _rank(completion: Completion) -> tuple[int, list[int]]:
    turns = [each.turn for each in events_of(completion.taken)]
    return -len(turns), turns
