"""The register in Redis: each operation is one script or command there, and one question on the way.

    voice:call:{USER}      epoch, node, token, ended      for EPOCH_SECONDS after the last save
    voice:record:{USER}    the record                     as long as its save said
    voice:places:{PERSONA}, voice:holders:{PERSONA}       who has a place until when, with which epoch
    voice:begun:USER, voice:used:TOKEN, voice:spent:KEY, voice:under:USER, voice:opening
    voice:node:NODE        a channel: "kick EPOCH USER", "moved EPOCH USER", "yield EPOCH ASKER NUMBER USER",
                           "yielded NUMBER 0|1"

Braces: the keys of one script lie in one slot of a Redis Cluster. The client here speaks to one Redis, or to a proxy
that knows the cluster.
"""

import asyncio
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress

from redis.asyncio import Redis

from register.port import (
    BOUNDS,
    EPOCH_SECONDS,
    Bounds,
    Claim,
    Epoch,
    Holder,
    Kicked,
    Listener,
    Past,
    RegisterAway,
    SharedLimits,
    Taken,
    YieldAsked,
)
from register.presence import Presence
from register.redis_channel import Channel
from register.redis_commands import Commands, ms
from register.redis_limits import RedisLimits

PREFIX = "voice:"
EPOCH_MS = round(EPOCH_SECONDS * 1000)
NO_CALL, NOT_ELSEWHERE = -1, -2  # as ask.lua says
MOST_ASKED = 50  # epochs in one question: to write and read it takes a millisecond


class RedisRegister:
    """Begins away, and comes as soon as Redis answers. Made on the event loop on which it is used."""

    def __init__(self, client: Redis, node: str, bounds: Bounds = BOUNDS, prefix: str = PREFIX) -> None:
        self.node = node
        self.presence = Presence(asyncio.get_running_loop().time, here=False)
        self._client, self._bounds, self._prefix = client, bounds, prefix
        self._nodes = f"{prefix}node:"
        self._commands = Commands(client, self.presence, bounds)
        self.limits: SharedLimits = RedisLimits(self._commands, prefix)
        self._channel = Channel(client, self._commands, self.presence, bounds)
        self._listener: Listener | None = None
        self._yielding: dict[str, asyncio.Future[bool]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self._channel.open(self._nodes + node, self._hear)

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    async def close(self) -> None:
        await self._channel.close()
        for answer in self._answers:
            answer.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)
        await self._client.aclose(close_connection_pool=True)
        await asyncio.sleep(0)  # asyncio closes a socket one round of the loop later

    async def claim(self, user: str, token: bytes, seconds: float) -> Claim:
        kept = max(EPOCH_MS, ms(seconds))
        epoch = await self._commands.run("claim", self._call(user), user, self.node, token, kept, self._nodes)
        return Claim(user, Epoch(int(epoch)), token)

    async def save(self, claim: Claim, record: bytes, seconds: float) -> bool:
        return await self._save(claim, record, seconds, ended=0)

    async def end(self, claim: Claim, record: bytes, seconds: float) -> bool:
        return await self._save(claim, record, seconds, ended=1)

    async def _save(self, claim: Claim, record: bytes, seconds: float, ended: int) -> bool:
        head = (claim.user, self.node, claim.token, max(EPOCH_MS, ms(seconds)), self._nodes)
        keys = self._call(claim.user)
        return bool(await self._commands.run("save", keys, *head, claim.epoch, record, ms(seconds), ended))

    async def own(self, claim: Claim) -> Claim | None:
        call, record = self._call(claim.user)
        asked = [("HMGET", call, "epoch", "node", "token"), ("EXISTS", record)]
        (epoch, *whose), is_kept = await self._commands.commands("own", asked)
        if not epoch or is_kept or whose != [self.node.encode(), claim.token]:
            return None
        return Claim(claim.user, Epoch(int(epoch)), claim.token)

    async def look(self, user: str, token: bytes) -> bytes | None:
        call, record = self._call(user)
        whose, kept = await self._commands.commands("look", [("HGET", call, "token"), ("GET", record)])
        return bytes(kept or b"") if whose == token else None

    async def ask_to_yield(self, user: str, token: bytes) -> Holder:
        number = secrets.token_hex(8)
        answer = self._yielding[number] = asyncio.get_running_loop().create_future()
        try:
            keys = self._call(user)[:1]
            asked = await self._commands.run("ask", keys, user, self.node, token, self._nodes, number)
            if asked == NO_CALL:
                return Holder.UNKNOWN
            if asked in (NOT_ELSEWHERE, 0):
                return Holder.ABSENT
            async with asyncio.timeout(self._bounds.yielding):
                return Holder.YIELDED if await answer else Holder.ABSENT
        except TimeoutError:
            return Holder.SILENT
        finally:
            del self._yielding[number]

    async def answer(self, asked: YieldAsked, yielded: bool) -> None:
        told = f"yielded {asked.number} {int(yielded)}"
        await self._commands.command("answer", "PUBLISH", self._nodes + asked.asker, told)

    async def take(self, user: str, token: bytes, seconds: float) -> Taken | Past | None:
        head = (user, self.node, token, max(EPOCH_MS, ms(seconds)), self._nodes)
        found = await self._commands.run("take", self._call(user), *head, ms(seconds))
        if not found:
            return None
        epoch, record = int(found[0]), found[1]
        return Taken(Claim(user, Epoch(epoch), token), record) if epoch else Past(record)

    async def epochs(self, users: Collection[str]) -> Mapping[str, Epoch]:
        asked, found = list(users), dict[str, Epoch]()
        for first in range(0, len(asked), MOST_ASKED):
            some = asked[first : first + MOST_ASKED]
            answers = await self._commands.commands("epochs", [("HGET", self._call(user)[0], "epoch") for user in some])
            found |= {user: Epoch(int(epoch)) for user, epoch in zip(some, answers, strict=True) if epoch}
        return found

    # Keys, and messages of other nodes.

    def _call(self, user: str) -> list[str]:
        return [f"{self._prefix}call:{{{user}}}", f"{self._prefix}record:{{{user}}}"]

    def _hear(self, message: str) -> None:
        """Raises ValueError if it is no message of ours."""
        kind, _, rest = message.partition(" ")
        match kind:
            case "kick" | "moved":
                epoch, user = rest.split(" ", 1)
                self._tell(Kicked(user, Epoch(int(epoch)), moved=kind == "moved"))
            case "yield":
                epoch, asker, number, user = rest.split(" ", 3)
                self._tell(YieldAsked(user, Epoch(int(epoch)), asker, number))
            case "yielded":
                number, yielded = rest.split(" ")
                waiting = self._yielding.get(number)
                if waiting and not waiting.done():
                    waiting.set_result(yielded == "1")
            case _:
                raise ValueError(kind)

    def _tell(self, message: Kicked | YieldAsked) -> None:
        if self._listener:
            self._listener(message)
        elif isinstance(message, YieldAsked):
            task = asyncio.get_running_loop().create_task(self._refuse(message))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def _refuse(self, asked: YieldAsked) -> None:
        """Nobody here has calls: nothing listens."""
        with suppress(RegisterAway):  # the asker has its time limit
            await self.answer(asked, yielded=False)
