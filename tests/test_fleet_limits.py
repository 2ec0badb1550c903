"""Two whole servers and a real Redis between them: what they limit together, and what is left of it without Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from actors.budgets.limits import Budgets
from actors.services import Limits
from cli.entrance import Entrance
from phone import CallEnded, Phone
from register import Bounds, Register
from tests.actors.test_places import limited
from tests.kit.doors import KEY, call_token
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import MOHIT, TINA
from tests.kit.process import Server, server
from tests.kit.redis import PATIENT, RedisServer, nodes_of, redis_server
from tests.kit.story import WITHIN, run, until

SECONDS = Bounds(answer=2.0, pause=0.1)  # for a Redis that stands still: a busy machine takes less


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """One of its own for each test: they hurt it."""
    with redis_server() as server:
        yield server


@dataclass
class Two:
    """Two servers, and the register as each sees it."""

    a: Exchange
    b: Exchange
    registers: list[Register]

    async def register_is(self, here: bool) -> None:
        """Wait until both know that it is here, or away."""
        await until(lambda: [one.presence.here for one in self.registers] == [here] * 2)


@asynccontextmanager
async def two(redis: RedisServer, bounds: Bounds = PATIENT, **settings: Any) -> AsyncIterator[Two]:
    """Both run, with the same settings."""
    async with nodes_of(redis) as node:
        registers = [await node("a", bounds), await node("b", bounds)]
        async with exchange(register=registers[0], **settings) as a, exchange(register=registers[1], **settings) as b:
            yield Two(a, b, registers)


async def outcome(phone: Phone, *, until_closed: bool = False, **config: Any) -> str:
    """Whom a caller got who chooses Tina; or the code of the error that came instead, unless a close is to follow."""
    await phone.say(type="config", astrologer_id=TINA, **config)
    while True:
        message = await phone.next()
        if message["type"] == "config_ack":
            return str(message["astrologer_id"])
        if message["type"] == "error" and not until_closed:
            return str(message["code"])


async def code_of(phone: Phone) -> tuple[int, str]:
    """The close of a call that is not let in; 0 if it is, and then it is over soon."""
    try:
        async with asyncio.timeout(WITHIN), phone:
            await outcome(phone, until_closed=True)
            return 0, ""
    except CallEnded as ended:
        return ended.code, ended.reason


async def spend(phone: Phone) -> None:
    """Ask until the call is closed. Raises CallEnded."""
    await phone.choose(TINA)
    while True:
        await phone.say(type="text", text="Will I marry?")
        await phone.hear("audio_response")


def test_calls_of_a_user_are_counted_over_both(redis: RedisServer) -> None:
    """And by each alone when Redis was killed; the calls that there are go on."""

    async def story() -> None:
        async with two(redis, limits=Limits(calls=2, takeovers=100)) as both, both.a.phone("other") as other:
            await other.choose(TINA)
            first = [await code_of(line.phone("one")) for line in (both.a, both.b, both.a, both.b)]
            assert [code for code, _ in first] == [0, 0, 4429, 4429]
            assert first[2][1] == "you called too often: wait ten seconds, then call once"
            redis.kill()
            await both.register_is(False)
            assert [(await code_of(line.phone("two")))[0] for line in (both.a, both.b) * 2] == [0, 0, 0, 0]
            assert (await code_of(both.a.phone("two")))[0] == 4429
            await other.say(type="text", text="Are you there?")
            await other.answer()
            redis.start()
            await both.register_is(True)
            third = [(await code_of(line.phone("three")))[0] for line in (both.a, both.b, both.a)]
            assert third == [0, 0, 4429]

    run(story())


def test_who_told_one_server_that_they_are_young_is_young_for_the_other(redis: RedisServer) -> None:
    """Whatever they say there. While Redis is away the other does not know, and keeps nobody out."""

    async def story() -> None:
        async with two(redis) as both:
            assert await chooses(both.a, "one", "2015-05-31") == "not_for_minors"
            await until(lambda: redis.says("EXISTS", "voice:under:one") == b":1\r\n")
            assert await chooses(both.b, "one", "1980-05-31") == "not_for_minors"
            assert await chooses(both.b, "two", "1980-05-31") == TINA
            redis.kill()
            await both.register_is(False)
            assert await chooses(both.a, "three", "2015-05-31") == "not_for_minors"
            assert await chooses(both.b, "three", "1980-05-31") == TINA

    run(story())


async def chooses(line: Exchange, user: str, born: str) -> str:
    """As `outcome`, of a caller who says when they were born."""
    async with line.phone(user) as phone:
        return await outcome(phone, profile={"birth_date": born})


def places(redis: RedisServer) -> int:
    """How many places with Tina are taken."""
    return int(redis.says("ZCARD", f"voice:places:{{{TINA}}}").strip(b":\r\n"))


def test_fifty_callers_on_both_get_as_many_places_as_there_are(redis: RedisServer) -> None:
    """Who hangs up makes room on the other server."""

    async def story() -> None:
        limits = Limits(connects=1000)
        async with AsyncExitStack() as stack:
            both = await stack.enter_async_context(two(redis, catalogue=limited(**{TINA: 5}), limits=limits))
            phones = [(both.a, both.b)[number % 2].phone(f"{number}|रवि:a@b+c") for number in range(50)]
            for phone in phones:
                await stack.enter_async_context(phone)
            told = await asyncio.gather(*(outcome(phone) for phone in phones))
            assert sorted(told) == ["busy"] * 45 + [TINA] * 5
            await until(lambda: places(redis) == 5)
            served = told.index(TINA)
            await phones[served].__aexit__(None, None, None)
            await until(lambda: places(redis) == 4)
            on_the_other = next(n for n in range(50) if told[n] == "busy" and n % 2 != served % 2)
            assert await outcome(phones[on_the_other]) == TINA
        await until(lambda: places(redis) == 0)

    run(story())


@pytest.mark.thorough
def test_a_redis_that_lost_its_data_learns_of_places_again(redis: RedisServer) -> None:
    """After which nobody gets one too many."""

    async def story() -> None:
        async with two(redis, catalogue=limited(**{TINA: 1})) as both, both.a.phone("one") as one:
            await one.choose(TINA)
            redis.says("FLUSHALL")
            await until(lambda: places(redis) == 1)
            async with both.b.phone("two") as another:
                assert await outcome(another) == "busy"

    run(story())


def test_a_redis_that_stands_still_holds_nobody_up_for_long(redis: RedisServer) -> None:
    """Whoever calls meanwhile is let in, with a place of this server's; when it goes on, the fleet knows of it."""

    async def story() -> None:
        async with two(redis, SECONDS, catalogue=limited(**{TINA: 1})) as both:
            redis.pause()
            async with both.a.phone("one") as one, both.b.phone("two") as another, both.b.phone("three") as third:
                await one.choose(TINA)
                await another.choose(TINA)
                assert await outcome(third) == "busy"
                await both.register_is(False)
                redis.go_on()
                await both.register_is(True)
                await until(lambda: places(redis) == 1)
                async with both.a.phone("four") as fourth:
                    assert await outcome(fourth) == "busy"
                    await fourth.choose(MOHIT)

    run(story())


