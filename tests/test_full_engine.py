"""A whole server whose local engine is full: what callers are told, and that they are served again afterwards."""

import time

import pytest

from engine.load import NEGLIGIBLE, Load
from engine.worker import Workers
from phone import CallFailed, Phone
from tests.kit.exchange import CLIPS, Exchange, exchange
from tests.kit.four import MOHIT, TINA
from tests.kit.parts import SECOND
from tests.kit.story import run, until

CLIP = (CLIPS / "hi_love_me.m4a").read_bytes()
TURN = SECOND + bytes(2 * len(SECOND))


def one_at_a_time() -> Workers:
    """One thread, and nobody may wait for it."""
    return Workers(1, Load(1, limit=0.0))


async def talks(line: Exchange, phone: Phone, mode: str) -> None:
    """Somebody who has been greeted."""
    load = line.parts.workers.load
    await until(lambda: load.average_wait(time.monotonic()) < NEGLIGIBLE)
    await phone.choose(MOHIT, mode=mode)
    await (phone.reply() if mode == "stream" else phone.answer())
    await until(lambda: line.parts.queued == 0)


async def is_heard(line: Exchange, phone: Phone) -> None:
    """Somebody's clip keeps the engine's only thread."""
    line.ear.free.clear()
    await phone.send_clip(CLIP)
    await until(lambda: line.parts.queued == 1)


@pytest.mark.parametrize("mode", ["clip", "stream", "text"])
def test_who_would_wait_is_told_busy_and_is_served_when_it_is_said_again(mode: str) -> None:
    """A turn that the engine has no time for is refused at once; nobody is reconnected, and the call goes on."""

    async def say(phone: Phone) -> str:
        if mode == "clip":
            return (await phone.ask(CLIP)).text
        if mode == "text":
            await phone.say(type="text", text="Will I marry?")
            return (await phone.answer()).text
        await phone.speak(TURN)
        return (await phone.reply()).text

    async def story() -> None:
        async with exchange(workers=one_at_a_time()) as line, line.phone("a") as first, line.phone("b") as second:
            await talks(line, first, "clip")
            await talks(line, second, "stream" if mode == "stream" else "clip")
            await is_heard(line, first)
            with pytest.raises(CallFailed) as refused:
                await say(second)
            assert refused.value.code == "busy"
            line.ear.free.set()
            assert (await first.answer()).text
            await until(lambda: line.parts.queued == 0)
            assert await say(second)
            told = [message["code"] for message in second.seen if message["type"] in ("error", "notice")]
            assert told == ["busy"]

    run(story())


def test_a_new_caller_is_told_busy_at_the_greeting_and_may_stay() -> None:
    """Instead of a greeting that comes late; the line stays, and so does whoever is served."""

    async def story() -> None:
        async with exchange(workers=one_at_a_time()) as line, line.phone("a") as first, line.phone("b") as new:
            await talks(line, first, "clip")
            await is_heard(line, first)
            await new.choose(TINA)
            with pytest.raises(CallFailed) as refused:
                await new.answer()
            assert refused.value.code == "busy"
            await new.say(type="ping")
            await new.hear("pong")
            line.ear.free.set()
            assert (await first.answer()).text

    run(story())


def test_it_is_refused_as_often_as_it_is_said_and_not_by_itself() -> None:
    """Nothing is asked again behind the caller's back, so that refusals do not pile up."""

    async def story() -> None:
        async with exchange(workers=one_at_a_time()) as line, line.phone("a") as first, line.phone("b") as second:
            await talks(line, first, "clip")
            await talks(line, second, "clip")
            await is_heard(line, first)
            for _ in range(5):
                with pytest.raises(CallFailed) as refused:
                    await second.ask(CLIP)
                assert refused.value.code == "busy"
            assert line.parts.queued == 1
            line.ear.free.set()
            await first.answer()
            await until(lambda: line.parts.queued == 0)
            assert (await second.ask(CLIP)).text.count("seconds") == 1

    run(story())
