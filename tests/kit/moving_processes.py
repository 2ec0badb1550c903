"""Servers of a fleet as processes, with a real Redis, and one model for all of them in the test's own process."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.ear.vad import Loudness
from engine.parts import Parts
from engine.server import PATH
from engine.server import Server as Engine
from engine.worker import Workers
from phone.lasting import LastingPhone
from tests.kit import secrets
from tests.kit.four import TINA
from tests.kit.parts import Echo, Measure, Tones, loud
from tests.kit.process import PROGRAM, Server, server
from tests.kit.redis import RedisServer
from tests.kit.story import until

TOKEN = secrets.key("of-the-model-of-a-fleet")


@dataclass
class Fleet:
    """Servers by their names, which are started as they are asked for."""

    redis: RedisServer
    engine: Engine
    upstream: str
    token: str
    stack: ExitStack
    servers: dict[str, Server] = field(default_factory=dict)

    async def start(
        self,
        name: str,
        *options: str,
        register: str = "",
        neighbour: int = 0,
        program: Sequence[str] = PROGRAM,
        entering: Sequence[str] = (),
    ) -> Server:
        """One more server of this name; of an option that is said twice the last one counts.

        A `neighbour` is of the version after this, 1, or before it, -1; `program` and `entering` are as of `server`.
        """
        told = {"UPSTREAM_API_KEY": self.token, "REGISTER_URL": register or self.redis.url, "NODE": name}
        if neighbour:
            told["NEIGHBOUR"], program = str(neighbour), ("-m", "tests.kit.neighbour")
        options = ("--upstream-url", self.upstream, *options)
        one = server(*options, handles=0, terminal=0, program=program, entering=entering, model=None, **told)
        self.servers[name] = await asyncio.to_thread(self.stack.enter_context, one)
        await asyncio.to_thread(self.servers[name].lines, "the register is here", 1)
        return self.servers[name]


@asynccontextmanager
async def fleet(redis: RedisServer, token: str = TOKEN) -> AsyncIterator[Fleet]:
    """Servers of one fleet; the model is light, says what it was told, and wants this token, if it is any."""
    parts = Parts(Tones(0.5), Measure(), loud, Echo(), Loudness, Workers(2))
    engine = Engine(parts, token=token or None)
    async with engine.listen("127.0.0.1", 0) as port:
        with ExitStack() as stack:
            try:
                yield Fleet(redis, engine, f"ws://127.0.0.1:{port}{PATH}", token, stack)
            finally:
                await asyncio.to_thread(stack.close)
    parts.close()


def kill(one: Server) -> None:
    """As by kill -9, of the server alone: the children end by themselves."""
    one.process.send_signal(signal.SIGKILL)
    one.process.wait()


async def saved(redis: RedisServer, user: str, as_: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The record of this user's call as it lies in Redis, once it is like this."""
    record: dict[str, Any] = {}

    def found() -> object:
        nonlocal record
        kept = redis.says("GET", f"voice:record:{{{user}}}").strip()
        record = orjson.loads(kept) if kept.startswith(b"{") else {}
        return record and as_(record)

    await until(found, lambda: f"{record}")
    return record


async def talked(phone: LastingPhone, words: str = "Hello.") -> str:
    """The persona greets, and answers something: returns the answer."""
    await phone.choose(TINA, mode="stream")
    await phone.reply()
    return await says(phone, words)


async def says(phone: LastingPhone, words: str) -> str:
    """The caller types something: returns the answer to it, not what they cut by asking."""
    await phone.say(type="text", text=words)
    while words not in (answer := (await phone.reply()).text):
        pass
    return answer
