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
    gc.unfreeze()  # what the tests have loaded
    try:
        freeze_memory()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == GC_THRESHOLDS
    finally:
        gc.freeze()  # and it is left alone again: to look at it for each test of leaks would take long
        gc.set_threshold(*before)


FREES = """
import psutil
import cage
cage.return_large_blocks()
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


RETURNS = """
import asyncio, psutil
import cage
from cli import memory
cage.return_large_blocks()
rss = lambda: psutil.Process().memory_info().rss // 2**20

async def main():
    before = rss()
    freed = [bytes(60_000) for _ in range(2000)]
    kept = freed[::50]
    del freed
    held = rss()
    trimmer = memory.Trimmer(0.01)
    while rss() > before + 10:
        await asyncio.sleep(0.01)
    trimmer.stop()
    print(before + 60 < held, len(kept))

asyncio.run(asyncio.wait_for(main(), 20))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that keeps them")
def test_small_blocks_are_given_back() -> None:
    """120 MB of them, of which some live on."""
    said = subprocess.check_output([sys.executable, "-c", RETURNS], cwd=Path(__file__).parents[2])
    assert said.split() == [b"True", b"40"]
