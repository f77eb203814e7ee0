"""What its parent sees of a process that answers one question."""

from typing import Final

from oncue.ports.catalog import MAX_QUERY_BYTES
from oncue.store.children import IDLE, Child, TooLongError
from oncue.store.query.messages import Part, Refusal, Reply, read_reply, write_message

# The columns may be as large as the rows are.
_MAX_REPLY_BYTES: Final = 2 * MAX_QUERY_BYTES + (1 << 20)


class QueryChild(Child):
    """A process that answers one question."""

    module = "oncue.store.query.child"
    # With a mere 10, posts waited twice as long while others asked (bench/attacks.py).
    nice = IDLE

    async def ask(self, part: Part) -> Reply:
        """
        Return the reply to one part.

        Raises:
            EndedError: it ended instead.
        """
        try:
            return read_reply(await self.tell(write_message(part), _MAX_REPLY_BYTES))
        except TooLongError:
            return Refusal("over size: the answer is larger than any may be")
