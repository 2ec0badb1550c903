"""A process that hangs is found; one that is slow, or could not be asked, is left alone."""

import asyncio
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cli.fleet import vigil
from cli.fleet.kept import Kept, Program
from tests.kit.story import WITHIN, run, until

ANSWERS = """
import os, socketserver, sys
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.1 404 Not Found\\r\\n\\r\\n")
os.path.exists(sys.argv[1]) and os.unlink(sys.argv[1])
socketserver.UnixStreamServer(sys.argv[1], Answer).serve_forever()
"""


@pytest.fixture
def path() -> Iterator[Path]:
    """For a socket, whose path must be short."""
    with tempfile.TemporaryDirectory(prefix="vi") as folder:
        yield Path(folder) / "n1"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions come fast, and each has little time."""
    monkeypatch.setattr(vigil, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(vigil, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(vigil, "LATE_SECONDS", 0.2)


class Peer:
    """Somebody who is asked, and answers so many questions; `asked` counts them."""

    def __init__(self, answers: int = 0) -> None:
        self.answers, self.asked = answers, 0

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a question."""
        await reader.readline()
        self.asked += 1
        if self.asked <= self.answers:
            writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        else:
            await reader.read()
        writer.close()


@asynccontextmanager
async def listening(path: Path, peer: Peer) -> AsyncIterator[None]:
    """The peer is there."""
    server = await asyncio.start_unix_server(peer.meet, str(path))
    async with server:
        yield


@pytest.mark.usefixtures("quick")
def test_who_does_not_answer_hangs(path: Path) -> None:
    """After some questions in a row; any answer is one, also a refusal."""

    async def story() -> None:
        peer = Peer(answers=5)
        async with listening(path, peer):
            assert await asyncio.wait_for(vigil.hangs(path), WITHIN) == pytest.approx(vigil.VAIN * 0.2)
        assert peer.asked >= 5 + vigil.VAIN

    run(story())


@pytest.mark.usefixtures("quick")
def test_who_is_not_there_is_given_as_much_time(path: Path) -> None:
    """It may be at its end: a question that is refused at once says no more than one without an answer."""

    async def story() -> None:
        began = time.monotonic()
        await asyncio.wait_for(vigil.hangs(path), WITHIN)
        assert time.monotonic() - began >= vigil.VAIN * 0.2

    run(story())


@pytest.mark.usefixtures("quick")
def test_a_machine_that_slept_says_nothing_of_others(path: Path) -> None:
    """Nobody answers, but each time we were late by an hour ourselves: nobody hangs. Awake, they do."""
    asleep, hours = True, 0.0

    def clock() -> float:
        nonlocal hours
        hours += 3600.0 if asleep else 0.0
        return hours

    async def story() -> None:
        nonlocal asleep
        peer = Peer()
        async with listening(path, peer):
            waiting = asyncio.ensure_future(vigil.hangs(path, clock))
            await until(lambda: peer.asked > 3 * vigil.VAIN)
            assert not waiting.done()
            asleep = False
            await asyncio.wait_for(waiting, WITHIN)

    run(story())


@pytest.mark.usefixtures("quick")
def test_what_hangs_is_killed_and_started_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A process that stands still, as by SIGSTOP; the log says why."""
    caplog.set_level(logging.INFO)

    async def story() -> None:
        one = Kept(Program("n1", [sys.executable, "-c", ANSWERS, str(path)], path, dict(os.environ), asked=path))
        await one.start()
        before = one.pid
        one.send(signal.SIGSTOP)
        await until(lambda: one.restarts > 0 and one.up and one.pid != before)
        await one.close()

    run(story())
    assert "n1 hangs: it did not answer for 1 s, and is killed" in caplog.text
    assert "n1 ended (signal 9), starting it again in 0.2 s" in caplog.text
    assert "n1 serves again" in caplog.text


def test_the_limits_are_generous() -> None:
    """A worker has half a minute; its loop may stand still for ten seconds at a time."""
    assert vigil.VAIN * vigil.ANSWER_SECONDS >= 30
    assert vigil.ANSWER_SECONDS >= 10
