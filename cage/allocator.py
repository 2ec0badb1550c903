"""Memory that is freed, and returned to the system: calls of glibc's allocator. Another C library has none of them."""

import ctypes
from contextlib import suppress

# Blocks of this size are mapped, and returned to the system when freed. glibc raises the threshold by itself to
# 32 MiB, and then one small block above many freed large ones keeps them all: 420 MB after 30 callers had sent 2 GB.
LARGE_BLOCK = 128 * 1024
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from malloc.h


def return_large_blocks() -> None:
    """Return large blocks to the system when they are freed."""
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None).mallopt
        allocator(M_MMAP_THRESHOLD, LARGE_BLOCK)
        allocator(M_TRIM_THRESHOLD, 2 * LARGE_BLOCK)


def trim() -> None:
    """Return the pages of freed small blocks now."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
