"""What the operators have in common that judge on arrival alone: nothing of them is ever due."""

from collections.abc import Iterator, Sequence

from oncue.core.pattern.operator import Hit, Operator


class EarlyOperator(Operator):
    """An operator whose hits are sure as soon as the event that makes them has come."""

    def advance(self, watermark_ms: int) -> Iterator[Hit]:  # noqa: ARG002 nothing is ever due
        """Yield nothing."""
        return iter(())

    def deadline(self) -> int | None:
        """Return None."""
        return None

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin; without events no limit is reached, so declared keys need nothing."""

    def restored(self) -> None:
        """Derive nothing."""
