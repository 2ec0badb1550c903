"""How a worker is told to end: by lines on its stdin, and by signals to it alone."""

import asyncio
import os
import select
import signal
from pathlib import Path

import pytest

from cli.fleet import seat
from cli.fleet.seat import Worker
from cli.settings import Settings
from cli.shutdown import Shutdown
from tests.kit.story import run, until


@pytest.mark.parametrize("signalled", [False, True], ids=["alone", "after a signal"])
def test_the_second_line_ends_its_calls_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, signalled: bool
) -> None:
    """The first gives them the time that it says; after a signal to this worker they have what that gave them."""
    read, write = os.pipe()
    monkeypatch.setattr(seat, "STDIN", read)

    async def told(line: bytes) -> None:
        os.write(write, line)
        await until(lambda: not select.select([read], [], [], 0)[0])

    async def story() -> None:
        shutdown, loop = Shutdown(), asyncio.get_running_loop()
        Worker(tmp_path).attend(shutdown, Settings(drain_seconds=600.0))
        try:
            if signalled:
                os.kill(os.getpid(), signal.SIGTERM)
                await shutdown.requested.wait()
            await told(b"20.0\n")
            assert shutdown.requested.is_set()
            assert shutdown.within == (600.0 if signalled else 20.0)
            assert not shutdown.at_once.is_set()
            await told(b"0\n")
            assert shutdown.at_once.is_set()
        finally:
            loop.remove_reader(read)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    run(story())
    os.close(read)
    os.close(write)
