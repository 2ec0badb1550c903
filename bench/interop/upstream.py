"""Our server over an upstream of others: Hugging Face's speech-to-speech, with a stub for its models."""

import asyncio
import json
import os
import re
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIP = ROOT / "clips" / "en_proposal.webm"
PYTHON = ROOT / ".interop" / "s2s" / "bin" / "python"
PERSONA = "mohit_vedic_marriage"
LISTENING = re.compile(rb"listening on http://(\S+?),")
RUNNING = re.compile(rb"Uvicorn running on http://(\S+)")
PATIENCE = 90.0  # seconds, for one call or one start
OURS = [sys.executable, "-m", "supervisor"]


async def upstream_results() -> dict[str, str]:
    """What becomes of a call with a clip, and of one in a stream."""
    if not PYTHON.exists():
        return dict.fromkeys(("clip", "stream"), "not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stub = [str(PYTHON), str(HERE / "speech_to_speech_server.py"), str(port)]
    async with started(stub, RUNNING, {}) as model:
        environment = {"UPSTREAM_URL": f"ws://{model}/v1/realtime", "UPSTREAM_API_KEY": "none"}
        async with started([*OURS, "serve", "--port", "0"], LISTENING, environment) as server:
            return {"clip": await called(server), "stream": await called(server, "--stream")}


@asynccontextmanager
async def started(command: list[str], announced: re.Pattern[bytes], more: dict[str, str]) -> AsyncIterator[str]:
    """A program while the context is open; yields the address that it says in its log."""
    environment = {**os.environ, **more}
    running = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=DEVNULL, stderr=PIPE)
    assert running.stderr
    try:
        async with asyncio.timeout(PATIENCE):
            while not (found := announced.search(line := await running.stderr.readline())):
                if not line:
                    raise OSError(f"{command[1]} did not start")
        reading = asyncio.create_task(running.stderr.read())
        yield found[1].decode()
        reading.cancel()
    finally:
        running.kill()
        await running.wait()


async def called(server: str, *options: str) -> str:
    """Whether a caller is greeted, is heard, and hears an answer to its end: "ok", or what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        call = ["call", "--astrologer", PERSONA, "--audio", str(CLIP), "--out", folder, "--patient", "--json"]
        command = [*OURS, *call, "--url", f"ws://{server}", *options]
        caller = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=DEVNULL)
        try:
            async with asyncio.timeout(PATIENCE):
                said, _ = await caller.communicate()
        except TimeoutError:
            caller.kill()
            await caller.wait()
            return "TimeoutError: the call did not end"
    events = [json.loads(line) for line in said.splitlines() if line.startswith(b"{")]
    about = [event["about"] for event in events if event["event"] == "saved"]
    heard = [event for event in events if event["event"] == "you"]
    is_whole = about == ["greeting", CLIP.stem] and heard and not caller.returncode
    return "ok" if is_whole else f"the call ended with {caller.returncode}: {events[-1:]}"
