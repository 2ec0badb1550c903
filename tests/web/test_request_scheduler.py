"""Questions take turns, and calls go on between them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
import orjson
import pytest

from actors.runtime import Down, Stop, launch
from actors.runtime.mailbox import rounds_of
from actors.services import Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.wire import Wires
from audio import Pool
from personas import Catalogue, CurrentCatalogue, Persona
from phone import Phone
from supervisor import SupervisorActor
from tests.kit.four import FOUR
from tests.kit.shore import shore
from tests.kit.steps import calls
from tests.kit.story import run
from tests.web.test_rest import named
from web.receiver import LONG_TEXT
from web.request_scheduler import LONGEST, SLICE, RequestScheduler
from web.rows import AT_A_TIME, ListPayload, Rows

QUESTION = {"query": "when will I marry"}


class Rounds:
    """Counts the rounds of the loop, in each of which all that is ready has had its turn."""

    def __init__(self) -> None:
        self.count = 0
        self._next()

    def _next(self) -> None:
        self.count += 1
        self._handle = asyncio.get_running_loop().call_soon(self._next)

    def stop(self) -> None:
        self._handle.cancel()


class Noting(RequestScheduler):
    """Notes in which round each turn began."""

    def __init__(self, seconds: float = SLICE) -> None:
        super().__init__(seconds)
        self.rounds = Rounds()
        self.turns: list[int] = []

    async def turn(self) -> None:
        await super().turn()
        self.turns.append(self.rounds.count)


class Held(RequestScheduler):
    """The first turn lasts until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = asyncio.Event()
        self._free = False

    def _ended(self, began: float) -> None:
        self.taken.set()
        if self._free:
            super()._ended(began)

    def let_go(self) -> None:
        self._free = True
        self._lock.release()


@pytest.mark.parametrize("path", ["/api/astrologers", "/api/astrologers/match", "/api/astrologers/nobody", "/", "/x"])
def test_what_many_ask_at_once_is_answered_one_in_a_round(path: str) -> None:
    """So that a caller's frame waits behind one question, not behind all of them."""

    async def story() -> None:
        gate = Noting()
        async with shore(Probe(), scheduler=gate) as address, aiohttp.ClientSession() as client:
            method, body = ("POST", QUESTION) if path.endswith("match") else ("GET", None)

            async def ask() -> None:
                async with client.request(method, f"http://{address}{path}", json=body) as answer:
                    assert answer.status in (200, 404)

            for _ in range(3):
                await asyncio.gather(*(ask() for _ in range(20)))
        gate.rounds.stop()
        assert len(gate.turns) >= 60
        assert len({*gate.turns}) == len(gate.turns)

    run(story())


@pytest.mark.parametrize("body", [b"{", orjson.dumps(QUESTION)])
def test_a_body_is_looked_into_in_a_turn_of_its_own(body: bytes) -> None:
    """The first is over while it is waited for, and those of many may come whole in the same moment."""

    async def story() -> None:
        gate = Noting()
        async with (
            shore(Probe(), scheduler=gate) as address,
            aiohttp.ClientSession() as client,
            client.post(f"http://{address}/api/astrologers/match", data=body) as answer,
        ):
            assert answer.status in (200, 400)
        gate.rounds.stop()
        assert len(gate.turns) == 2

    run(story())


