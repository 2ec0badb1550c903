"""Copies what libraries and child processes write to stderr into the log, so that no writer blocks on its reader."""

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

LONGEST_LINE = 8192  # bytes; a longer line becomes several records
LINES_A_SECOND = 100  # with a burst of ten seconds; lines beyond that are counted
LAST_SECONDS = 1.0  # to read the last lines at the end


@contextmanager
def capture_stderr() -> Iterator[TextIO]:
    """Redirect file descriptor 2 to a pipe while the context is open; yields the real stderr, which stays open.

    faulthandler writes to the real one, because after a crash in C no thread is left to read the pipe.
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
        reader.join(LAST_SECONDS)  # ends when the last process has closed the pipe


def _read(pipe: int) -> None:
    rate, skipped = Rate(LINES_A_SECOND, 10 * LINES_A_SECOND), 0
    for line in _lines(pipe):
        if not rate.take(time.monotonic()):
            skipped += 1
            continue
        _report(skipped)
        skipped = 0
        log.warning("%s", line.decode(errors="replace").rstrip())
    _report(skipped)
    os.close(pipe)


def _report(skipped: int) -> None:
    if skipped:
        log.warning("%d lines are not shown", skipped)


def _lines(pipe: int) -> Iterator[bytes]:
    """The lines, until every writer has closed the pipe."""
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
