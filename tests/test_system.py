"""What only the machine can give."""

import gc

from oncue.system import settle_memory


def test_what_is_alive_when_memory_settles_is_not_looked_through_again() -> None:
    threshold = gc.get_threshold()
    try:
        settle_memory()

        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects(generation=2)) < 1_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