def test_calls_get_as_long_as_questions_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a slice; first come, first served; who has gone away is passed over."""
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    order: list[tuple[int, float]] = []
    rests: list[float] = []

    async def story() -> None:
        gate, loop = RequestScheduler(), asyncio.get_running_loop()
        later = loop.call_later

        def call_later(seconds: float, work: Callable[..., object], *rest: Any, **more: Any) -> asyncio.TimerHandle:
            rests.extend([seconds] if work == gate._lock.release else [])
            return later(seconds, work, *rest, **more)

        monkeypatch.setattr(loop, "call_later", call_later)

        async def ask(number: int, seconds: float) -> None:
            nonlocal now
            await gate.turn()
            order.append((number, loop.time()))
            now += seconds

        tasks = [asyncio.create_task(ask(number, seconds)) for number, seconds in enumerate((0.03, 9, 0.02, 0, 0))]
        await asyncio.sleep(0)
        tasks[1].cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
        await asyncio.gather(*(task for task in tasks if not task.cancelled()))

    run(story())
    assert [number for number, _ in order] == [0, 2, 3, 4]
    at = [when for _, when in order]
    assert at[1] - at[0] >= 0.029
    assert at[2] - at[1] >= 0.019
    assert rests == pytest.approx([0.03, 0.02])


def test_a_turn_begins_when_no_actor_waits_for_its_own() -> None:
    """And is not lost by who goes away meanwhile."""

    async def story() -> None:
        gate, rounds = RequestScheduler(), Rounds()
        actors = rounds_of(asyncio.get_running_loop())
        actors.behind = True
        gone, stays = asyncio.create_task(gate.turn()), asyncio.create_task(gate.turn())
        while rounds.count < 5:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert not gone.done()
        gone.cancel()
        while rounds.count < 10:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert gone.cancelled()
        assert not stays.done()
        actors.behind = False
        await stays
        rounds.stop()

    run(story())


def test_who_wants_a_turn_does_not_wait_for_good() -> None:
    """Where the actors have more to do than they can."""

    async def story() -> None:
        rounds_of(asyncio.get_running_loop()).behind = True
        began = time.perf_counter()
        await RequestScheduler().turn()
        assert time.perf_counter() - began >= LONGEST

    run(story())


def test_calls_and_who_asks_whether_we_live_wait_for_nobody() -> None:
    """However many questions wait."""

    async def story() -> None:
        gate, ended = Held(), Probe()
        services = Services(CurrentCatalogue(FOUR), Wires(), cast(Pool, Decoders()))
        supervisor = launch(SupervisorActor(services), ended)
        async with shore(supervisor, scheduler=gate) as address, aiohttp.ClientSession() as client:
            waiting = [asyncio.create_task(listed(client, f"http://{address}")) for _ in range(3)]
            await gate.taken.wait()
            for path in ("/health", "/ready"):
                async with client.get(f"http://{address}{path}") as answer:
                    assert answer.status == 200
            async with Phone(f"ws://{address}", "user-1") as phone:
                await phone.say(type="ping")
                await phone.hear("pong")
            assert sum(task.done() for task in waiting) <= 1
            gate.let_go()
            assert len({len(await task) for task in waiting}) == 1
        supervisor.tell(Stop())
        await ended.told(Down, cause=None)

    run(story())


def test_long_texts_take_turns() -> None:
    """With questions and with each other; short ones of the same call come in their order, those of others at once."""

    async def story() -> None:
        gate, ended = Held(), Probe()
        services = Services(CurrentCatalogue(FOUR), Wires(), cast(Pool, Decoders()))
        supervisor = launch(SupervisorActor(services), ended)
        async with (
            shore(supervisor, scheduler=gate) as address,
            Phone(f"ws://{address}", "user-1") as long,
            Phone(f"ws://{address}", "user-2") as short,
            aiohttp.ClientSession() as client,
        ):
            first = asyncio.create_task(listed(client, f"http://{address}"))
            await gate.taken.wait()
            await long.say(type="nonsense", padding="a" * LONG_TEXT)
            await long.say(type="ping")
            await short.say(type="ping")
            await short.hear("pong")
            heard = asyncio.create_task(long.next())
            await short.say(type="ping")
            await short.hear("pong")
            assert not heard.done()
            gate.let_go()
            assert (await heard)["code"] == "unknown_type"
            await long.hear("pong")
            await first
        supervisor.tell(Stop())
        await ended.told(Down, cause=None)

    run(story())


async def listed(client: aiohttp.ClientSession, url: str) -> bytes:
    async with client.get(f"{url}/api/astrologers") as answer:
        return await answer.read()


def test_a_long_list_takes_many_turns_and_is_whole() -> None:
    """Rendered and written piece by piece, by several at once, it is what it would be in one."""
    number = 2 * AT_A_TIME + 50

    async def story() -> None:
        gate, many = Noting(seconds=0), named(*range(number))
        async with shore(Probe(), many, gate) as address, aiohttp.ClientSession() as client:
            bodies = await asyncio.gather(*(listed(client, f"http://{address}") for _ in range(3)))
            assert len({*bodies}) == 1
            found = orjson.loads(bodies[0])
            assert [one["astrologer_id"] for one in found["astrologers"]] == [f"m{n:03}" for n in range(number)]
            assert (found["total"], found["count"], next(iter(found))) == (number, number, "astrologers")
        gate.rounds.stop()
        assert len(gate.turns) >= 3 * (1 + number + 2)

    run(story())


@pytest.mark.parametrize("number", [0, 1, AT_A_TIME, AT_A_TIME + 1, 3 * AT_A_TIME])
def test_a_list_is_as_long_as_it_says(number: int) -> None:
    """In pieces that make JSON together."""
    rows: Sequence[bytes] = [b'{"n":%d}' % n for n in range(number)]

    async def story() -> None:
        sheet = ListPayload(rows, b'],"total":7}', RequestScheduler())
        assert len(sheet.decode()) == sheet.size
        assert orjson.loads(sheet.decode()) == {"astrologers": [{"n": n} for n in range(number)], "total": 7}

    run(story())


def test_a_row_is_rendered_once_a_minute() -> None:
    """For all who ask; in another minute, or of an edited file, it is another, also for who is still reading."""
    edited, rows, noon = named(1, name="Somebody"), Rows(), datetime(2026, 11, 23, 12, tzinfo=UTC)

    def rendered(catalogue: Catalogue, seconds: float) -> int:
        """So many, when everybody's row is read."""
        now = noon + timedelta(seconds=seconds)
        return calls(Persona.public, lambda: [rows.at(catalogue, now).row(one) for one in catalogue.all()])

    first = rows.at(FOUR, noon)
    assert rendered(FOUR, 0) == 4
    assert rendered(FOUR, 59.9) == 0
    assert rendered(FOUR, 60) == 4
    assert rendered(edited, 60) == 1
    assert b"Somebody" in rows.at(edited, noon + timedelta(seconds=60)).row(edited.all()[0])[0]
    assert orjson.loads(first.row(FOUR.all()[0])[0])["open"] is True
    assert calls(Persona.public, lambda: first.row(FOUR.all()[0])) == 0
