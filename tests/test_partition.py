"""A server that is cut off: it is in a network namespace, and its cables are pulled in the middle of a call.

                    ═══ front ═══ callers, the model, server b
namespace: server a
                    ═══ back ════ Redis
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from engine.server import PATH
from phone.lasting import LastingPhone
from tests.kit.moving_processes import fleet, says, talked
from tests.kit.namespaces import Cable, Namespace, namespace
from tests.kit.process import Server
from tests.kit.redis import RedisServer, redis_server
from tests.kit.story import WITHIN, run
from upstream.facts import BYTES_PER_MS

pytestmark = pytest.mark.thorough

PORT = "6379"
SILENT = {"ping_interval": None}  # a client that does not find out by itself that a line is dead
UNNOTICED_MS = 3000  # of sound that waits for its receipt: then no more is sent
# The stories have a loop each: the threads of the one that others share are in another network.


@dataclass
class Island:
    """Where server a will be: a namespace with two cables, and the Redis that it reaches over one of them."""

    place: Namespace
    front: Cable
    back: Cable
    redis: RedisServer


@pytest.fixture
def island() -> Iterator[Island]:
    """One for each test."""
    with namespace() as place:
        front, back = place.cable(), place.cable()
        with redis_server("--port", PORT, "--bind", back.here, "--protected-mode", "no") as redis:
            yield Island(place, front, back, redis)


@asynccontextmanager
async def servers(island: Island) -> AsyncIterator[tuple[Server, Server]]:
    """Server a on the island, b here."""
    async with fleet(island.redis, token="") as both, both.engine.listen(island.front.here, 0) as port:
        model = f"ws://{island.front.here}:{port}{PATH}"
        reached = ("--host", island.front.there, "--open", "--upstream-url", model)
        register = f"redis://{island.back.here}:{PORT}"
        far = both.start("a", *reached, register=register, entering=island.place.entering)
        a, b = await asyncio.gather(far, both.start("b"))
        yield a, b


def epoch(redis: RedisServer, user: str) -> bytes:
    """Of the newest life of this user's call, and the node that has it."""
    return redis.says("HMGET", f"voice:call:{{{user}}}", "epoch", "node")


async def no_pong(line: ClientConnection) -> None:
    """What a client finds out before it gives up a connection: nobody is there."""
    pong = await line.ping()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.0):
            await pong


async def to_its_end(line: ClientConnection) -> list[str | bytes]:
    """All frames that come before this connection is closed."""
    frames = list[str | bytes]()
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                frames.append(await line.recv())
    except ConnectionClosed:
        return frames


def facts(line: str) -> dict[str, str]:
    """What a line of the log says, by name."""
    return dict(part.split("=", 1) for part in line.split() if "=" in part)


async def has_ended(a: Server, island: Island) -> dict[str, str]:
    """What the log says of the call that ended there; nothing else of it is left."""
    line = (await asyncio.to_thread(a.lines, "ended session=", 1))[0]
    metrics = a.metrics

    def left() -> list[str]:
        actors = re.findall(r"^voice_actors{.*} [1-9].*$", island.place.read(metrics), re.M)
        assert any("supervisor" in one for one in actors)
        calls = [one for one in actors if "supervisor" not in one and "registrar" not in one]
        return calls + [one for one in island.place.connections() if island.back.here not in one]

    async with asyncio.timeout(WITHIN):
        while await asyncio.to_thread(left):
            pass
    return facts(line)


async def is_let_go(line: ClientConnection, a: Server, island: Island) -> tuple[float, list[str | bytes]]:
    """The call is over at a, which bills nothing of it: the seconds that went on, and what came over its connection."""
    late = await to_its_end(line)
    assert line.close_code == 4410
    ended = await has_ended(a, island)
    assert ended["moved"] == "1"
    assert float(ended["carried"]) > 0
    assert float(ended["unbilled"]) > 0
    assert "price" not in ended
    return float(ended["carried"]), late


async def goes_on(phone: LastingPhone, b: Server, redis: RedisServer, life: bytes, carried: float) -> None:
    """The call is at b, in the same life as before, with its memory; and b bills it, with the seconds from before."""
    assert (await says(phone, "Two.")).startswith("You said One.")
    assert epoch(redis, phone.user) == life
    await phone.say(type="end")
    assert (await phone.closed()).code == 1000
    (line,) = await asyncio.to_thread(b.lines, "ended session=", 1)
    ended = facts(line)
    assert ended["taken"] == "1"
    assert "price" in ended
    billed = int(ended["personas"].rpartition(":")[2])
    assert int(carried) <= billed <= carried + float(ended["seconds"])


def test_a_server_whose_cables_are_pulled(island: Island) -> None:
    """Its caller goes on elsewhere; when it is back, it saves nothing, writes down what nobody bills, and lets go."""

    async def story() -> None:
        async with servers(island) as (a, b), LastingPhone(a.url, "user-1", keepalive=SILENT) as phone:
            await talked(phone, "One.")
            await phone.say(type="text", text="This is a long sentence. " * 20)
            await phone.hear("sound")
            island.front.pull()
            island.back.pull()
            before, phone.url = phone.socket, b.url
            await no_pong(before)
            await phone.comes_back()
            assert (phone.moved, phone.node) == (1, "b")
            life = epoch(island.redis, phone.user)
            island.front.plug()
            island.back.plug()
            carried, late = await is_let_go(before, a, island)
            assert sum(len(one) for one in late if isinstance(one, bytes)) <= UNNOTICED_MS * BYTES_PER_MS
            await goes_on(phone, b, island.redis, life, carried)
            assert await asyncio.to_thread(a.stop) == 0

    run(story(), asyncio.new_event_loop)


def test_a_server_that_does_not_reach_redis_alone(island: Island) -> None:
    """Its caller has a line to it, and goes on elsewhere all the same: it speaks on that line until Redis is back."""

    async def story() -> None:
        async with servers(island) as (a, b), LastingPhone(a.url, "user-2", keepalive=SILENT) as phone:
            await talked(phone, "One.")
            island.back.pull()
            await asyncio.to_thread(a.lines, "the register is away", 1)
            assert (await says(phone, "Are you there?")).endswith("then Are you there?.")
            before, phone.url = phone.socket, b.url
            await phone.comes_back()
            assert (phone.moved, phone.node) == (1, "b")
            life = epoch(island.redis, phone.user)
            await (await before.ping())
            island.back.plug()
            carried, _ = await is_let_go(before, a, island)
            await goes_on(phone, b, island.redis, life, carried)
            assert await asyncio.to_thread(a.stop) == 0

    run(story(), asyncio.new_event_loop)
