"""Runs the clients of others against the local engine, each in its own environment, and prints a table.

python -m bench.interop [--url HOST:PORT --token TOKEN]    # of an engine that runs already
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from audio.codec import decode
from bench.interop.upstream import upstream_results

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIP = ROOT / "clips" / "en_proposal.webm"
ENVIRONMENTS = ROOT / ".interop"
CLIENTS = {
    "openai": ("openai_client.py", None),
    "openai-agents": ("agents_client.py", None),
    "LiveKit": ("livekit_client.py", "livekit"),
    "pipecat": ("pipecat_client.py", "pipecat"),
    "pydantic-ai": ("pydantic_client.py", "pydantic"),
}
FEATURES = ("typed", "tool", "speech", "interruption", "telephone", "transcription", "secret")
LISTENING = re.compile(rb"answers at ws://(\S+?)/")
TOKEN = "interop"
PATIENCE = 400.0  # seconds, for one client


async def main(url: str | None, token: str) -> bool:
    """Print the table; False if anything fails."""
    rows: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "question.pcm"
        clip.write_bytes(decode(CLIP.read_bytes()))
        async with engine(url) as address:
            for name, (script, environment) in CLIENTS.items():
                rows[name] = await results(script, environment, address, token, clip)
    upstream = {"speech-to-speech": await upstream_results()} if url is None else {}
    print(table("client", FEATURES, rows))
    if upstream:
        print(f"\n{table('upstream', ('clip', 'stream'), upstream)}")
    failures = [(name, *each) for name, row in {**rows, **upstream}.items() for each in row.items() if each[1] != "ok"]
    for name, feature, result in failures:
        print(f"{name}, {feature}: {result}")
    return not failures


@asynccontextmanager
async def engine(url: str | None) -> AsyncIterator[str]:
    """The address of the engine that runs, or of one for this run."""
    if url:
        yield url
        return
    command = [sys.executable, "-m", "supervisor", "engine", "--port", "0", "--token", TOKEN]
    running = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert running.stdout
    try:
        while not (found := LISTENING.search(await running.stdout.readline())):
            if running.stdout.at_eof():
                sys.exit("the engine did not start")
        yield found[1].decode()
    finally:
        running.terminate()
        await running.wait()


async def results(script: str, environment: str | None, address: str, token: str, clip: Path) -> dict[str, str]:
    """What a client says of each feature that it shows."""
    python = ENVIRONMENTS / environment / "bin" / "python" if environment else Path(sys.executable)
    if not python.exists():
        return dict.fromkeys(FEATURES, "not installed")
    command = [str(python), "-W", "ignore", str(HERE / script), address, token, str(clip)]
    quiet = asyncio.subprocess.DEVNULL
    environ = {**os.environ, "OPENAI_API_KEY": token}
    client = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=quiet, env=environ)
    assert client.stdout
    said: dict[str, str] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            async for line in client.stdout:
                if line.startswith(b'{"feature"'):
                    shown = json.loads(line)
                    said[shown["feature"]] = shown["result"]
            await client.wait()
    except TimeoutError:
        client.kill()
        await client.wait()
    return said or {"typed": f"it ended with {client.returncode} and said nothing"}


def table(head: str, features: Iterable[str], rows: dict[str, dict[str, str]]) -> str:
    """The results in Markdown: a row for each program, "-" for what it does not do."""

    def row(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cells)} |"

    def mark(result: str | None) -> str:
        return "-" if result is None else result if result in ("ok", "not installed") else "FAILS"

    body = (row([name, *(mark(said.get(feature)) for feature in features)]) for name, said in rows.items())
    return "\n".join([row([head, *features]), row(["---"] * (len(tuple(features)) + 1)), *body])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="HOST:PORT of an engine that runs already")
    parser.add_argument("--token", default=TOKEN)
    arguments = parser.parse_args()
    sys.exit(not asyncio.run(main(arguments.url, arguments.token)))
