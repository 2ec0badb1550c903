"""Commands to Redis, each within a bounded time, and none while it is away.

No command is sent twice: most of them are not the same when they run twice, and a lost answer does not say whether the
command ran.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.exceptions import TimeoutError as LateAnswer

from register.patience import LateHere, Patience
from register.port import Bounds, RegisterAway
from register.presence import Presence
from register.scripts import Script, script

CONNECTIONS = 32  # for questions: on a late loop each takes some rounds, and so many are asked in one
OTHERS = 2  # connections: one listens, and one sees whether Redis is here again
FAILURES = (RedisError, OSError, TimeoutError)

CROWDED = "too much was asked at once"
OLDEST = 7  # the first version that reads the first line of our scripts

Value: TypeAlias = bytes | str | int
Call: TypeAlias = tuple[Sequence[str], Sequence[Value]]
"""The keys and the values of a script."""


def connect(url: str) -> Redis:
    """A client that opens connections when they are needed. Raises ValueError for an address of another kind."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS + OTHERS,
        timeout=None,  # each question has a time limit of its own, which costs no task
        socket_timeout=None,
        socket_connect_timeout=None,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return Redis.from_pool(pool)


def ms(seconds: float) -> int:
    """Whole milliseconds, at least one."""
    return max(1, math.ceil(seconds * 1000))


def why(error: BaseException) -> str:
    """What the log says of a failure: redis-py names host and port in it, and no password."""
    if isinstance(error, LateHere):
        return "this server was late itself"
    if isinstance(error, TimeoutError | LateAnswer):
        return "it did not answer in time"
    return str(error) or type(error).__name__


class Commands:
    """Runs scripts and commands within `bounds`; `presence` learns of each that fails.

    Who waits for their turn learns nothing of Redis by that: many ask at once when many calls begin, move or come back.
    """

    def __init__(self, client: Redis, presence: Presence, bounds: Bounds) -> None:
        self._client, self._presence, self._bounds = client, presence, bounds
        self._turns = asyncio.Semaphore(CONNECTIONS)

    async def run(self, name: str, keys: Sequence[str], *values: Value) -> Any:
        """The answer of a script. Raises RegisterAway."""
        return await self._bounded(name, lambda: self._script(script(name), keys, values))

    async def run_each(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """The answers of a script that runs several times, each time with its own keys. Raises RegisterAway."""
        return list(await self._bounded(name, lambda: self._scripts(script(name), calls))) if calls else []

    async def command(self, operation: str, *command: Value) -> Any:
        """The answer of a command. Raises RegisterAway."""
        return await self._bounded(operation, lambda: self._execute(*command))

    async def commands(self, operation: str, commands: Iterable[Sequence[Value]]) -> list[Any]:
        """The answers of several commands in one question. Raises RegisterAway."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return list(await self._bounded(operation, pipeline.execute))

    async def probe(self, key: str) -> None:
        """See that it is new enough, and writes. Raises one of FAILURES."""
        async with Patience(self._bounds.answer):
            version = str((await self._client.info("server")).get("redis_version", ""))
            if int(version.partition(".")[0] or 0) < OLDEST:
                raise RedisError(f"Redis {version} is too old, {OLDEST}.0 or newer is needed")
            await self._script(script("add"), [key], (1, 1000))

    async def _bounded(self, operation: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        presence = self._presence
        presence.asked[operation] += 1
        late = ""
        if presence.here and await self._has_turn():
            try:
                if presence.here:  # it may have gone meanwhile
                    async with Patience(self._bounds.answer):
                        return await ask()
            except LateHere as error:
                late = why(error)
            except FAILURES as error:
                presence.went(why(error))
            finally:
                self._turns.release()
        presence.unanswered[operation] += 1
        raise RegisterAway(late or presence.reason or CROWDED)

    async def _has_turn(self) -> bool:
        """Wait for a turn, which is to be released; False if none comes in time."""
        try:
            async with Patience(self._bounds.turn):
                return await self._turns.acquire()
        except TimeoutError:
            return False

    async def _scripts(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        """Redis knows a script by its name once it has run; a Redis that was started again knows none."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for keys, values in calls:
            pipeline.execute_command("EVALSHA", script.sha, len(keys), *keys, *values)
        answers = await pipeline.execute(raise_on_error=False)
        for number, answer in enumerate(answers):
            if isinstance(answer, NoScriptError):
                answers[number] = await self._script(script, *calls[number])
            elif isinstance(answer, Exception):
                raise answer
        return list(answers)

    async def _script(self, script: Script, keys: Sequence[str], values: Sequence[Value]) -> Any:
        try:
            return await self._execute("EVALSHA", script.sha, len(keys), *keys, *values)
        except NoScriptError:
            return await self._execute("EVAL", script.text, len(keys), *keys, *values)

    async def _execute(self, *command: Value) -> Any:
        return await self._client.execute_command(*command)  # type: ignore[no-untyped-call]
