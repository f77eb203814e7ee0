"""
Which event serves which step, where their order does not matter: a maximum matching.

    steps   1   2   3            an event serves one step, a step takes one event;
            │╲  │   │            of the ways to serve most steps, the earliest steps
    events  a   b   c            are served, each by the earliest event that lets
                                 all others be served as well
"""

from collections.abc import Sequence


def assign(events: Sequence[int], steps: int) -> dict[int, int]:
    """
    Return the places of events by step, the most steps served; events are sets of bits.

    >>> assign([0b001, 0b011, 0b100], steps=3)
    {0: 0, 1: 1, 2: 2}
    """
    usable = _usable(events, steps)
    served: dict[int, int] = {}
    for step in range(steps):
        _serve(step, events, usable, served)
    for step in sorted(served):
        _prefer_earliest(step, events, usable, served)
    return dict(sorted(served.items()))


def _usable(events: Sequence[int], steps: int) -> list[int]:
    """Return the places that matter: of equal events, as many of the earliest as there are steps."""
    seen: dict[int, int] = {}
    places: list[int] = []
    for place, bits in enumerate(events):
        count = seen[bits] = seen.get(bits, 0) + 1
        if bits and count <= steps:
            places.append(place)
    return places


def _serve(step: int, events: Sequence[int], usable: Sequence[int], served: dict[int, int]) -> bool:
    """Serve one step more, if need be by moving others to other events (an augmenting path)."""
    holder = {place: other for other, place in served.items()}
    tried: set[int] = set()

    def search(wanting: int) -> bool:
        for place in usable:
            if place in tried or not events[place] >> wanting & 1:
                continue
            tried.add(place)
            if place not in holder or search(holder[place]):
                served[wanting] = place
                return True
        return False

    return search(step)


def _prefer_earliest(
    step: int, events: Sequence[int], usable: Sequence[int], served: dict[int, int]
) -> None:
    """Give a step the earliest event with which the later steps are still served."""
    settled = {other: place for other, place in served.items() if other < step}
    later = [other for other in served if other > step]
    for place in usable:
        if place == served[step]:
            return
        if place in settled.values() or not events[place] >> step & 1:
            continue
        trial = {**settled, step: place}
        rest = [each for each in usable if each not in trial.values()]
        found: dict[int, int] = {}
        if all(_serve(other, events, rest, found) for other in later):
            served.clear()
            served.update({**trial, **found})
            return
