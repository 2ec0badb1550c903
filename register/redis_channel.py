"""What other nodes tell this one through Redis, and whether Redis is here at all.

One connection listens and does nothing else. It is what decides between here and away:

    connect, subscribe, write something ──▶ here ──▶ a message, or a pong at least every pause + answer
         ▲                                                   │ neither, or a command failed
         └─────────────── pause ◀───────── away ◀────────────┘
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from register.patience import LateHere, Patience
from register.port import Bounds
from register.presence import Presence
from register.redis_commands import FAILURES, Commands, why

log = logging.getLogger(__name__)


class Channel:
    """Keeps one subscription until it is closed. `told` gets each message; it must not block."""

    def __init__(self, client: Redis, commands: Commands, presence: Presence, bounds: Bounds) -> None:
        self._client, self._commands, self._presence, self._bounds = client, commands, presence, bounds
        self._name = ""
        self._told: Callable[[str], None] = _nobody
        self._keeper: asyncio.Task[None] | None = None

    def open(self, name: str, told: Callable[[str], None]) -> None:
        """Begin to listen to the channel of this name, as soon as Redis is here."""
        self._name, self._told = name, told
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Listen no more."""
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    async def _keep(self) -> None:
        while True:
            try:
                async with self._client.pubsub() as pubsub:
                    async with Patience(self._bounds.answer):
                        await pubsub.subscribe(self._name)
                        await self._next(pubsub)
                    await self._listen(pubsub)
            except LateHere:
                continue
            except FAILURES as error:
                self._presence.went(why(error))
            await asyncio.sleep(self._bounds.pause)

    async def _listen(self, pubsub: PubSub) -> None:
        """Until nothing comes any more. Raises one of FAILURES."""
        await self._return()
        while True:
            message = await pubsub.get_message(timeout=self._bounds.pause)
            if message is None:
                async with Patience(self._bounds.answer):
                    await pubsub.ping()
                    message = await self._next(pubsub)
            if message["type"] == "message":
                self._tell(message["data"])
            if not self._presence.here:
                await self._return()

    async def _return(self) -> None:
        """It is here if it can write: a Redis without memory, or a replica, still answers pings."""
        await self._commands.probe(f"{self._name}:probe")
        self._presence.came()

    async def _next(self, pubsub: PubSub) -> dict[str, Any]:
        while (message := await pubsub.get_message(timeout=self._bounds.answer)) is None:
            pass
        return dict(message)

    def _tell(self, data: bytes) -> None:
        try:
            self._told(data.decode())
        except ValueError:
            log.warning("a message that is none came over %s", self._name)
        except Exception:  # of whoever listens: the next message must come all the same
            log.exception("a message of another node was not handled")


def _nobody(message: str) -> None:
    """Before it is opened."""
