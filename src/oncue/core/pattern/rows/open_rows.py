"""
How far matches are decided: none to come has its last row before the floor.

    rows of a key      · · a b b b · ·        floor: the last row of what is the best so far,
                           └───┘              and of what would be found if nothing came of it
"""

from oncue.core.pattern.deadlines import Deadlines
from oncue.core.pattern.kinds.shared import Limits
from oncue.core.pattern.rows.operator import RowOperator, RowPlan
from oncue.core.pattern.rows.partition import Partition
from oncue.core.pattern.rows.searcher import Search, Searcher
from oncue.core.sql.row_pattern.clause import SkipTo


class OpenRows(RowOperator):
    """A row pattern that knows before which instant no match can be decided any more."""

    def __init__(self, plan: RowPlan, limits: Limits) -> None:
        super().__init__(plan, limits)
        self._floors = Deadlines()

    @property
    def floor_ms(self) -> int | None:
        """No match of the rows that are there is before it; None: they make none."""
        return self._floors.earliest()

    def expire(self, watermark_ms: int) -> None:
        """Forget the keys whose last row is too long ago."""
        self._forget_expired(watermark_ms)

    def restored(self) -> None:
        """Make what is derived from the states; what is open is searched anew, to know its floor."""
        super().restored()
        for key, partition in self._keys.items():
            if not partition.is_resumed:
                Searcher(self._search, partition, self.counts).resume()
            self._floors.set(key, _floor_ms(self._search, partition))

    def _remember(
        self, key: str, state: Partition, due_ms: int | None, used_ms: int | None
    ) -> None:
        self._floors.set(key, _floor_ms(self._search, state))
        super()._remember(key, state, due_ms, used_ms)

    def _forget(self, key: str) -> None:
        super()._forget(key)
        self._floors.set(key, None)


def _floor_ms(search: Search, partition: Partition) -> int | None:
    """
    Return a time before which no match that is yet to be decided can have its last row.

    None says that this takes rows that are yet to come.
    """
    attempt = partition.attempt
    if attempt is None:
        return None
    lasts = [attempt.next_at]
    best_at = attempt.best_at
    if best_at is not None:
        lasts.append(best_at)
    if best_at is None or search.skip is not SkipTo.PAST_LAST_ROW:
        # Where it begins at a later row, it ends there if it is as short as can be.
        lasts.append(attempt.start + search.least)
    return partition.earliest_from(min(lasts))
