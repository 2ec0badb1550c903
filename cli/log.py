"""The log is written by a thread: whoever reads stderr may stop, as a terminal does on Ctrl-S, and calls go on."""

import logging
import threading
from contextlib import suppress
from logging.handlers import QueueHandler
from queue import Full, Queue

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
MOST_WAITING = 10_000  # lines; what comes while so many wait is not written
LAST_SECONDS = 1.0  # to write what waits at the end


class Log(QueueHandler):
    """Takes each line at once. It is closed by Python's own end, and with it the last lines are written."""

    def __init__(self) -> None:
        self._stderr = logging.StreamHandler()  # made first, so that it is closed last
        self._stderr.setFormatter(logging.Formatter(FORMAT))
        self._lines: Queue[logging.LogRecord | None] = Queue(MOST_WAITING)
        super().__init__(self._lines)
        self.setFormatter(logging.Formatter())  # the message and its traceback alone; basicConfig would add to them
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never waits."""
        with suppress(Full):
            self._lines.put_nowait(record)

    def close(self) -> None:
        """Waits a second for the last lines, if nobody reads them."""
        super().close()
        with suppress(Full):
            self._lines.put_nowait(None)
            self._thread.join(LAST_SECONDS)

    def _write(self) -> None:
        while record := self._lines.get():
            self._stderr.handle(record)
