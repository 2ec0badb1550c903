"""The log when nobody reads it, or too slowly: calls go on, and what is lost is told."""

import io
import logging
import os
import threading
from contextlib import suppress

import pytest

import cli.log
from actors.counters import Counters
from cli.log import Log
from tests.kit.story import WITHIN


class Reader(io.StringIO):
    """Reads a line only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()
        self.holding = threading.Event()

    def write(self, text: str) -> int:
        self.holding.set()
        assert self.free.wait(WITHIN)
        return super().write(text)


def said(log: Log, count: int) -> None:
    for number in range(count):
        log.handle(logging.LogRecord("a", logging.INFO, "", 0, "line %d", (number,), None))


def test_what_was_dropped_is_told_in_its_place() -> None:
    """Behind what came before it, once; what comes later is written again."""
    counters, reader = Counters(), Reader()
    log = Log(counters, reader, most=10)
    said(log, 1)
    assert reader.holding.wait(WITHIN)
    said(log, 30)
    assert counters.log_lines_dropped == 20
    reader.free.set()
    told = "20 lines were dropped"
    assert waited(lambda: told in reader.getvalue())
    log.handle(logging.LogRecord("a", logging.INFO, "", 0, "afterwards", (), None))
    log.close()
    lines = reader.getvalue().splitlines()
    assert [number for number, line in enumerate(lines) if told in line] == [11]
    assert lines[10].endswith("line 9")
    assert lines[12].endswith("afterwards")
    assert len(lines) == 13
    assert counters.log_lines_dropped == 20


def test_what_was_dropped_at_the_end_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader comes back when the server ends."""
    monkeypatch.setattr(cli.log, "LAST_SECONDS", 2 * WITHIN)
    counters, reader = Counters(), Reader()
    log = Log(counters, reader, most=4)
    said(log, 1)
    assert reader.holding.wait(WITHIN)
    said(log, 5)
    reader.free.set()
    log.close()
    assert "1 lines were dropped" in reader.getvalue()


def test_a_reader_who_is_gone_harms_nobody() -> None:
    """Nothing is said of it either: that would come back as a line, for ever."""
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), os.fdopen(writing, "w") as gone:
        log = Log(Counters(), gone)
        said(log, 100)
        log.close()


def waited(so: object) -> bool:
    """Until it is so."""
    assert callable(so)
    ended = threading.Event()
    for _ in range(int(WITHIN * 100)):
        if so():
            return True
        ended.wait(0.01)
    return False
