"""A rolling upgrade: calls move between servers whose records have neighbouring versions, and back."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from phone import CallEnded
from phone.lasting import LastingPhone
from register.record import VERSION
from tests.kit.moving_processes import Fleet, fleet, kill, saved, says, talked
from tests.kit.process import Server
from tests.kit.redis import RedisServer, redis_server
from tests.kit.story import WITHIN, run

pytestmark = pytest.mark.thorough

USER = "user-1"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """One for all stories."""
    with redis_server() as one:
        yield one


async def started(servers: Fleet, **neighbours: int) -> list[Server]:
    """Servers of these names, all at once."""
    drain = ("--drain-seconds", "60")
    return await asyncio.gather(*(servers.start(name, *drain, neighbour=of) for name, of in neighbours.items()))


async def answered(redis: RedisServer) -> dict[str, Any]:
    """The record of the call, when nothing waits for an answer."""
    return await saved(redis, USER, lambda record: "question" not in record)


async def drained(one: Server, phone: LastingPhone, to: Server) -> None:
    """A server ends in order, and the call goes on there."""
    moved, phone.url = phone.moved, to.url
    one.process.send_signal(signal.SIGTERM)
    while phone.moved == moved:
        await phone.next()
    assert await asyncio.to_thread(one.process.wait, WITHIN) == 0


async def begins_anew(phone: LastingPhone, to: Server, versions: str) -> None:
    """The call cannot go on there: the caller is told so, and the log names the versions."""
    phone.url = to.url
    with pytest.raises(CallEnded, match=r"unknown: This server knows no such call"):
        await says(phone, "Are you there?")
    await asyncio.to_thread(to.lines, versions, 1)


def test_newer_servers_beside_ours(redis: RedisServer) -> None:
    """A call is drained to ours, and comes back when ours is killed: with all that ours does not know.

    Between the newer one and an older one, two versions apart, no call moves, and none is given away.
    """

    async def story() -> None:
        async with fleet(redis) as servers:
            a, b, c, d = await started(servers, a=1, b=0, c=1, d=-1)
            async with LastingPhone(a.url, USER) as phone:
                await talked(phone, "One.")
                record = await answered(redis)
                assert (record["version"], record["first"]) == (VERSION + 1, "a")
                await drained(a, phone, b)
                assert await says(phone, "Two.") == "You said One., then Two.."
                record = await answered(redis)
                assert (record["version"], record["first"]) == (VERSION, "a")
                letters = [(turn["text"], turn.get("letters")) for turn in record["turns"]]
                assert letters[1:] == [
                    ("One.", 4),
                    ("You said One..", 14),
                    ("Two.", None),
                    ("You said One., then Two..", None),
                ]
                phone.url = c.url
                kill(b)
                assert await says(phone, "Three.") == "You said One., then Two., then Three.."
                record = await answered(redis)
                assert (record["version"], record["first"]) == (VERSION + 1, "a")
                assert (phone.moved, phone.node) == (2, "c")
                phone.socket.transport.abort()
                await begins_anew(phone, d, f"version {VERSION + 1}, and version {VERSION - 1} is spoken here")
            async with LastingPhone(d.url, USER) as phone:
                assert await talked(phone, "Four.") == "You said Four.."
                (ended,) = await asyncio.to_thread(c.lines, "ended session=", 1)  # by the new call: nobody asked for it
                assert "code=4409" in ended
                assert "moved=1" not in ended
                await answered(redis)
                kill(d)
                await begins_anew(phone, c, f"version {VERSION - 1}, and version {VERSION + 1} is spoken here")

    run(story())


def test_an_older_server_beside_ours(redis: RedisServer) -> None:
    """Our call goes on there when ours is killed, and is drained to ours again: with all that it does not know."""

    async def story() -> None:
        async with fleet(redis) as servers:
            a, b, c = await started(servers, a=0, b=-1, c=0)
            async with LastingPhone(a.url, USER) as phone:
                await talked(phone, "One.")
                record = await saved(redis, USER, lambda record: record.get("disclosed") and "question" not in record)
                assert record["version"] == VERSION
                phone.url = b.url
                kill(a)
                assert await says(phone, "Two.") == "You said One., then Two.."
                record = await answered(redis)
                assert (record["version"], record["disclosed"]) == (VERSION - 1, True)
                await drained(b, phone, c)
                assert await says(phone, "Three.") == "You said One., then Two., then Three.."
                record = await answered(redis)
                assert (record["version"], record["disclosed"]) == (VERSION, True)
                assert (phone.moved, phone.node) == (2, "c")
                await phone.say(type="end")
                assert (await phone.closed()).code == 1000

    run(story())
