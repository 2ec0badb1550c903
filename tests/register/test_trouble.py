"""A Redis that is started again, stands still, is late, full or lost: what a register in it says, and what it keeps."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from random import Random
from typing import TypeVar

import pytest

from register import Bounds, Register, RegisterAway, Spent, open_register, redis_commands
from tests.kit.redis import PATIENT, RedisServer, Slow, nodes_of, redis_server
from tests.kit.story import WITHIN, run, until

T = TypeVar("T")

TOKEN = b"t" * 32
KEPT = 600.0
BRIEF = Bounds(answer=0.5, pause=0.05)
"""For what is to be noticed: on a machine that is busy, a register with it may be away for a moment at any time."""


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """One to do anything to."""
    with redis_server() as server:
        yield server


async def insist(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, once there is one."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                return await ask()
            except RegisterAway:
                await asyncio.sleep(0.01)


async def away(register: Register) -> None:
    """Wait until it is noticed, by itself, that nothing answers."""
    await until(lambda: not register.presence.here)
    with pytest.raises(RegisterAway):
        await register.claim("somebody", TOKEN, KEPT)


def test_a_redis_that_is_started_again(own_redis: RedisServer) -> None:
    """It has no data and no scripts: epochs are higher all the same, and messages of nodes come again."""

    async def story() -> None:
        async with nodes_of(own_redis) as node:
            a, b = await node("a", BRIEF), await node("b", BRIEF)
            told: list[object] = []
            a.listen(told.append)
            old = await insist(lambda: a.claim("u1", TOKEN, KEPT))
            own_redis.kill()
            await away(a)
            own_redis.start()
            await until(lambda: a.presence.here and b.presence.here)
            new = await insist(lambda: a.claim("u1", TOKEN, KEPT))
            assert new.epoch > old.epoch
            tries = count()  # each with sums of its own: what was asked counts, also if its answer was late

            async def spend() -> tuple[int, ...]:
                number = next(tries)
                return await a.limits.spend([Spent(f"x{number}", 1, KEPT), Spent(f"y{number}", 2, KEPT)])

            assert await insist(spend) == (1, 2)

            async def kicks() -> bool:
                await insist(lambda: a.claim("u1", TOKEN, KEPT))
                await insist(lambda: b.claim("u1", TOKEN, KEPT))
                return bool(told)

            while not await kicks():
                pass

    run(story())


def test_a_redis_that_stands_still(own_redis: RedisServer) -> None:
    """It is away without being asked anything, and here again when it goes on."""

    async def story() -> None:
        async with nodes_of(own_redis) as node:
            a = await node("a", BRIEF)
            changes: list[bool] = []
            a.presence.on_change(changes.append)
            own_redis.pause()
            await away(a)
            times = a.presence.times_away
            for _ in range(100):  # none of these waits
                with pytest.raises(RegisterAway):
                    await a.take("u1", TOKEN, KEPT)
            assert a.presence.unanswered["take"] == a.presence.asked["take"] == 100
            assert a.presence.times_away == times
            own_redis.go_on()
            await until(lambda: a.presence.here)
            assert changes[:2] == [False, True]
            await insist(lambda: a.claim("u1", TOKEN, KEPT))

    run(story())


def test_a_redis_that_comes_late(own_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """A server starts without it, and says when it is there."""
    caplog.set_level(logging.INFO, "register")

    async def story() -> None:
        own_redis.kill()
        register = open_register(own_redis.url, "a", PATIENT)
        try:
            await until(lambda: "No such file" in register.presence.reason)
            with pytest.raises(RegisterAway, match="No such file"):
                await register.claim("u1", TOKEN, KEPT)
            own_redis.start()
            await until(lambda: register.presence.here)
            assert await register.claim("u1", TOKEN, KEPT)
        finally:
            await register.close()

    run(story())
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_redis_that_is_full(own_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """It answers pings and cannot write: that is away, and said once."""

    async def story() -> None:
        async with nodes_of(own_redis) as node:
            a = await node("a")
            own_redis.says("CONFIG", "SET", "maxmemory", "1")
            with pytest.raises(RegisterAway, match="maxmemory"):
                await a.claim("u1", TOKEN, KEPT)
            tried = int(own_redis.field("cmdstat_subscribe", "calls"))
            await until(lambda: int(own_redis.field("cmdstat_subscribe", "calls")) > tried + 1)
            assert not a.presence.here
            own_redis.says("CONFIG", "SET", "maxmemory", "0")
            await until(lambda: a.presence.here)
            assert await a.claim("u1", TOKEN, KEPT)

    run(story())
    assert len([record for record in caplog.records if "maxmemory" in record.getMessage()]) == 1


def test_an_answer_that_comes_late_is_nobodys(own_redis: RedisServer) -> None:
    """What was asked counts, as may be seen later, and no later question gets its answer."""

    async def story() -> None:
        async with Slow(own_redis).open() as slow:
            register = open_register(slow.url, "a", BRIEF)
            try:
                await until(lambda: register.presence.here)
                first = await insist(lambda: register.claim("u1", TOKEN, KEPT))
                slow.flowing.clear()
                with pytest.raises(RegisterAway):
                    await register.claim("u1", TOKEN, KEPT)
                slow.flowing.set()
                await until(lambda: register.presence.here)
                kept = (await insist(lambda: register.epochs(["u1"])))["u1"]
                assert kept > first.epoch
                assert not await insist(lambda: register.save(first, b"", KEPT))
            finally:
                await register.close()

    run(story())


def test_each_question_has_its_own_answer(own_redis: RedisServer) -> None:
    """Also when many are asked at once over a line that is now and then slower than anybody waits."""

    async def ask(register: Register, number: int) -> int:
        """What has become of a sum of its own."""
        sums = await register.limits.spend([Spent(str(number), 10**6 + number, KEPT)])
        assert sums[0] % (10**6 + number) == 0, number
        return 1

    async def story() -> None:
        dice, bounds = Random(5), Bounds(answer=0.05, pause=0.02)
        async with Slow(own_redis).open() as slow:
            register = open_register(slow.url, "a", bounds)
            answered = unanswered = 0
            try:
                while answered < 100 or unanswered < 10:
                    slow.seconds = 0.0
                    await until(lambda: register.presence.here)
                    slow.seconds = dice.choice([0.0, 0.02, 0.06])
                    asked = await asyncio.gather(*(ask(register, n) for n in range(20)), return_exceptions=True)
                    wrong = [one for one in asked if not isinstance(one, int | RegisterAway)]
                    assert wrong == []
                    answered += sum(one == 1 for one in asked)
                    unanswered += sum(isinstance(one, RegisterAway) for one in asked)
            finally:
                await register.close()

    run(story())


def test_a_burst_of_questions_waits_for_its_turns(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are answered, though the last comes much later than one answer may: Redis is not away for that."""
    monkeypatch.setattr(redis_commands, "CONNECTIONS", 2)

    async def story() -> None:
        async with Slow(own_redis).open() as slow:
            register = open_register(slow.url, "a", Bounds(answer=1.0, turn=WITHIN))
            try:
                await until(lambda: register.presence.here)
                slow.seconds = 0.1
                asked = [register.limits.spend([Spent("all", 1, KEPT)]) for _ in range(40)]
                assert sorted(await asyncio.gather(*asked)) == [(number,) for number in range(1, 41)]
                assert register.presence.times_away == 0
            finally:
                await register.close()

    run(story())


