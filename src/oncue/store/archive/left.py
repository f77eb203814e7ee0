"""Files of the archive that do not count: unfinished, too old, or merged into another."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from oncue.core.errors import Overloaded
from oncue.store.archive.bucket import BucketPlace
from oncue.store.archive.files import ArchivedFile
from oncue.store.archive.index import ArchiveIndex, Left
from oncue.store.archive.places import FolderPlace


class LeftFiles:
    """What is to be deleted, once nobody reads it."""

    def __init__(self, place: FolderPlace | BucketPlace, index: ArchiveIndex) -> None:
        self._place = place
        self._index = index
        self._files = {left.name: left for left in index.left_behind()}
        self._held: Counter[str] = Counter()

    @contextmanager
    def held(self, names: Iterable[str]) -> Iterator[None]:
        """Keep files from being deleted until the block ends, whether they count or not."""
        held = list(names)
        self._held.update(held)
        try:
            yield
        finally:
            self._held -= Counter(held)

    def put(self, left: Left) -> None:
        """Take note of a file that does not count."""
        self._files[left.name] = left

    def remove(self, name: str) -> None:
        """Take note that a file counts."""
        del self._files[name]

    def free_name(self, files: Sequence[ArchivedFile], account: str, first: int) -> str:
        """Return a name that no file has, whether it counts or not."""
        taken = {file.name for file in files} | self._files.keys()
        names = (f"{account}/{first:016}-{attempt}.parquet" for attempt in count(1))
        return next(name for name in names if name not in taken)

    async def clean_up(self, before_ms: int, now_ms: int) -> None:
        """Delete what may be deleted now, or arrived before an instant, and is read by nobody."""
        for left in list(self._files.values()):
            is_due = left.until_ms <= now_ms or left.arrived_ms < before_ms
            if is_due and not self._held[left.name]:
                try:
                    await self._place.delete(left.name)
                except Overloaded:
                    # The next time, then: whoever wants to write meets the same, and tells it.
                    return
                await self._index.forget(left.account, left.name)
                del self._files[left.name]
