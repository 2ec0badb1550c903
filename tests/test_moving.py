"""Calls of a fleet: real servers, a real Redis, a server that is killed, stopped, or drained."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from phone import CallEnded, Phone
from phone.lasting import LastingPhone
from tests.kit.four import TINA
from tests.kit.moving_processes import Fleet, fleet, kill, saved, says, talked
from tests.kit.redis import RedisServer, Slow, redis_server
from tests.kit.story import WITHIN, run

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """One for all stories."""
    with redis_server() as one:
        yield one


def test_a_call_outlives_its_server(redis: RedisServer) -> None:
    """Killed with -9: on the other one the persona goes on, remembers what was said, and does not greet."""

    async def story() -> None:
        async with fleet(redis) as servers:
            a, b = await servers.start("a"), await servers.start("b")
            async with LastingPhone(a.url, "user-1") as phone:
                assert await talked(phone, "One.") == "You said One.."
                assert phone.node == "a"
                await saved(redis, "user-1", lambda record: "question" not in record)
                phone.url = b.url
                kill(a)
                answer = await says(phone, "Two.")
                assert answer == "You said One., then Two.."
                assert (phone.moved, phone.node) == (1, "b")
                resumed = next(one for one in phone.seen if one["type"] == "notice" and one["code"] == "resumed")
                assert resumed
                await phone.say(type="end")
                assert (await phone.closed()).code == 1000
                summary = phone.seen[-1]
                assert summary["type"] == "summary"
            assert "taken=1" in b.lines("ended session=", 1)[0]

    run(story())


async def left_on(phone: LastingPhone) -> list[str | bytes]:
    """All frames that are still on this phone's connection, or on their way to it, until nothing comes for a second."""
    frames = list[str | bytes]()
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(1.0):
                frames.append(await phone.socket.recv())
    return frames


async def until_closed(phone: LastingPhone) -> list[str | bytes]:
    """All frames that come before the close."""
    frames = list[str | bytes]()
    with suppress(ConnectionClosed):
        while True:
            frames.append(await asyncio.wait_for(phone.socket.recv(), WITHIN))
    return frames


def test_a_server_that_was_stopped_says_nothing_more(redis: RedisServer) -> None:
    """Its call went on elsewhere; when it goes on itself, no frame comes before the close, and nothing is saved."""

    async def story() -> None:
        async with fleet(redis) as servers:
            a, b = await servers.start("a"), await servers.start("b")
            new = LastingPhone(b.url, "user-2")  # the same client, which has given up its first connection
            async with LastingPhone(a.url, "user-2") as old:
                await talked(old, "One.")
                await old.say(type="text", text="This is a long sentence. " * 20)
                await old.hear("sound")
                a.process.send_signal(signal.SIGSTOP)
                try:
                    await left_on(old)
                    new.token, new.attach, new.received = old.token, old.attach, old.received
                    await new.comes_back()
                    assert new.moved == 1
                    epoch = redis.says("HGET", "voice:call:{user-2}", "epoch")
                finally:
                    a.process.send_signal(signal.SIGCONT)
                said = await until_closed(old)
                assert said == []
                assert old.socket.close_code == 4410
                assert (await says(new, "Two.")).startswith("You said One.")
                assert redis.says("HGET", "voice:call:{user-2}", "epoch") == epoch
                assert "moved=1" in (await asyncio.to_thread(a.lines, "ended session=", 1))[0]
                assert await asyncio.to_thread(a.lines, "nothing was done here", 1)
                await new.say(type="end")
                await new.closed()

    run(story())


def test_a_drain_moves_calls(redis: RedisServer) -> None:
    """A server is told to end: its callers are at the other one within seconds, and no sentence is cut."""

    async def call(url: str, elsewhere: str, number: int, told: asyncio.Event) -> LastingPhone:
        phone = LastingPhone(url, f"caller-{number}", {"mode": "stream"})
        async with phone:
            await talked(phone, f"Caller {number} speaks.")
            phone.url = elsewhere
            told.set()
            while phone.moved == 0:
                await phone.next()
            assert (await says(phone, "And now?")).startswith(f"You said Caller {number} speaks.")
            await phone.say(type="end")
            assert (await phone.closed()).code == 1000
        return phone

    async def story() -> None:
        async with fleet(redis) as servers:
            a = await servers.start("a", "--drain-seconds", "60")
            b = await servers.start("b")
            told = [asyncio.Event() for _ in range(4)]
            calls = [asyncio.create_task(call(a.url, b.url, n, one)) for n, one in enumerate(told)]
            await asyncio.gather(*(one.wait() for one in told))
            began = time.monotonic()
            a.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(a.process.wait, WITHIN) == 0
            assert time.monotonic() - began < 40.0
            phones = await asyncio.gather(*calls)
            assert [phone.moved for phone in phones] == [1] * 4
            assert len([line for line in a.log if "moved=1" in line]) == 4
            assert len(await asyncio.to_thread(b.lines, "taken=1", 4)) == 4

    run(story())


