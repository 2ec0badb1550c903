"""Shows that a call survives the death of its server: `make cluster`, in about a minute.

    python -m bench.cluster [--workers N] [--mode clip]

Starts a redis-server, which keeps nothing on disk, and `serve --workers 2` with it and the local engine.
Somebody calls, and is answered. The worker that has the call is killed (kill -9). They come back, and are answered.
In the mode `clip` answers come whole, and nobody waits until they were spoken.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil
from prometheus_client.parser import text_string_to_metric_families

from bench.redis_server import redis
from phone import CallEnded
from phone.lasting import LastingPhone

TINA = "tina_kulkarni_vedic_marriage"
LISTENING = re.compile(rb"listening on http://(\S+?),")
METRICS = re.compile(rb"metrics at (\S+)")
START_SECONDS, STOP_SECONDS = 180.0, 30.0
LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Cluster:
    """What runs: the process that keeps the workers, and where it is reached."""

    pid: int
    url: str
    metrics: str

    async def having_the_call(self) -> str:
        """The name of the worker that has it."""
        text = await asyncio.to_thread(_read, self.metrics)
        families = {family.name: family for family in text_string_to_metric_families(text)}
        (name,) = [one.labels["worker"] for one in families["voice_callers"].samples if one.value]
        return name

    def process(self, name: str) -> psutil.Process:
        """The process of a worker, n1 being the first that was started."""
        children = psutil.Process(self.pid).children()
        workers = [child for child in children if child.cmdline()[-1:] == ["serve"]]
        return sorted(workers, key=psutil.Process.create_time)[int(name.removeprefix("n")) - 1]


class Story:
    """Says what happens, and when."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def tell(self, what: str) -> None:
        """One line of it."""
        print(f"{time.monotonic() - self._began:5.1f} s  {what}", flush=True)


@asynccontextmanager
async def cluster(register: str, workers: int) -> AsyncIterator[Cluster]:
    """Serve while the context is open. Raises OSError, TimeoutError."""
    environment = os.environ | {"REGISTER_URL": register, "LOG_LEVEL": "INFO"}
    command = [sys.executable, "-m", "supervisor", "serve", "--port", "0", "--workers", str(workers)]
    server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, env=environment)
    assert server.stderr
    try:
        async with asyncio.timeout(START_SECONDS):
            metrics, url = await _addresses(server.stderr)
        reading = asyncio.create_task(server.stderr.read(), name="read the log")
        yield Cluster(server.pid, f"ws://{url}", metrics)
        reading.cancel()
    finally:
        if server.returncode is None:
            for _ in range(2):  # at once
                server.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            await server.wait()


async def _addresses(log: asyncio.StreamReader) -> tuple[str, str]:
    """Of the metrics, and of the server."""
    metrics, output = "", b""
    while line := await log.readline():
        if found := METRICS.search(line):
            metrics = found[1].decode()
        if found := LISTENING.search(line):
            return metrics, found[1].decode()
        output += line
    raise OSError(f"the servers did not start:\n{output.decode(errors='replace')}")


async def show(workers: int, mode: str) -> bool:
    """Tell the story of a call in this mode; True if the call went on."""
    story = Story()
    with redis() as register:
        story.tell("Redis runs, the servers start")
        async with cluster(register, workers) as one:
            story.tell(f"{workers} workers, HAProxy and the local engine serve at {one.url}")
            async with LastingPhone(one.url, "user-1", {"mode": mode}) as phone:
                await phone.choose(TINA, mode=mode)
                await _hear(phone, story)
                await _talk(phone, story, "When will I marry?")
                name = await one.having_the_call()
                one.process(name).kill()
                story.tell(f"{name}, which has the call, is killed")
                killed = time.monotonic()
                answer = asyncio.create_task(_talk(phone, story, "And will it be a happy marriage?"))
                while not phone.resumed and not answer.done():  # noqa: ASYNC110  # the phone tells nobody
                    await asyncio.sleep(LOOK_SECONDS)
                if phone.resumed:
                    story.tell(f"the call is back after {(time.monotonic() - killed) * 1000:.0f} ms")
                try:
                    await answer
                except CallEnded as ended:
                    story.tell(f"THE CALL IS LOST: {ended}")
                    return False
                story.tell(f"{await one.having_the_call()} has the call now")
                await phone.say(type="end")
                await phone.closed()
    story.tell("the call went on, on another server")
    return True


async def _talk(phone: LastingPhone, story: Story, words: str) -> None:
    story.tell(f"the caller: {words}")
    await phone.say(type="text", text=words)
    await _hear(phone, story)


async def _hear(phone: LastingPhone, story: Story) -> None:
    answer = await (phone.reply() if phone.query["mode"] == "stream" else phone.answer())
    story.tell(f"the persona: {answer.text}")


def _read(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=START_SECONDS) as answer:
        return str(answer.read().decode())


def main() -> None:
    """Exit code 0 if the call went on."""
    parser = argparse.ArgumentParser(description="Shows that a call survives the death of its server.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--mode", choices=("stream", "clip"), default="stream")
    said = parser.parse_args()
    try:
        sys.exit(not asyncio.run(show(said.workers, said.mode)))
    except (OSError, TimeoutError) as error:
        sys.exit(f"It could not be shown: {str(error) or 'it took too long'}")


if __name__ == "__main__":
    main()
