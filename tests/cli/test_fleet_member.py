"""What a server needs to be one of a fleet."""

import asyncio

import pytest
from prometheus_client import generate_latest
from typer.testing import CliRunner

from actors.counters import Counters
from audio import Pool
from cli import app
from cli.failure import CannotServe
from cli.fleet_member import FleetMember, registered
from register import Register
from tests.kit.redis import PATIENT, RedisServer, redis_server
from web.metrics import Metrics


def test_a_server_without_an_address_is_alone() -> None:
    """The name is then of no use to the register."""

    async def story() -> None:
        async with registered(FleetMember(node="n1")) as register:
            assert register is None

    asyncio.run(story())


@pytest.mark.parametrize("name", ["a b", "a/b", "n" * 65])
def test_a_name_that_is_none_ends_the_start(name: str) -> None:
    """Also of a server that is alone: what is in front of it may know it by that."""
    done = CliRunner().invoke(app, ["serve", "--node", name, "--port", "0"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "is no name of a node" in done.output


@pytest.mark.parametrize(
    ("url", "says"),
    [("http://127.0.0.1", "begins with redis://"), ("redis://127.0.0.1:port", "is none, such as redis://")],
)
def test_an_address_that_is_none_ends_the_start(url: str, says: str) -> None:
    """The sentence says what to write, and not what was written: it may hold a password."""

    async def story() -> None:
        async with registered(FleetMember(register_url=url)):
            pass

    with pytest.raises(CannotServe, match=says) as refused:
        asyncio.run(story())
    assert url not in str(refused.value)
    assert refused.value.code == 2


def test_the_figures_say_whether_the_register_is_here() -> None:
    """Once it answers, and again when it is gone."""

    def here(register: Register) -> bytes:
        figures = generate_latest(Metrics(Counters(), Pool(), register=register).registry)
        return next(line for line in figures.splitlines() if line.startswith(b"voice_register_here"))

    async def story(redis: RedisServer) -> None:
        async with registered(FleetMember(register_url=redis.url, node="n1")) as register:
            assert register is not None
            changes = asyncio.Queue[bool]()
            register.presence.on_change(changes.put_nowait)
            async with asyncio.timeout(PATIENT.answer):
                assert await changes.get()
            assert here(register) == b"voice_register_here 1.0"
            redis.kill()
            async with asyncio.timeout(PATIENT.answer):
                assert not await changes.get()
            assert here(register) == b"voice_register_here 0.0"

    with redis_server() as redis:
        asyncio.run(story(redis))
