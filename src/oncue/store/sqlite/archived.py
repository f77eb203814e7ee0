"""What goes from the log into the archive, and what becomes of it there."""

from oncue.ports import Archived, Clock
from oncue.store.archive.merging import Ripe, next_to_merge
from oncue.store.sqlite.segments import Segments

_DAY_MS = 86_400_000


class LogArchive:
    """
    The archive of a log. Files are merged that arrived within `span_ms`.

    What came within the last day is left as it is: so no log that a backup holds ends
    within a merged file.
    """

    def __init__(self, segments: Segments, clock: Clock, span_ms: int) -> None:
        self._segments = segments
        self._clock = clock
        self._span_ms = span_ms
        self._unmerged: list[str] | None = None

    async def archive_due(self) -> int:
        """
        Archive a stretch of each account that has one, and return of how many accounts.

        Raises:
            Overloaded: it takes nothing now.
        """
        return await self._segments.archive_due()

    async def merge_next(self) -> bool:
        """
        Make one file of several small ones; return false once all accounts were looked at.

        Raises:
            Overloaded: it takes nothing now.
        """
        archive, now_ms = self._segments.archive, self._clock.now_ms()
        if self._unmerged is None:
            self._unmerged = archive.accounts()
        while self._unmerged:
            # Where that fails, others have their turn before this one is tried again.
            account = self._unmerged.pop()
            ripe = Ripe(now_ms - _DAY_MS, self._span_ms)
            if files := next_to_merge(archive.files(account), ripe):
                await archive.merge(account, files, now_ms)
                self._unmerged.append(account)
                return True
        self._unmerged = None
        return False

    async def rest(self) -> None:
        """Let go of what it takes to write, for there is nothing to be written."""
        await self._segments.archive.writer.rest()

    def archived(self, account: str | None = None) -> Archived:
        """Return what it holds of an account, without one of all."""
        heads = self._segments.appender.heads()
        known = heads if account is None else [account]
        files = [file for one in known for file in self._segments.archive.files(one)]
        due = [self._segments.due(one, heads.get(one, 0)) for one in known]
        return Archived(
            files=len(files),
            size=sum(file.size for file in files),
            events=sum(file.events for file in files),
            newest_ms=max((file.wanted.arrivals[1] for file in files), default=None),
            waiting=sum(upto - after for after, upto in due),
            missing=sum(self._segments.archive.missing[one] for one in known),
        )
