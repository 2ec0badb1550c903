import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import connect

from engine.child import Child, EngineFailed
from tests.kit.story import WITHIN, ended, run, until

ROOT = Path(__file__).parents[2]

# An engine with small parts: all of the child's half but the models.
ENGINE = textwrap.dedent("""
    import asyncio, os, sys
    from engine.parts import Parts
    from engine.program import announce, until_stdin_ends
    from engine.mind.mind import Mind
    from engine.server import Server
    from tests.kit.parts import ScriptedEar, Tones, loud

    async def serve():
        announce(progress="loading the tones")
        parts = Parts(Tones(0.3, letters=10), ScriptedEar(), loud, Mind())
        async with Server(parts, token=os.environ["LOCAL_ENGINE_TOKEN"]).listen("127.0.0.1", int(sys.argv[2])) as port:
            announce(ready=f"ws://127.0.0.1:{port}/v1/realtime")
            await asyncio.Event().wait()

    asyncio.run(until_stdin_ends(serve()))
""")
COMMAND = (sys.executable, "-c", ENGINE)


@pytest.fixture(autouse=True)
def in_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child imports the stand-ins by their path in the tree."""
    monkeypatch.chdir(ROOT)


async def is_answered(url: str, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(f"{url}?model=m", additional_headers=headers, proxy=None) as socket:
        return "session.created" in str(await socket.recv())


def test_a_child_starts_tells_and_stops() -> None:
    """The child reports progress, serves at its address with its token, and leaves no process."""

    async def whole() -> None:
        told: list[str] = []
        child = Child("secret", command=COMMAND)
        assert (child.alive, child.pid) == (False, None)
        url = await child.start(told.append)
        try:
            assert (child.alive, told) == (True, ["loading the tones"])
            assert await is_answered(url, "secret")
            pid = child.pid
            assert pid is not None
            assert os.getpgid(pid) == pid
        finally:
            await child.stop()
        assert not child.alive
        assert ended(pid)
        await child.stop()

    run(whole())


def test_a_child_that_dies_is_started_again() -> None:
    """A killed engine is restarted at the same address."""

    async def whole() -> None:
        child = Child("secret", command=COMMAND)
        url = await child.start(lambda stage: None)
        try:
            first = child.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            await until(lambda: not child.alive)
            await until(lambda: child.alive)
            assert child.pid != first
            assert await is_answered(url, "secret")
        finally:
            await child.stop()

    run(whole())


def test_a_child_that_cannot_start_says_why() -> None:
    """The exception contains the last lines of the child, and no process is left."""

    async def whole() -> None:
        child = Child("secret", command=(sys.executable, "-c", "print('loading'); raise SystemExit('no weights')"))
        with pytest.raises(EngineFailed, match=r"loading\nno weights\nit ended with exit code 1"):
            await child.start(lambda stage: None)
        assert child.pid is None
        assert not child.alive
        await child.stop()

    run(whole())


def test_a_start_that_is_given_up_leaves_nothing() -> None:
    """If the start is cancelled, the child is ended."""

    async def whole() -> None:
        command = (sys.executable, "-c", 'import sys; print(\'{"progress": "slow"}\', flush=True); sys.stdin.read()')
        told = asyncio.Event()
        child = Child("secret", command=command)
        starting = asyncio.create_task(child.start(lambda stage: told.set()))
        async with asyncio.timeout(WITHIN):
            await told.wait()
        pid = child.pid
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert pid is not None
        await until(lambda: ended(pid))

    run(whole())


def test_a_child_that_does_not_let_go_is_killed() -> None:
    """A child that ignores the end of its stdin is killed, with the processes that it started."""
    stubborn = textwrap.dedent("""
        import subprocess, sys, threading
        other = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
        print(other.pid, flush=True)
        print('{"ready": "ws://127.0.0.1:1/v1/realtime"}', flush=True)
        threading.Event().wait()
    """)

    async def whole() -> None:
        child = Child("secret", command=(sys.executable, "-c", stubborn))
        await child.start(lambda stage: None)
        assert child.pid is not None
        family = [child.pid, *(each.pid for each in psutil.Process(child.pid).children())]
        await child.stop()
        assert len(family) == 2
        await until(lambda: all(map(ended, family)))

    run(whole())


def test_a_child_does_not_outlive_a_killed_parent() -> None:
    """If the parent is killed, the child's stdin is closed, and the child ends."""
    parent = textwrap.dedent(f"""
        import asyncio
        from engine.child import Child

        async def main():
            child = Child("secret", command={COMMAND!r})
            await child.start(lambda stage: None)
            print(child.pid, flush=True)
            await asyncio.Event().wait()

        asyncio.run(main())
    """)

    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert not ended(pid)
        process.kill()
    run(until(lambda: ended(pid)))


def test_a_child_has_none_of_our_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It gets its own settings and its token; nothing else of the environment, and no handle but three."""
    told = tmp_path / "told"
    code = (
        f"import json, os; told = [dict(os.environ), os.listdir('/dev/fd')]; json.dump(told, open({str(told)!r}, 'w'))"
    )
    for name in ("OPENAI_API_KEY", "UPSTREAM_API_KEY", "SOME_TOKEN", "ENGINE_PACE"):
        monkeypatch.setenv(name, "sk-ours")

    async def whole() -> None:
        with pytest.raises(EngineFailed):
            await Child("secret", llm_url="http://127.0.0.1:9", command=(sys.executable, "-c", code)).start(print)

    with (tmp_path / "key").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        run(whole())
    environment, handles = json.loads(told.read_text())
    assert {name for name, value in environment.items() if value == "sk-ours"} == {"ENGINE_PACE"}
    assert (environment["LOCAL_ENGINE_TOKEN"], environment["LOCAL_LLM_URL"]) == ("secret", "http://127.0.0.1:9")
    assert len(handles) == 4  # one of them lists the others
