"""What exists when a server starts is not looked through for garbage while it serves."""

import gc

from api.cli.serving.garbage import exempt_existing_objects


def test_existing_objects_are_exempt_and_later_ones_are_collected() -> None:
    existing = [object]
    try:
        exempt_existing_objects()
        assert gc.get_freeze_count() > 0
        assert not any(found is existing for found in gc.get_objects())
        later: list[object] = []
        later.append(later)
        assert any(found is later for found in gc.get_objects())
        del later
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()
