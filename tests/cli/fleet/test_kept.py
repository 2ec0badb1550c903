"""A process that is kept: it is started again when it dies, and its lines reach the log."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from cli.fleet import kept
from cli.fleet.kept import DidNotStart, Kept, Program
from cli.fleet.lines import Lines
from tests.kit.story import ended, run, until

SERVES = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
print("serving", "x " * 35_000, file=sys.stderr)
print("ready", file=sys.stderr, flush=True)
listener.listen()  # it counts as up from here on, and may be killed at once
told = sys.stdin.readline()
sys.exit(3 if told.strip() == "end" else 4)
"""


def program(tmp_path: Path, code: str, name: str = "n7") -> Program:
    """A program in Python, which gets the path of its socket."""
    socket = tmp_path / name
    start = f"import os, sys; os.path.exists(sys.argv[1]) and os.unlink(sys.argv[1])\n{code}"
    return Program(name, [sys.executable, "-c", start, str(socket)], socket, dict(os.environ), loss=": a loss")


async def started_again(one: Kept, before: int) -> None:
    """Wait until another process than this one serves."""
    await until(lambda: one.pid != before and one.up)


def test_it_is_started_again_until_it_is_told_to_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With longer and longer pauses; then its exit code is known."""
    caplog.set_level("INFO")

    async def story() -> None:
        one = Kept(program(tmp_path, SERVES))
        await one.start()
        assert [one.up] == [True]
        for life in (1, 2):
            before = one.pid
            one.send(signal.SIGKILL)
            await started_again(one, before)
            assert one.restarts == life
        one.end()
        one.tell("end")
        assert await one.over() == 3
        assert [one.up] == [False]
        await one.close()

    run(story())
    assert "n7 ended (signal 9), starting it again in 0.2 s: a loss" in caplog.text
    assert "n7 ended (signal 9), starting it again in 0.4 s: a loss" in caplog.text
    assert caplog.text.count("n7 serves again") == 2
    lines = [record.getMessage() for record in caplog.records if record.name == "fleet.lines"]
    assert lines[0] == "n7 (a line too long to show)"  # the rest of it may come as a line
    assert lines.count("n7 ready") == 3


def test_pauses_have_a_longest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it dies, and a long life makes them short again."""
    monkeypatch.setattr(kept, "LONGEST_PAUSE", 0.3)
    monkeypatch.setattr(kept, "STABLE_SECONDS", 1e6)

    async def story() -> None:
        one = Kept(program(tmp_path, SERVES))
        await one.start()
        for _ in range(3):
            before = one.pid
            one.send(signal.SIGKILL)
            await started_again(one, before)
        monkeypatch.setattr(kept, "STABLE_SECONDS", -1.0)  # each life is a long one now
        before = one.pid
        one.send(signal.SIGKILL)
        await started_again(one, before)
        await one.close()

    run(story())
    pauses = [record.getMessage().split(" in ")[1][:3] for record in caplog.records if "again in" in record.message]
    assert pauses == ["0.2", "0.3", "0.3", "0.2"]


def test_what_does_not_start_is_told_with_its_exit_code(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And what it said."""

    async def story() -> None:
        one = Kept(program(tmp_path, "print('no file', file=sys.stderr); sys.exit(2)"))
        with pytest.raises(DidNotStart, match=r"n7 did not start \(exit code 2\)") as failed:
            await one.start()
        assert failed.value.code == 2
        await one.close()

    run(story())
    assert "n7 no file" in caplog.text


def test_what_hangs_at_the_start_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it has started."""
    monkeypatch.setattr(kept, "START_SECONDS", 0.5)

    async def story() -> None:
        one = Kept(program(tmp_path, "import time; time.sleep(1000)"))
        with pytest.raises(TimeoutError):
            await one.start()
        await until(lambda: ended(one.pid))
        await asyncio.wait_for(one.close(), 10)

    run(story())


def test_it_can_be_ended_while_it_waits_for_its_next_life(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is not started again."""

    async def story() -> None:
        one = Kept(program(tmp_path, SERVES))
        await one.start()
        one.send(signal.SIGKILL)
        await until(lambda: "starting it again" in caplog.text)
        await one.close()
        assert one.restarts == 0
        assert await one.over() == -9

    run(story())


def test_whoever_still_holds_its_stderr_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a process of its own that has left its group."""
    monkeypatch.setattr(kept, "LAST_SECONDS", 0.1)
    holds = "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)"

    async def story() -> None:
        one = Kept(program(tmp_path, f"{SERVES.replace('told =', f'{holds}; told =')}"))
        await one.start()
        holders = [await child_of(one.pid)]
        one.send(signal.SIGKILL)
        await until(lambda: one.restarts == 1 and one.up)
        holders.append(await child_of(one.pid))
        await one.close()
        for holder in holders:
            holder.kill()

    run(story())


def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    """A decoder of a worker that was killed would else compute on, for nobody."""
    starts = "import subprocess; subprocess.Popen(['sleep', '600'], stderr=subprocess.DEVNULL)"

    async def story() -> None:
        one = Kept(program(tmp_path, f"{SERVES.replace('told =', f'{starts}; told =')}"))
        await one.start()
        child, before = await child_of(one.pid), one.pid
        one.send(signal.SIGKILL)
        await started_again(one, before)
        await until(lambda: ended(child))
        await one.close()

    run(story())


async def child_of(pid: int) -> psutil.Process:
    """Its first one, once there is one."""
    await until(lambda: bool(psutil.Process(pid).children()))
    return psutil.Process(pid).children()[0]


def test_lines_of_others_are_passed_as_they_are() -> None:
    """Also below the level of this process; our own have time and level."""
    other = logging.LogRecord("fleet.lines", logging.INFO, "", 0, "%s %s", ("n1", "as it came"), None)
    ours = logging.LogRecord("serve", logging.INFO, "", 0, "listening", (), None)
    assert Lines().format(other) == "n1 as it came"
    assert Lines().format(ours).endswith("INFO    serve: listening")
    assert logging.getLogger("fleet.lines").isEnabledFor(logging.INFO)
