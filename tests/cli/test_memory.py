"""What is loaded at the start is not looked at again and again."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from cli.memory import GC_THRESHOLDS, freeze_memory


def test_what_is_loaded_is_left_alone_from_then_on() -> None:
    """Frozen, and the collector looks less often at the rest."""
    before = gc.get_threshold()
    try:
        freeze_memory()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == GC_THRESHOLDS
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


FREES = """
import psutil
from cli import memory
memory.return_large_blocks()
rss = lambda: psutil.Process().memory_info().rss
bytes(30_000_000)
before, large, small = rss(), [], []
for number in range(300):
    large.append(b"x" * 500_000)
    small.append(b"x" * 1000)
small += [b"x" * 1000 for _ in range(1000)]
large.clear()
print((rss() - before) // 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that keeps them")
def test_large_blocks_are_given_back() -> None:
    """150 MB of them, between which small ones live on."""
    kept = subprocess.check_output([sys.executable, "-c", FREES], cwd=Path(__file__).parents[2])
    assert int(kept) < 10
