"""What the server waits for may never come. It ends all the same when it is told to, and with exit code 0."""

import asyncio
import os
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from personas import SHIPPED
from tests.kit.ports import free_port
from tests.kit.process import KEYS, START_SECONDS, STOP_SECONDS, Server, server
from tests.kit.story import until

UPSTREAM = "ws://127.0.0.1:9/v1/realtime"  # nobody is there, and nobody is asked
HANGS = """
import os, socket, sys, threading

def hanging(original, when):
    def asked(what, *rest, **more):
        if when(what):
            print("it hangs", file=sys.stderr, flush=True)
            threading.Event().wait()
        return original(what, *rest, **more)
    return asked

def again(what, asked=[]):
    # the file of personas, which was there at the start
    asked += [what] * (str(what) == {file!r})
    return len(asked) > 1 and what is asked[-1]

def shipped(what):
    # the file that ships, in a process that reads an edit
    return sys.argv[0] == "-c" and str(what) == {shipped!r}

{hang}
"""
"""Python runs this first, in every process: something keeps who asks it waiting, for good."""


def start_with(folder: Path, hang: str) -> str:
    """A place for Python's path that makes this hang."""
    file = folder / "personas.json"
    (folder / "sitecustomize.py").write_text(HANGS.format(file=str(file), shipped=str(SHIPPED), hang=hang))
    return str(folder)


def family(one: Server) -> list[psutil.Process]:
    return psutil.Process(one.process.pid).children(recursive=True)


@pytest.mark.parametrize(
    "hang",
    [
        "os.stat = hanging(os.stat, again)",
        "os.open = hanging(os.open, again)",
        "os.open = hanging(os.open, shipped)",
    ],
)
def test_a_file_system_that_does_not_answer_keeps_no_server(tmp_path: Path, hang: str) -> None:
    """Asked for the state of the file of personas, or to open it, or what ships besides, in whichever process."""
    file = tmp_path / "personas.json"
    file.write_bytes(SHIPPED.read_bytes())
    path = start_with(tmp_path, hang)
    with server("--personas", str(file), UPSTREAM_URL=UPSTREAM, PYTHONPATH=path) as one:
        file.write_bytes(SHIPPED.read_bytes().replace(b"Mohit", b"Rohit"))
        one.lines("it hangs", 1, within=60)
        children = family(one)
        assert one.stop() == 0
        assert psutil.wait_procs(children, timeout=STOP_SECONDS)[1] == []


@pytest.mark.thorough
def test_a_name_server_that_does_not_answer_keeps_no_server(tmp_path: Path) -> None:
    """Where Python's own loop runs, names are looked up in a thread that is waited for."""
    hang = "sys.modules['uvloop'] = None; socket.getaddrinfo = hanging(socket.getaddrinfo, 'model.invalid'.__eq__)"
    path = start_with(tmp_path, hang)
    with server(UPSTREAM_URL="ws://model.invalid/v1/realtime", PYTHONPATH=path) as one:

        def ask() -> None:
            with suppress(OSError):
                urllib.request.urlopen(f"http://{one.address}/ready", timeout=60)

        asking = threading.Thread(target=ask)
        asking.start()
        one.lines("it hangs", 1, within=60)
        assert one.stop() == 0
        asking.join(60)


@pytest.mark.thorough
def test_a_log_that_nobody_reads_keeps_no_server() -> None:
    """The pipe behind stderr is full, as where a terminal was stopped with Ctrl-S."""
    reading, writing = os.pipe()
    environment = {name: value for name, value in os.environ.items() if name not in KEYS}
    command = [sys.executable, "-m", "supervisor", "serve", "--port", "0", "--upstream-url", UPSTREAM]
    process = subprocess.Popen(command, stderr=writing, env=environment)
    try:
        with open(reading, "rb") as log:
            while b"listening on" not in (line := log.readline()):
                assert line
            filling = os.open(f"/proc/self/fd/{writing}", os.O_WRONLY | os.O_NONBLOCK)
            for size in (4096, 1):
                with suppress(BlockingIOError):
                    while True:
                        os.write(filling, b"x" * size)
            os.close(filling)
            process.terminate()
            assert process.wait(STOP_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        os.close(writing)


LOUD = """
import logging, sys, threading

if sys.orig_argv[-2] == "-c":
    sys.stderr.write("a decoder has something to say\\n" * 10_000)
    sys.stderr.flush()
elif "serve" in sys.orig_argv:

    def flood():
        while not logging.root.handlers:
            threading.Event().wait(0.01)
        for number in range(30_000):
            logging.getLogger("flood").warning("line %d of a flood", number)

    threading.Thread(target=flood, daemon=True).start()
"""
"""Python runs this first: each decoder writes more than a pipe holds, the server more lines than wait for a reader."""


def test_nobody_waits_for_who_never_reads_the_log(tmp_path: Path) -> None:
    """Neither the server nor its decoders; once it is read, it says how much was dropped."""
    (tmp_path / "sitecustomize.py").write_text(LOUD)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in KEYS}
    ports = ["--port", "0", "--admin-port", str(port)]
    command = [sys.executable, "-m", "supervisor", "serve", *ports, "--upstream-url", UPSTREAM]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**environment, "PYTHONPATH": str(tmp_path)})
    try:
        asyncio.run(until(lambda: figure(port, "voice_log_lines_dropped_total") > 10_000, within=START_SECONDS))
        assert process.stderr
        dropped = 0
        for line in process.stderr:
            if b"lines were dropped" in line:
                dropped = int(line.split(b"log: ")[1].split()[0])
                break
        assert dropped > 10_000
    finally:
        process.kill()
        process.communicate()


def figure(port: int, name: str) -> float:
    """One of /metrics; 0 while there is none."""
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        counters = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines())
        return float(counters.get(name, 0))
    return 0