def test_who_gets_no_turn_is_told_in_time(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were away, which it is not: nobody else is told that."""
    monkeypatch.setattr(redis_commands, "CONNECTIONS", 8)

    async def story() -> None:
        async with Slow(own_redis).open() as slow:
            register = open_register(slow.url, "a", Bounds(answer=WITHIN, turn=0.05))
            try:
                await until(lambda: register.presence.here)
                slow.flowing.clear()
                under_way = [asyncio.ensure_future(register.claim(str(number), TOKEN, KEPT)) for number in range(8)]
                await until(lambda: register.presence.asked["claim"] == 8)
                with pytest.raises(RegisterAway, match="too much was asked at once"):
                    await register.claim("late", TOKEN, KEPT)
                slow.flowing.set()
                assert len(await asyncio.gather(*under_way)) == 8
                assert register.presence.here
                assert register.presence.unanswered["claim"] == 1
            finally:
                await register.close()

    run(story())


def test_a_server_that_goes_away_while_it_is_asked(own_redis: RedisServer) -> None:
    """Closing waits for nothing, and nothing is left behind."""

    async def story() -> None:
        register = open_register(own_redis.url, "a", PATIENT)
        await until(lambda: register.presence.here)
        own_redis.pause()
        asked = [asyncio.ensure_future(register.claim(f"u{number}", TOKEN, KEPT)) for number in range(20)]
        await asyncio.sleep(0)
        for one in asked:
            one.cancel()
        await asyncio.wait(asked)
        await register.close()
        own_redis.go_on()

    run(story())


def test_a_message_that_is_none_stops_nobody(own_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does a listener that fails: the next message comes all the same."""

    async def story() -> None:
        async with nodes_of(own_redis) as node:
            a, b = await node("a"), await node("b")
            told: list[object] = []

            def listen(message: object) -> None:
                told.append(message)
                raise LookupError(message)

            a.listen(listen)
            for message in ("nonsense", "kick", "kick x u1", "yielded 1", "yield 1", "\\xff"):
                own_redis.says("PUBLISH", "voice:node:a", f'"{message}"')
            for count in (1, 2):
                await a.claim("u1", TOKEN, KEPT)
                await b.claim("u1", TOKEN, KEPT)
                await until(lambda count=count: len(told) == count)  # type: ignore[misc]

    run(story())
    assert [record.levelname for record in caplog.records if record.name == "register.redis_channel"] == [
        *["WARNING"] * 6,
        *["ERROR"] * 2,
    ]


def test_what_is_away_is_not_asked(redis: RedisServer) -> None:
    """Nobody waits for a Redis that was found to be away: the channel alone looks whether it is back."""

    async def story() -> None:
        async with nodes_of(redis) as node:
            a = await node("a")
            a.presence.went("it is told so")  # and is not, so it would answer
            with pytest.raises(RegisterAway, match="it is told so"):
                await a.claim("u1", TOKEN, KEPT)
            assert redis.says("EXISTS", "voice:call:{u1}").strip() == b":0"
            assert a.presence.unanswered == {"claim": 1}

    run(story())
