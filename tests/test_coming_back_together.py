"""All callers behind one address lose their server, or their line, at once: every one of them comes back."""

import asyncio
from collections.abc import Iterable

import pytest

from actors.services import Limits
from phone.lasting import LastingPhone
from tests.kit.exchange import Exchange, exchange
from tests.kit.moving_processes import fleet, kill
from tests.kit.process import Server
from tests.kit.redis import RedisServer, redis_server
from tests.kit.story import WITHIN, run, until
from tests.test_resuming import cut, talked
from web.addresses import Addresses
from web.client_limits import ClientLimits

OFFICE = "203.0.113.7"
AT_ONCE = 15


def from_(address: str) -> dict[str, object]:
    """How a phone connects whose proxy says that it is at this address."""
    return {"additional_headers": {"X-Forwarded-For": address}}


async def called(line: Exchange | Server, calls: int) -> list[LastingPhone]:
    """So many calls that are worth coming back to; they began at addresses of their own, and are in one office now.

    A few at a time begin, so that the model answers in time on a busy machine.
    """
    turns = asyncio.Semaphore(AT_ONCE)
    phones = [LastingPhone(line.url, f"user-{number}", {"mode": "stream"}) for number in range(calls)]

    async def call(phone: LastingPhone, number: int) -> None:
        phone.keepalive = from_(f"198.51.100.{number}")
        async with turns:
            await phone.__aenter__()
            await talked(phone)
        phone.keepalive = from_(OFFICE)

    await asyncio.gather(*(call(phone, number) for number, phone in enumerate(phones)))
    return phones


def options(calls: int) -> tuple[str, ...]:
    """Of a server at which so many people of one address may call, behind a proxy that is the test."""
    proxy = ("--trusted-proxy", "127.0.0.1")
    return *proxy, "--connects", "1000", "--address-connections", str(2 * calls), "--address-calls", str(calls)


async def come_back(phones: Iterable[LastingPhone]) -> None:
    """The line is cut for all of them; each is back, and on the line."""

    async def one(phone: LastingPhone) -> None:
        await phone.comes_back()
        await phone.say(type="ping")
        await phone.hear("pong")

    for phone in phones:
        cut(phone)
    await asyncio.gather(*map(one, phones))


async def hang_up(phones: Iterable[LastingPhone]) -> None:
    """All of them."""

    async def one(phone: LastingPhone) -> None:
        await phone.say(type="end")
        assert (await phone.closed()).code == 1000

    await asyncio.gather(*map(one, phones))


@pytest.mark.thorough
@pytest.mark.parametrize("calls", [150])
def test_all_who_are_behind_one_address_come_back_at_once(calls: int) -> None:
    """None is told to wait, though more come than may begin calls: they bring good tokens."""

    async def story() -> None:
        limits = Limits(connects=1000, address_connects=10, address_connections=2 * calls)
        async with exchange(limits, addresses=Addresses(["127.0.0.1"])) as line:
            phones = await called(line, calls)
            await come_back(phones)
            assert [phone.resumed for phone in phones] == [1] * calls
            assert line.counters.resumed == calls
            assert not line.counters.refused
            await hang_up(phones)
            assert line.counters.begun == calls

    run(story())


@pytest.mark.thorough
@pytest.mark.parametrize("calls", [150])
def test_all_who_are_behind_one_address_come_back_when_their_server_dies(calls: int) -> None:
    """To another one, which has not heard of them: none begins anew."""

    async def story(redis: RedisServer) -> None:
        async with fleet(redis) as servers:
            a, b = [await servers.start(name, *options(calls)) for name in ("a", "b")]
            phones = await called(a, calls)
            for phone in phones:
                phone.url = b.url
            kill(a)
            await come_back(phones)
            assert [phone.moved for phone in phones] == [1] * calls
            assert len(await asyncio.to_thread(b.lines, "began session=", calls)) == calls
            await hang_up(phones)
            assert len(await asyncio.to_thread(b.lines, "taken=1", calls)) == calls
            assert not [line for line in b.log if "refused" in line]

    with redis_server() as redis:
        run(story(redis))


@pytest.mark.thorough
def test_who_is_told_to_wait_comes_back_in_time() -> None:
    """A small server admits twenty attempts at once: the others ask again when they are told to, and lose no call."""

    async def story() -> None:
        limits = Limits(connects=1000, address_connects=1)
        async with exchange(limits, addresses=Addresses(["127.0.0.1"])) as line:
            phones = await called(line, 40)
            await come_back(phones)
            assert [phone.resumed for phone in phones] == [1] * 40
            assert 1 <= line.counters.refused[4429] <= 40  # of twenty, some twice; who does not wait is refused often
            await hang_up(phones)
            assert line.counters.begun == 40

    run(story())


@pytest.mark.thorough
@pytest.mark.parametrize("status", [502, 503, 504])
def test_who_finds_no_server_behind_the_proxy_comes_back_when_there_is_one(status: int) -> None:
    """While a server is started again its proxy has nobody to ask, and says so."""

    async def story() -> None:
        patient = ClientLimits(resume_seconds=WITHIN)
        async with exchange(client_limits=patient) as line:
            asked = asyncio.Event()

            async def answer(_: asyncio.StreamReader, caller: asyncio.StreamWriter) -> None:
                caller.write(b"HTTP/1.1 %d Away\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
                caller.close()
                asked.set()

            (phone,) = await called(line, 1)
            proxy = await asyncio.start_server(answer, "127.0.0.1")
            direct, (host, port) = phone.url, proxy.sockets[0].getsockname()
            phone.url = f"ws://{host}:{port}"
            cut(phone)
            back = asyncio.create_task(phone.comes_back())
            await asyncio.wait([asyncio.ensure_future(asked.wait()), back], return_when=asyncio.FIRST_COMPLETED)
            phone.url = direct
            await back
            assert phone.resumed == 1
            await hang_up([phone])
            proxy.close()

    run(story())


@pytest.mark.thorough
def test_who_finds_no_connection_left_comes_back_when_there_is_one() -> None:
    """Others behind the same proxy have all that one address may have: a handshake that is refused is tried again."""

    async def story() -> None:
        patient = ClientLimits(resume_seconds=WITHIN)
        limits, addresses = Limits(address_connections=3), Addresses(["127.0.0.1"])
        async with exchange(limits, addresses=addresses, client_limits=patient) as line:
            (phone,) = await called(line, 1)
            others = [LastingPhone(line.url, f"other-{number}", keepalive=from_(OFFICE)) for number in range(3)]
            sockets = [await other.dial({"resume": "true"}) for other in others]
            cut(phone)
            back = asyncio.create_task(phone.comes_back())
            await until(lambda: line.counters.address_refused["connections"] or back.done())
            await asyncio.gather(*(socket.close() for socket in sockets))
            await back
            assert phone.resumed == 1
            await hang_up([phone])

    run(story())
