"""Several workers, in a browser: the view of all calls, and what a caller sees whose worker dies or ends."""

import shutil
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.kit.process import START_SECONDS, Server, server
from tests.kit.redis import redis_server
from tests.kit.workers import Fleet
from tests.page.conftest import Visit
from tests.page.test_access import barriers
from tests.page.test_live import Look, look, sees, sign_in, url  # noqa: F401  # look is a fixture
from tests.page.test_lost_line import asked
from tests.page.visitor import PATIENCE, Visitor

TOKEN = "a-long-token-of-the-operator"
MOVED = "The line was moved. Some of the last words may be missing, or come twice."

pytestmark = pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy: apt-get install haproxy")


@pytest.fixture
def two_workers() -> Iterator[Server]:
    """Two workers with a register, and the local engine."""
    with (
        redis_server() as redis,
        server("--workers", "2", "--drain-seconds", "60", ADMIN_TOKEN=TOKEN, REGISTER_URL=redis.url) as one,
    ):
        one.lines("the register is here", 2)
        yield one


def notes(visitor: Visitor) -> list[str]:
    """What the page says among what was said."""
    return visitor.page.locator("#captions > .note:not(.disclosure)").all_inner_texts()


def test_the_calls_of_all_workers(two_workers: Server, look: Look, visit: Visit) -> None:  # noqa: F811
    """Each with its worker. One is ended; one outlives its worker, and is told once that words may be missing."""
    fleet = Fleet(two_workers)
    operator = look(url(two_workers))
    sign_in(operator.page, TOKEN)
    sees(operator.page, "No calls of 500.")
    caller = visit(f"http://{two_workers.address}/")
    asked(caller)
    other = visit(f"http://{two_workers.address}/")
    other.call("Tina Kulkarni")
    other.sees("speaking")
    sees(operator.page, "2 calls of 500.")
    workers = operator.page.locator("#calls tbody .worker")
    expect(workers).to_have_count(2, timeout=PATIENCE)
    assert set(workers.all_inner_texts()) <= {"n1", "n2"}  # what a page asks for counts when a call is placed
    expect(operator.page.get_by_role("columnheader", name="Worker")).to_be_visible()
    assert barriers(operator) == []
    assert operator.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    mine = operator.page.locator("#calls tbody tr", has_text="mohit")
    name = mine.locator(".worker").inner_text()
    operator.page.locator("#calls tbody tr", has_text="tina").get_by_role("button").click()
    operator.page.get_by_role("button", name="End it").click()
    other.sees("ended", "the operator of this server has ended this call")
    sees(operator.page, "1 call of 500.")

    caller.forgives = True
    assert notes(caller) == []
    n1, n2 = fleet.workers
    (n1 if name == "n1" else n2).kill()
    expect(caller.page.locator("#captions > .note").last).to_have_text(MOVED, timeout=PATIENCE)
    expect(mine.locator(".worker")).not_to_have_text(name, timeout=PATIENCE)
    two_workers.lines(f"{name} serves again", 1, START_SECONDS)

    (survivor,) = {n1.pid, n2.pid} & {one.pid for one in fleet.workers}
    told = caller.told.count("resumed")
    next(one for one in fleet.workers if one.pid == survivor).send_signal(signal.SIGTERM)
    caller.is_told("resumed", told + 1)  # of what a worker gives away nothing is missing
    expect(mine.locator(".worker")).to_have_text(name, timeout=PATIENCE)
    assert notes(caller) == [MOVED]
    caller.reload()  # it is kept as what was said is, also where the call is not: a busy browser takes long
    expect(caller.page.locator("#captions > .note").last).to_have_text(MOVED, timeout=PATIENCE)

    operator.page.get_by_role("button", name="Drain the server").click()
    operator.page.get_by_role("button", name="Drain it").click()
    operator.forgives = True
    assert two_workers.process.wait(2 * PATIENCE / 1000) == 0
    two_workers.lines("drains the server", 1)


def test_an_answer_that_moves_is_heard_to_its_end(visit: Visit) -> None:
    """Its worker dies in the middle of it: what plays is over, and the rest does not wait behind it for ever."""
    with redis_server() as redis, server("--workers", "2", REGISTER_URL=redis.url) as one:
        one.lines("the register is here", 2)
        caller = visit(f"http://{one.address}/")
        caller.forgives = True
        asked(caller)
        n1, n2 = Fleet(one).workers
        (began,) = one.lines("began session=", 1)
        (n1 if began.startswith("n1 ") else n2).kill()
        caller.is_told("resumed")
        caller.hears_sound(False)
        caller.hears_sound(True)
        caller.sees("listening")
