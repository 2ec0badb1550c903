"""Writes the log in a thread, so that calls go on if nobody reads stderr, as with a terminal after Ctrl-S."""

import logging
import threading
from contextlib import suppress
from logging.handlers import QueueHandler
from queue import Full, Queue
from typing import TextIO

from actors.counters import Counters

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
MOST_WAITING = 10_000  # lines; when so many are queued, further ones are dropped until half of them are written
LAST_SECONDS = 1.0  # to write the queued lines at the end


class Log(QueueHandler):
    """Queues each record without blocking. `logging` closes it when Python exits, and then the last lines are written.

    Dropped lines are counted in `counters`; when there is room again, one line says how many were dropped. `lines`
    makes the text of a line.
    """

    def __init__(
        self,
        counters: Counters,
        to: TextIO | None = None,
        most: int = MOST_WAITING,
        lines: logging.Formatter | None = None,
    ) -> None:
        self._out = _Out(to)  # created first, because logging closes handlers in reverse order
        self._out.setFormatter(lines or logging.Formatter(FORMAT))
        self._lines: Queue[logging.LogRecord | None] = Queue(most)
        self._counters, self._most = counters, most
        self._dropping = threading.Lock()
        self._dropped = 0  # since the last line about it
        super().__init__(self._lines)
        self.setFormatter(logging.Formatter())  # message and traceback alone; basicConfig would set FORMAT here too
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a record, or drop it; never blocks."""
        with self._dropping:
            if not self._dropped:
                with suppress(Full):
                    self._lines.put_nowait(record)
                    return
            self._dropped += 1
            self._counters.log_lines_dropped += 1

    def close(self) -> None:
        """Write the last lines; waits at most LAST_SECONDS, if nobody reads them."""
        super().close()
        with suppress(Full):
            self._lines.put(None, timeout=LAST_SECONDS / 2)
            self._thread.join(LAST_SECONDS / 2)

    def _write(self) -> None:
        closed = False
        while not closed or not self._lines.empty():
            if record := self._lines.get():
                self._out.handle(record)
                if self._dropped and self._lines.qsize() <= self._most // 2:
                    self._report()
            else:
                closed = True

    def _report(self) -> None:
        """Queue a line that says how many were dropped, behind the lines that came before them."""
        with self._dropping, suppress(Full):
            text = f"{self._dropped} lines were dropped, because nobody read the log"
            self._lines.put_nowait(logging.LogRecord("log", logging.WARNING, __file__, 0, text, None, None))
            self._dropped = 0


class _Out(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is Python's
        """Ignore an error of writing: Python would print it to stderr, and that is captured into the log."""
