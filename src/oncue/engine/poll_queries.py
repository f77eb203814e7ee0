"""Which queries there are to ask: each once, however many patterns ask it, and when it is due."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.polled.poll import Occasion, Poll

Place = tuple[str, str]
"""An account, and the name of a query of it."""


@dataclass(slots=True)
class Query:
    """
    A query of an account, and by their ids the patterns that ask it and where their states began.
    Without any of them nobody asks it any more.

    `met` is the last occasion on which it was asked, or was not for good. `again_ms` is when it
    may be asked again, after there was no room for it. `failed_in_row` is None until that matters.
    """

    place: Place
    poll: Poll
    patterns: dict[str, tuple[ActivePattern, int]] = field(default_factory=dict)
    met: Occasion | None = None
    again_ms: int = 0
    failed_in_row: int | None = None

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.place[0]

    @property
    def skips_missed(self) -> bool:
        """Whether no pattern wants to be told late."""
        polls = (pattern.plan.looking.poll for pattern, _ in self.patterns.values())
        return all(poll is not None and poll.skips_missed for poll in polls)

    def occasion(self, now_ms: int) -> Occasion:
        """Return the last reason to ask it: an instant, or a pattern that began since."""
        begin = max(begin for _, begin in self.patterns.values())
        return Occasion(self.poll.tick_ms(now_ms), begin)

    def is_due(self, now_ms: int) -> bool:
        """Return whether it is to be asked now."""
        return self.again_ms <= now_ms and self._is_unmet(self.occasion(now_ms))

    def next_ms(self, now_ms: int) -> int:
        """Return when it is asked next."""
        occasion = self.occasion(now_ms)
        if self._is_unmet(occasion):
            return max(self.again_ms, now_ms)
        return occasion.tick_ms + self.poll.every_ms

    def _is_unmet(self, occasion: Occasion) -> bool:
        # Where the youngest pattern went, the one before it was asked for already.
        return self.met is None or occasion > self.met


class Queries:
    """The queries of all accounts."""

    def __init__(self) -> None:
        self._queries: dict[Place, Query] = {}
        self._asked_by: dict[tuple[str, str], Place] = {}

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())

    def of(self, account: str, pattern_id: str) -> Query | None:
        """Return the query that a pattern asks."""
        place = self._asked_by.get((account, pattern_id))
        return self._queries[place] if place else None

    def put(self, account: str, pattern: ActivePattern, begin: int) -> None:
        """Take note of what a pattern asks from now on, if anything; its state began at `begin`."""
        poll = pattern.plan.looking.poll
        place = (account, poll.name) if poll else None
        if place != self._asked_by.get((account, pattern.id)):
            self.drop(account, pattern.id)
        if poll and place:
            query = self._queries.setdefault(place, Query(place, poll))
            query.patterns[pattern.id] = pattern, begin
            self._asked_by[account, pattern.id] = place

    def drop(self, account: str, pattern_id: str) -> None:
        """Take note that a pattern asks nothing more."""
        query = self.of(account, pattern_id)
        if query is not None:
            del self._asked_by[account, pattern_id]
            del query.patterns[pattern_id]
            if not query.patterns:
                del self._queries[query.place]
