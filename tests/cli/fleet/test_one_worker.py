"""One worker of several that hangs, or is told to end: its callers go on at another one, and it comes back."""

import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import psutil
import pytest

from phone.lasting import LastingPhone
from tests.kit.moving_processes import fleet, says, talked
from tests.kit.process import START_SECONDS
from tests.kit.redis import RedisServer, redis_server
from tests.kit.story import run
from tests.kit.workers import Fleet

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy: apt-get install haproxy"),
]
IMPATIENT = """
from cli import main
from cli.fleet import vigil
vigil.EVERY_SECONDS, vigil.ANSWER_SECONDS, vigil.VAIN = 0.5, 4.0, 2
main()
"""


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """One for all stories."""
    with redis_server() as one:
        yield one


@asynccontextmanager
async def two_calls(redis: RedisServer, *options: str) -> AsyncIterator[tuple[Fleet, LastingPhone, LastingPhone]]:
    """Two workers, which have a register; a call at the first of them, and one at the second, in which talk was."""
    async with fleet(redis) as servers, AsyncExitStack() as stack:
        server = await servers.start("m", "--workers", "2", *options, program=("-c", IMPATIENT))
        phones = [LastingPhone(server.url, f"user-{number}") for number in (1, 2)]
        for phone in phones:
            await stack.enter_async_context(phone)
            assert await talked(phone, "One.") == "You said One.."
        first, second = sorted(phones, key=lambda phone: phone.node)
        assert (first.node, second.node) == ("m-n1", "m-n2")
        yield Fleet(server), first, second


async def goes_on(phone: LastingPhone, node: str) -> None:
    """The persona remembers, on this worker."""
    assert await says(phone, "Two.") == "You said One., then Two.."
    assert phone.node == node


def worker(one: Fleet) -> psutil.Process:
    """The first: it is started before the others."""
    return one.workers[0]


def test_a_worker_that_hangs_is_killed_and_comes_back(redis: RedisServer) -> None:
    """It stands still, as by SIGSTOP: its caller goes on at the other one, and the log says why it was killed."""

    async def story() -> None:
        async with two_calls(redis) as (one, first, second):
            worker(one).send_signal(signal.SIGSTOP)
            await goes_on(first, "m-n2")
            assert await one.said("m-n1 hangs: it did not answer for 8 s, and is killed", 1)
            assert await one.said("m-n1 ended (signal 9), starting it again in 0.2 s: its calls are lost", 1)
            assert await one.said("m-n1 serves again", 1, START_SECONDS)
            await goes_on(second, "m-n2")
            assert (first.moved, second.resumed) == (1, 0)
            assert not [line for line in one.server.log if "m-n2 hangs" in line]

    run(story())


def test_a_worker_that_is_told_to_end_gives_its_calls_away(redis: RedisServer) -> None:
    """SIGTERM to it alone: nothing of its call is missing, and it is started again."""

    async def story() -> None:
        async with two_calls(redis, "--drain-seconds", "60") as (one, first, second):
            worker(one).send_signal(signal.SIGTERM)
            await one.said("m-n1 ended (exit code 0)", 1)
            await goes_on(first, "m-n2")
            (line,) = await one.said("m-n1 ended (exit code 0)", 1)
            assert line.rstrip().endswith("starting it again in 0.2 s")  # nothing is lost
            assert await one.said("m-n1 serves again", 1, START_SECONDS)
            await goes_on(second, "m-n2")
            assert (first.moved, second.resumed) == (1, 0)
            assert await one.said("moved=1", 1)

    run(story())
