"""The calls of several servers in one view: each is asked over its unix socket; who is silent is named."""

import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.counters import Counters
from actors.services import Limits
from audio import Pool
from tests.kit.story import WITHIN, run
from web.addresses import Addresses
from web.admin import AdminShore, admin_serving
from web.connections import Connections
from web.live.rows import ENDED, Live
from web.live.workers import Told, Workers
from web.metrics import Metrics
from web.request_scheduler import RequestScheduler


@pytest.fixture
def folder() -> Iterator[Path]:
    """For sockets, whose paths must be short."""
    with tempfile.TemporaryDirectory(prefix="li") as folder:
        yield Path(folder)


class Session:
    """A session that was let in a moment ago: it shows nothing yet. `told` is what it was told."""

    def __init__(self) -> None:
        self.told, self.alive = list[object](), True
        self.tell = self.told.append

    def is_alive(self) -> bool:
        """Until it has ended."""
        return self.alive


class House:
    """The calls of one server, of `users` at these seconds."""

    def __init__(self, name: str, **users: float) -> None:
        self.calls = [
            SimpleNamespace(id=f"{name}-{number}", user=user, session=Session(), since=since)
            for number, (user, since) in enumerate(users.items())
        ]
        self.shown: Any = SimpleNamespace(calls=self.calls, draining=False)
        self.live = Live(lambda: self.shown, lambda: 1, lambda user: f"~{user}", lambda: 0.0, 99, lambda: None)


def bound(path: Path) -> socket.socket:
    """A unix socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    return listener


@asynccontextmanager
async def workers(folder: Path, draining: bool = False, **houses: House | None) -> AsyncIterator[Workers]:
    """Those that are there tell their calls; the others are not there."""
    counters = Counters()
    connections = Connections(Limits(), counters.address_refused, Addresses(behind_ours=True))
    async with AsyncExitStack() as stack:
        for name, house in houses.items():
            if house:
                shore, figures = AdminShore(bound(folder / name)), Metrics(counters, Pool())
                serving = admin_serving(shore, figures, connections, RequestScheduler(), view=Told(house.live))
                await stack.enter_async_context(serving)
        sockets = {name: folder / name for name in houses}
        yield Workers(sockets, 500, lambda: draining, lambda: None, within=WITHIN)


async def seen(eyes: Workers, first: int = 0, find: str = "") -> list[tuple[str, str, str]]:
    """Worker, session and user of each row."""
    now = await eyes.look(first, find)
    assert now
    return [(row["worker"], row["session"], row["user"]) for row in now.rows]


def test_the_calls_of_all_are_one_list(folder: Path) -> None:
    """The newest first, whoever has it; each row names its worker, and users are found wherever they are."""
    one, two = House("a", asha=10.0, bela=30.0), House("b", chitra=20.0)

    async def story() -> None:
        async with workers(folder, n1=one, n2=two) as eyes:
            now = await eyes.look(0, "")
            assert now
            assert (now.calls, now.away, now.most, now.found, now.draining, now.silent) == (3, 2, 500, 3, False, [])
            rows = [("n1", "a-1", "~bela"), ("n2", "b-0", "~chitra"), ("n1", "a-0", "~asha")]
            assert await seen(eyes) == rows
            for find in ("chitra", "~chitra", "b-0"):
                assert await seen(eyes, find=find) == [rows[1]]
            assert await seen(eyes, find="n & ?=%") == []
            one.calls[1].session.alive = False  # it is over by the time that its row is asked for
            assert await seen(eyes) == rows[1:]

    run(story())


def test_a_page_of_the_calls_of_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are shown at once, of all of them together."""
    monkeypatch.setattr("web.live.workers.ROWS", 2)
    one, two = House("a", **{f"u{at}": at for at in (1, 4, 5)}), House("b", **{f"u{at}": at for at in (2, 3)})

    async def story() -> None:
        async with workers(folder, n1=one, n2=two) as eyes:
            assert [user for _, _, user in await seen(eyes)] == ["~u5", "~u4"]
            assert [user for _, _, user in await seen(eyes, first=2)] == ["~u3", "~u2"]
            assert [user for _, _, user in await seen(eyes, first=4)] == ["~u1"]
            assert await seen(eyes, first=6) == []

    run(story())


def test_whoever_has_a_call_ends_it(folder: Path) -> None:
    """Nobody else's call ends, and one that is over is over."""
    one, two = House("a", asha=10.0), House("b", chitra=20.0)

    async def story() -> None:
        async with workers(folder, n1=one, n2=two) as eyes:
            assert await eyes.end("b-0")
            assert not await eyes.end("b-7")
            assert (one.calls[0].session.told, two.calls[0].session.told) == ([], [ENDED])

    run(story())


def test_who_is_silent_is_named(folder: Path) -> None:
    """One that is not there, one whose supervisor has ended, and one that hangs."""
    one, two = House("a", asha=10.0), House("b", chitra=20.0)
    two.shown = None

    async def story() -> None:
        async with workers(folder, draining=True, n1=one, n2=two, n3=None) as eyes:
            now = await eyes.look(0, "")
        assert now
        assert (now.calls, now.draining, now.silent) == (1, True, ["n2", "n3"])
        with bound(folder / "n4") as deaf:
            deaf.listen()
            now = await Workers({"n4": folder / "n4"}, 500, eyes.draining, eyes.drain, within=0.1).look(0, "")
        assert now
        assert (now.calls, now.rows, now.silent) == (0, [], ["n4"])

    run(story())
