"""A deploy as operators do it: a real server with the local engine's voices, streamed calls, and signals."""

import asyncio
import json
import os
import signal
import time
import urllib.error
import urllib.request
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from phone import CallEnded, Phone
from phone.stream import streaming
from tests.kit.engine_process import engine
from tests.kit.four import MOHIT, PRIYANKA, TINA
from tests.kit.process import STOP_SECONDS, Server, server
from tests.kit.story import WITHIN, run

RATE = 48_000
QUIET = 0.12  # seconds at the end of what was heard
ENDS = tuple(".?!।")
CALLED = (TINA, MOHIT, PRIYANKA, TINA)


@contextmanager
def draining(seconds: float) -> Iterator[Server]:
    """A server whose calls may go on for so long after SIGTERM."""
    with server(DRAIN_SECONDS=str(seconds), model=engine()) as one:
        yield one


def ready(one: Server) -> int:
    """The status of /ready."""
    try:
        with urllib.request.urlopen(f"http://{one.address}/ready", timeout=WITHIN) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return 0 if json.load(error)["ready"] else error.code


async def is_not_ready(one: Server) -> None:
    """Wait until no new calls are wanted."""
    async with asyncio.timeout(WITHIN):
        while await asyncio.to_thread(ready, one) != 503:  # noqa: ASYNC110  # it is another process
            await asyncio.sleep(0.05)


async def is_told(phone: Phone) -> tuple[float, CallEnded]:
    """When a call was told that it ends, and how it was closed."""
    assert (await phone.hear("notice"))["code"] == "draining"
    return time.monotonic(), await phone.closed()


def last_sound(phone: Phone) -> bytes:
    """The end of all that was heard."""
    return b"".join(message["pcm"] for message in phone.seen if message["type"] == "sound")[-int(QUIET * RATE) :]


@pytest.mark.thorough
def test_a_deploy_cuts_nobody_in_a_sentence() -> None:
    """Four callers hear a greeting, and go on: each ends in the pause behind a sentence, none before its time."""

    async def call(phone: Phone, astrologer: str, heard: asyncio.Event) -> tuple[float, CallEnded]:
        async with phone, streaming(phone):
            await phone.choose(astrologer, mode="stream")
            await phone.hear("sound")
            heard.set()
            return await is_told(phone)

    async def story(one: Server) -> None:
        heard = [asyncio.Event() for _ in CALLED]
        phones = [Phone(one.url, f"user-{number}") for number in range(len(CALLED))]
        calls = [asyncio.create_task(call(*each)) for each in zip(phones, CALLED, heard, strict=True)]
        await asyncio.gather(*(each.wait() for each in heard))
        asked = time.monotonic()
        one.process.send_signal(signal.SIGTERM)
        await is_not_ready(one)
        async with Phone(one.url, "late") as late:
            assert (await late.closed()).code == 1001
        ended = await asyncio.gather(*calls)
        assert min(at for at, _ in ended) >= asked + 1.0
        for (_, how), phone in zip(ended, phones, strict=True):
            assert how.code == 1001
            samples = array("h", last_sound(phone))
            assert max(samples) - min(samples) < 1000
            shown = [m["text"] for m in phone.seen if m["type"] == "transcript" and m["final"]]
            assert shown[-1].endswith(ENDS), shown

    with draining(11.5) as one:
        run(story(one))
        assert one.process.wait(STOP_SECONDS) == 0
        assert "stopping" not in "".join(one.log)


@pytest.mark.parametrize("second", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.thorough)])
def test_a_second_signal_ends_at_once(second: signal.Signals) -> None:
    """In order: the caller is told, and the exit code is 0."""

    async def story(one: Server) -> None:
        async with Phone(one.url, "user") as phone:
            await phone.choose(MOHIT, mode="stream")
            one.process.send_signal(signal.SIGTERM)
            await is_not_ready(one)
            one.process.send_signal(second)
            assert (await is_told(phone))[1].code == 1001

    with draining(3600) as one:
        run(story(one))
        assert one.process.wait(STOP_SECONDS) == 0


@contextmanager
def in_a_terminal() -> Iterator[tuple[Server, Callable[[], int]]]:
    """A server in a terminal of its own, and the key that interrupts it there, with all that it has started."""
    ours, theirs = os.openpty()
    try:
        with server(terminal=theirs, DRAIN_SECONDS="3600", model=engine()) as one:
            yield one, lambda: os.write(ours, b"\x03")
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.thorough
@pytest.mark.parametrize("times", [1, 2])
def test_who_presses_ctrl_c_waits_ten_seconds_at_most(times: int) -> None:
    """And none if they press it again. The engine and the decoders, which get it too, go on until then: exit code 0."""

    async def story(one: Server, press: Callable[[], int]) -> None:
        async with Phone(one.url, "user") as phone:
            await phone.choose(MOHIT, mode="stream")
            await phone.hear("sound")
            press()
            assert (await phone.hear("notice"))["code"] == "draining"
            if times == 2:
                press()
            assert (await phone.closed()).code == 1001
            shown = [m["text"] for m in phone.seen if m["type"] == "transcript" and m["final"]]
            assert times == 2 or shown[-1].endswith(ENDS), shown

    with in_a_terminal() as (one, press):
        run(story(one, press))
        assert one.process.wait(STOP_SECONDS) == 0
    log = "".join(one.log)
    assert "draining 1 calls within 10 s" in log
    assert ("stopping 1 calls" in log) == (times == 2)
    assert "lost generation" not in log
