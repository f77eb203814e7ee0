"""How much is begun in one turn of the event loop, so that whoever comes meanwhile is not held up."""

import asyncio
from collections.abc import Callable


class Pace:
    """So many steps in a turn of the loop; `go_on` is called in the next, if any was taken."""

    def __init__(self, steps: int, go_on: Callable[[], None]) -> None:
        self._steps = steps
        self._left = steps
        self._go_on = go_on

    @property
    def has_room(self) -> bool:
        """Whether one more step fits into this turn."""
        return self._left > 0

    def step(self) -> None:
        """Take one."""
        if self._left == self._steps:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._left -= 1

    def _next_turn(self) -> None:
        self._left = self._steps
        self._go_on()
