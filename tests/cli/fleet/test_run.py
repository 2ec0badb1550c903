"""`serve --workers 2` as its users run it: real processes, a real HAProxy, callers, and what kills them."""

import asyncio
import os
import shutil
import signal
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from phone import Phone
from tests.kit.exchange import CLIPS
from tests.kit.four import MOHIT
from tests.kit.process import LISTENING, START_SECONDS
from tests.kit.story import WITHIN, run, until
from tests.kit.workers import Fleet, fleet, gone, notified

pytestmark = pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy: apt-get install haproxy")
FOUR_USERS = ("user-1", "user-2", "user-3", "user-4")


async def folder_of(one: Fleet) -> Path:
    """Where the sockets of its workers are."""
    line = (await one.said("listening on /", 1))[0]
    return Path(line.split("listening on ")[1].split(",")[0]).parent


def test_two_workers_serve_as_one() -> None:
    """Calls are spread, each user is sent where they were, and one address has the figures of all."""

    async def story() -> None:
        async with fleet() as one, AsyncExitStack() as stack:
            await one.calls(stack, *FOUR_USERS)
            assert await one.figure("voice_callers") == {"n1": 2, "n2": 2}
            assert (await one.figure("voice_worker_up")) == {"n1": 1, "n2": 1}
            await one.calls(stack, *FOUR_USERS)  # each takes the place of their own call, wherever that is
            await one.becomes("voice_callers", n1=2, n2=2)  # those before have ended
            ended = await one.figure("voice_sessions_ended_total", code="4409")
            assert ended == {"n1": 2, "n2": 2}
            assert Counter(await one.shown(4)) == {"n1": 2, "n2": 2}
            assert set(await one.figure("process_resident_memory_bytes")) == {"n1", "n2", "haproxy", "parent"}
            (line,) = await one.said("listening on http", 1)
            assert "2 workers" in line
            assert LISTENING.search(line)
            began = await one.said("began session=", 8)
            for name in ("n1", "n2"):
                assert any(line.startswith(f"{name} 2") for line in began)

    run(story())


