"""What is written to Redis is forgotten there by itself: nobody clears up, and a full one refuses all."""

import pytest

from register import Spent
from tests.kit.redis import RedisServer, nodes_of
from tests.kit.story import run

TOKEN = b"t" * 32
MINUTE, HOUR = 60.0, 3600.0
TIMES = {
    "call:{claimed}": HOUR,
    "call:{saved}": HOUR,
    "call:{ended}": HOUR,
    "record:{saved}": 5 * MINUTE,
    "record:{ended}": 10 * MINUTE,
    "places:{tina}": 10 * MINUTE,
    "holders:{tina}": 10 * MINUTE,
    "begun:u1": 5 * MINUTE,
    "used:token": 5 * MINUTE,
    "spent:day": HOUR,
}
"""In seconds."""


def left(redis: RedisServer) -> dict[str, float]:
    """The seconds that each key has left, negative if it is kept for ever; without its prefix."""
    names = [line for line in redis.says("KEYS", "voice:*").decode().splitlines() if line.startswith("voice:")]
    answers = {name: redis.says("PTTL", name).decode().strip().removeprefix(":") for name in names}
    return {name.removeprefix("voice:"): int(ms) / 1000 for name, ms in answers.items()}


def test_every_key_has_its_time(redis: RedisServer) -> None:
    """Of each operation: a record as long as was said, an epoch an hour, limits as long as they count."""

    async def story() -> None:
        async with nodes_of(redis) as node:
            a = await node("a")
            claimed, ended = await a.claim("claimed", TOKEN, MINUTE), await a.claim("ended", TOKEN, MINUTE)
            saved = await a.claim("saved", TOKEN, MINUTE)
            await a.save(saved, b"record", 5 * MINUTE)
            await a.end(ended, b"bill", 10 * MINUTE)
            await a.limits.occupy("tina", claimed, 2, MINUTE)
            await a.limits.occupy("tina", saved, 2, 10 * MINUTE)
            await a.limits.occupy("tina", claimed, 2, MINUTE)
            await a.limits.begins("u1", 3, 5 * MINUTE)
            await a.limits.use("token", 3, 5 * MINUTE)
            await a.limits.spend([Spent("day", 5, HOUR)])
            found = left(redis)
            found.pop("node:a:probe", None)  # of a second
            assert found == {name: pytest.approx(seconds, abs=MINUTE / 2) for name, seconds in TIMES.items()}

    run(story())


def test_a_call_that_is_taken_is_kept_as_long_as_was_said(redis: RedisServer) -> None:
    """Not for what was left of the time of the node before."""

    async def story() -> None:
        async with nodes_of(redis) as node:
            a, b = await node("a"), await node("b")
            await a.save(await a.claim("u1", TOKEN, MINUTE), b"record", MINUTE)
            await b.take("u1", TOKEN, 10 * MINUTE)
            assert left(redis)["record:{u1}"] == pytest.approx(10 * MINUTE, abs=MINUTE / 2)

    run(story())


def test_a_moment_to_open_is_forgotten_when_it_is_past(redis: RedisServer) -> None:
    """A key of some milliseconds."""

    async def story() -> None:
        async with nodes_of(redis) as node:
            a = await node("a")
            assert await a.limits.opening(0.01, 1000.0) == 0.0
            assert left(redis)["opening"] == pytest.approx(100.0, abs=MINUTE / 2)

    run(story())
