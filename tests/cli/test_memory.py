"""What is loaded at the start is not looked at again and again."""

import gc

from cli.server import GC_THRESHOLDS, settle_memory


def test_what_is_loaded_is_left_alone_from_then_on() -> None:
    """Frozen, and the collector looks less often at the rest."""
    before = gc.get_threshold()
    try:
        settle_memory()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == GC_THRESHOLDS
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
