"""The log is written by a thread: whoever reads stderr may stop, as a terminal does on Ctrl-S, and calls go on."""

import logging
import threading
from contextlib import suppress
from logging.handlers import QueueHandler
from queue import Full, Queue
from typing import TextIO

from actors.counters import Counters

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
MOST_WAITING = 10_000  # lines; what comes while so many wait is dropped, until half of them are written
LAST_SECONDS = 1.0  # to write what waits at the end


class Log(QueueHandler):
    """Takes each line at once. It is closed by Python's own end, and with it the last lines are written.

    Lines that are dropped are counted in `figures`; once there is room, one line says how many they were.
    """

    def __init__(self, figures: Counters, to: TextIO | None = None, most: int = MOST_WAITING) -> None:
        self._out = _Out(to)  # made first, so that it is closed last
        self._out.setFormatter(logging.Formatter(FORMAT))
        self._lines: Queue[logging.LogRecord | None] = Queue(most)
        self._figures, self._most = figures, most
        self._dropping = threading.Lock()
        self._dropped = 0  # and not yet told
        super().__init__(self._lines)
        self.setFormatter(logging.Formatter())  # the message and its traceback alone; basicConfig would add to them
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never waits."""
        with self._dropping:
            if not self._dropped:
                with suppress(Full):
                    self._lines.put_nowait(record)
                    return
            self._dropped += 1
            self._figures.log_lines_dropped += 1

    def close(self) -> None:
        """Waits a second for the last lines, if nobody reads them."""
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
                    self._tell()
            else:
                closed = True

    def _tell(self) -> None:
        """Behind the lines that came before those that were dropped."""
        with self._dropping, suppress(Full):
            told = f"{self._dropped} lines were dropped, because nobody read the log"
            self._lines.put_nowait(logging.LogRecord("log", logging.WARNING, __file__, 0, told, None, None))
            self._dropped = 0


class _Out(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is Python's
        """Nobody can be told: what Python says of it would come back as lines of the log."""