@pytest.mark.parametrize("times", [200])
def test_of_two_racing_connections_one_call_is_left(redis: RedisServer, times: int) -> None:
    """A user calls on both servers in one moment, again and again: each time one call is left, the other gets 4409."""

    async def call(phone: Phone) -> CallEnded | None:
        """How the call was closed while it began; None if it is there."""
        try:
            await phone.__aenter__()
            await phone.choose(TINA)
        except CallEnded as ended:
            return ended
        return None

    async def race(urls: tuple[str, str], user: str) -> None:
        phones = [Phone(url, user) for url in urls]
        ended = await asyncio.gather(*map(call, phones))
        closing = {
            asyncio.ensure_future(phone.closed()): phone for phone, how in zip(phones, ended, strict=True) if not how
        }
        codes = [how.code for how in ended if how]
        if not codes:
            done, _ = await asyncio.wait(closing, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
            codes = [one.result().code for one in done]
        assert codes == [4409]
        (left, phone), *none = [(one, phone) for one, phone in closing.items() if not one.done()]
        assert none == []
        await phone.say(type="end")
        assert (await left).code == 1000
        for each in phones:
            await each.socket.close()

    async def story() -> None:
        async with fleet(redis) as servers:
            urls = (await servers.start("a")).url, (await servers.start("b")).url
            for first in range(0, times, 10):
                await asyncio.gather(*(race(urls, f"racer-{first + number}") for number in range(10)))

    run(story())


async def all_log(servers: Fleet, about: str, count: int) -> None:
    """Wait until each server has logged this so often."""
    for one in servers.servers.values():
        await asyncio.to_thread(one.lines, about, count)


def test_calls_do_without_redis(redis: RedisServer) -> None:
    """It stands still, is killed and comes back empty: the call goes on, over another line, too, and moves then."""

    async def story() -> None:
        async with fleet(redis) as servers:
            a, b = await servers.start("a"), await servers.start("b")
            async with LastingPhone(a.url, "user-4") as phone:
                await talked(phone, "One.")
                redis.pause()
                await all_log(servers, "the register is away", 1)
                phone.socket.transport.abort()
                assert (await says(phone, "Two.")).endswith("then Two..")
                assert (phone.resumed, phone.moved) == (1, 0)
                redis.go_on()
                await all_log(servers, "the register is here", 2)
                redis.kill()
                await all_log(servers, "the register is away", 2)
                assert (await says(phone, "Three.")).endswith("then Three..")
                async with Phone(b.url, "user-4", {"resume": "true"}) as other:
                    await other.say(type="resume", token=phone.token, attach=phone.attach, received=phone.received)
                    assert (await other.hear("not_resumed"))["code"] == "unavailable"
                redis.start()
                await saved(redis, "user-4", lambda record: len(record["turns"]) >= 7 and "question" not in record)
                phone.url = b.url
                kill(a)
                assert (await says(phone, "Four.")).endswith("then Two., then Three., then Four..")
                assert phone.moved == 1
                await phone.say(type="end")
                await phone.closed()

    run(story())


def test_a_server_to_which_redis_answers_late(redis: RedisServer) -> None:
    """It takes late answers for none. Its call goes on elsewhere; it learns that from the first answer in time."""

    async def story() -> None:
        async with Slow(redis).open() as slow, fleet(redis) as servers:
            a, b = await asyncio.gather(servers.start("a", register=slow.url), servers.start("b"))
            async with LastingPhone(a.url, "user-5") as phone:
                await talked(phone, "One.")
                await saved(redis, phone.user, lambda record: "question" not in record)
                slow.seconds = 1.0
                await asyncio.to_thread(a.lines, "the register is away", 1)
                assert (await says(phone, "Two.")).endswith("then Two..")
                before, phone.url = phone.socket, b.url
                await phone.comes_back()
                assert phone.moved == 1
                epoch = redis.says("HGET", f"voice:call:{{{phone.user}}}", "epoch")
                slow.seconds = 0.0
                async with asyncio.timeout(WITHIN):
                    await before.wait_closed()
                assert before.close_code == 4410
                assert "moved=1" in (await asyncio.to_thread(a.lines, "ended session=", 1))[0]
                assert redis.says("HGET", f"voice:call:{{{phone.user}}}", "epoch") == epoch
                assert (await says(phone, "Three.")).startswith("You said One.")
                await phone.say(type="end")
                await phone.closed()

    run(story())