@pytest.mark.thorough
def test_a_worker_that_is_killed_comes_back_and_others_do_not_notice() -> None:
    """Its callers lose their connection, and find another worker at once."""

    async def story() -> None:
        async with fleet() as one, AsyncExitStack() as stack:
            phones = await one.calls(stack, *FOUR_USERS)
            victim = one.workers[0]
            victim.kill()
            ends = [asyncio.ensure_future(phone.closed()) for phone in phones]
            done, others = await asyncio.wait(ends, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 2:
                more, others = await asyncio.wait(others, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
                done |= more
            assert {end.result().code for end in done} == {1006}
            lost = [user for user, end in zip(FOUR_USERS, ends, strict=True) if end in done]
            await one.calls(stack, *lost)  # n1 is not there yet
            assert (await one.figure("voice_worker_up")).keys() >= {"n2"}
            assert await one.said("n1 ended (signal 9), starting it again in 0.2 s: its calls are lost", 1)
            assert await one.said("n1 serves again", 1, START_SECONDS)
            await one.becomes("voice_worker_up", n1=1, n2=1)
            assert await one.figure("voice_process_restarts_total") == {"n1": 1, "n2": 0, "haproxy": 0, "parent": 0}
            for end in others:
                assert not end.done()
                end.cancel()

    run(story())


@pytest.mark.thorough
def test_sigterm_lets_the_calls_of_all_workers_end() -> None:
    """Each is told; nobody is let in, and hears why from a server; then nothing is left, with exit code 0."""

    async def story() -> None:
        async with fleet(DRAIN_SECONDS="20") as one, AsyncExitStack() as stack:
            phones = await one.calls(stack, "user-1", "user-2")
            family = psutil.Process(one.server.process.pid).children(recursive=True)
            one.server.process.send_signal(signal.SIGTERM)
            folder = await folder_of(one)
            await one.said("draining 1 calls within 20 s", 2)
            async with Phone(one.server.url, "user-3") as late:
                assert (await late.closed()).code == 1001
            for phone in phones:
                await notified(phone, "draining")
                assert (await phone.closed()).code == 1001
            assert await asyncio.to_thread(one.server.process.wait, WITHIN) == 0
            await gone(family)
            assert not folder.exists()

    run(story())


@pytest.mark.thorough
def test_a_second_signal_ends_all_calls_at_once() -> None:
    """In order: each caller is told."""

    async def story() -> None:
        async with fleet(DRAIN_SECONDS="600") as one, AsyncExitStack() as stack:
            phones = await one.calls(stack, "user-1", "user-2")
            one.server.process.send_signal(signal.SIGTERM)
            await one.said("draining 1 calls", 2)
            one.server.process.send_signal(signal.SIGINT)
            for phone in phones:
                assert (await phone.closed()).code == 1001
            assert await asyncio.to_thread(one.server.process.wait, WITHIN) == 0

    run(story())


@pytest.mark.thorough
def test_a_worker_that_dies_in_a_drain_is_a_failure() -> None:
    """Its calls were lost: the exit code says so, once those of the others have ended in order."""

    async def story() -> None:
        async with fleet(DRAIN_SECONDS="600") as one, AsyncExitStack() as stack:
            phones = await one.calls(stack, "user-1", "user-2")
            one.server.process.send_signal(signal.SIGTERM)
            await one.said("draining 1 calls", 2)
            one.workers[0].kill()
            ends = [asyncio.ensure_future(phone.closed()) for phone in phones]
            await asyncio.wait(ends, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
            one.server.process.send_signal(signal.SIGINT)
            assert sorted([(await end).code for end in ends]) == [1001, 1006]
            assert await asyncio.to_thread(one.server.process.wait, WITHIN) == 1
            assert await one.said("stopped after a failure", 1)

    run(story())


@pytest.mark.thorough
def test_a_killed_parent_leaves_nothing() -> None:
    """No worker, no HAProxy, no socket; and each caller is told."""

    async def story() -> None:
        async with fleet() as one, AsyncExitStack() as stack:
            phones = await one.calls(stack, "user-1", "user-2")
            family = psutil.Process(one.server.process.pid).children(recursive=True)
            folder = await folder_of(one)
            assert sorted(path.name for path in folder.iterdir()) == ["haproxy", "n1", "n1.admin", "n2", "n2.admin"]
            assert folder.stat().st_mode & 0o077 == 0
            one.server.process.kill()
            for phone in phones:
                assert (await phone.closed()).code == 1001
            await gone(family)
            await until(lambda: not folder.exists())

    run(story())


@pytest.mark.thorough
def test_haproxy_that_dies_is_started_again() -> None:
    """Its calls are lost; who calls meanwhile waits in the queue of the socket, and is let in."""

    async def story() -> None:
        async with fleet() as one, AsyncExitStack() as stack:
            (phone,) = await one.calls(stack, "user-1")
            one.haproxy.kill()
            assert (await phone.closed()).code == 1006
            await one.calls(stack, "user-2")
            assert await one.said("haproxy ended (signal 9), starting it again in 0.2 s: all calls are lost", 1)
            await one.becomes("voice_process_restarts_total", n1=0, n2=0, haproxy=1)

    run(story())


@pytest.mark.thorough
def test_an_edit_of_the_personas_reaches_each_worker(tmp_path: Path) -> None:
    """A broken one reaches none; SIGHUP to the server has each of them read the file."""

    async def story() -> None:
        file = tmp_path / "personas.json"
        shutil.copy(Path("personas/astrologer_personas.json"), file)
        async with fleet("--personas", str(file)) as one, AsyncExitStack() as stack:
            whole = file.read_text()
            file.write_text(whole[:-20])
            await one.said("has faults; nothing has changed", 2)
            await one.calls(stack, "user-1", "user-2")
            file.write_text(whole.replace("Tina Kulkarni", "Tina K."))
            await one.said("was edited: from now on", 2)
            os.kill(one.server.process.pid, signal.SIGHUP)
            await one.said("is what is served already", 2)

    run(story())


@pytest.mark.thorough
def test_ctrl_c_is_for_the_server_alone() -> None:
    """The others, which would get it from the terminal too, go on until the calls have ended: ten seconds at most."""

    async def story(keys: int, terminal: int) -> None:
        async with fleet(terminal=terminal, DRAIN_SECONDS="3600") as one, AsyncExitStack() as stack:
            (phone,) = await one.calls(stack, "user-1")
            os.write(keys, b"\x03")
            await notified(phone, "draining")
            assert (await phone.closed()).code == 1001
            assert await asyncio.to_thread(one.server.process.wait, WITHIN) == 0
            await one.said("within 10 s", 3)
            assert "ended (" not in "".join(one.server.log)

    keys, terminal = os.openpty()
    try:
        run(story(keys, terminal))
    finally:
        os.close(keys)
        os.close(terminal)


@pytest.mark.thorough
def test_workers_have_one_local_engine_together() -> None:
    """Whichever of them has the call, it answers."""

    async def story() -> None:
        async with fleet(UPSTREAM_URL="") as one:
            async with Phone(one.server.url, "user-1") as first, Phone(one.server.url, "user-2") as second:
                for phone in (first, second):
                    await phone.choose(MOHIT)
                    await phone.answer()
                assert await one.figure("voice_callers") == {"n1": 1, "n2": 1}
                for phone in (first, second):
                    answer = await phone.ask((CLIPS / "en_come_back.m4a").read_bytes())
                    assert "boyfriend" in answer.text
            assert len(one.children("engine")) == 1
            (line,) = await one.said("listening on http", 1)
            assert "answered by local engine, 2 workers" in line

    run(story())