def test_a_token_of_one_call_is_used_on_one_server(redis: RedisServer) -> None:
    """Without Redis none is taken, for a reason that is none of the token's; those on the line go on."""

    def with_token(line: Exchange, token: str, user: str = "user-1") -> Phone:
        return Phone(line.url, user, bearer=token)

    async def story() -> None:
        async with two(redis, doors=Entrance(api_key=KEY)) as both:
            token = call_token()
            async with with_token(both.a, token) as phone:
                await phone.choose(TINA)
                await until(lambda: redis.says("KEYS", "voice:used:*") != b"*0\r\n")
                code, reason = await code_of(with_token(both.b, token))
                assert (code, reason) == (4401, "the token was used: it is good for one call, get a new one")
                redis.kill()
                await both.register_is(False)
                fresh = call_token("user-2")
                for line in (both.a, both.b):
                    code, reason = await code_of(with_token(line, fresh, "user-2"))
                    assert code == 4429
                    assert reason.startswith("it cannot be looked up now whether the token was used")
                await phone.say(type="text", text="Are you there?")
                await phone.answer()
                redis.start()
                await both.register_is(True)
                assert (await code_of(with_token(both.b, fresh, "user-2")))[0] == 0

    run(story())


def test_a_day_that_is_spent_is_spent_on_both(redis: RedisServer) -> None:
    """Of a user whose id is odd; and without Redis each server goes on by what it knows."""

    async def story() -> None:
        user = "रवि|a:{}".replace("{}", "@b")
        async with two(redis, budgets=Budgets(budget_user_tokens=3000)) as both:
            async with both.a.phone(user) as phone:
                with pytest.raises(CallEnded) as ended:
                    await spend(phone)
            assert ended.value.code == 4402
            await until(lambda: b"tokens" in redis.says("KEYS", "voice:spent:*"))
            code, reason = await code_of(both.b.phone(user))
            assert (code, reason) == (4402, "what your calls may cost in a day is spent: call again after 00:00 UTC")
            assert (await code_of(both.b.phone("another")))[0] == 0
            redis.kill()
            await both.register_is(False)
            assert [(await code_of(line.phone(user)))[0] for line in (both.a, both.b)] == [4402, 4402]

    run(story())


@pytest.mark.thorough
def test_servers_of_one_register_are_a_fleet(redis: RedisServer) -> None:
    """As their users start them: a user's calls are counted over both, and both end in order, without Redis too."""

    async def refused(line: Server) -> tuple[str, int]:
        """The error of a call that names nobody, and its close, which may come at once; 0 if it goes on."""
        try:
            async with asyncio.timeout(WITHIN), Phone(line.url, "one") as phone:
                await phone.say(type="config", astrologer_id="nobody")
                while (error := await phone.hear("error"))["code"] != "unknown_astrologer":
                    pass
                return str(error["code"]), 0
        except CallEnded as ended:
            return str((ended.error or {}).get("code")), ended.code

    async def story(a: Server, b: Server) -> None:
        let_in, too_many = ("unknown_astrologer", 0), ("busy", 4429)
        assert [await refused(line) for line in (a, b, a, b)] == [let_in, let_in, too_many, too_many]

    options = ("--upstream-url", "ws://127.0.0.1:9/v1", "--calls", "2")
    with (
        server(*options, "--node", "a", REGISTER_URL=redis.url) as a,
        server(*options, "--node", "b", REGISTER_URL=redis.url) as b,
    ):
        for one in (a, b):
            one.lines("the register is here", 1)
        run(story(a, b))
        assert a.stop() == 0
        redis.kill()
        b.lines("while the register is away: calls of a user, places of personas, budgets", 1)
        assert b.stop() == 0
