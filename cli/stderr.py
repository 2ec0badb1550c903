"""What libraries and child processes write to stderr comes into the log: none of them waits for who reads that."""

import faulthandler
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from actors.admission.rate import Rate

log = logging.getLogger("stderr")

LONGEST_LINE = 8192  # bytes; what is longer comes in several
LINES_A_SECOND = 100  # ten seconds of them may come at once; the others are counted
LAST_SECONDS = 1.0  # to read what was written last


@contextmanager
def read_into_the_log() -> Iterator[TextIO]:
    """While this is open; yields the real stderr, for the log itself. It stays open.

    A crash in C, which no thread outlives, writes its stack there.
    """
    real = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    faulthandler.enable(real)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    reader = threading.Thread(target=_read, args=(reading,), name="stderr", daemon=True)
    reader.start()
    try:
        yield real
    finally:
        os.dup2(real.fileno(), 2)
        reader.join(LAST_SECONDS)  # it ends with the last process that could write


def _read(pipe: int) -> None:
    rate, skipped = Rate(LINES_A_SECOND, 10 * LINES_A_SECOND), 0
    for line in _lines(pipe):
        if not rate.take(time.monotonic()):
            skipped += 1
            continue
        _tell(skipped)
        skipped = 0
        log.warning("%s", line.decode(errors="replace").rstrip())
    _tell(skipped)
    os.close(pipe)


def _tell(skipped: int) -> None:
    if skipped:
        log.warning("%d lines are not shown", skipped)


def _lines(pipe: int) -> Iterator[bytes]:
    """To the end, at which nobody is left who could write."""
    rest = b""
    while data := os.read(pipe, 65536):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines.append(rest)
            rest = b""
        for line in lines:
            for start in range(0, len(line), LONGEST_LINE):
                yield line[start : start + LONGEST_LINE]
    if rest:
        yield rest
