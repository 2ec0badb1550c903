"""Questions take turns, and calls go on between them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
import pytest

from personas import Catalogue
from personas.persona import Persona
from tests.kit.exchange import exchange
from tests.kit.four import FOUR
from tests.kit.story import run, until
from tests.web.test_rest import named
from web import rest, turnstile
from web.rows import AT_A_TIME, Rows, Sheet
from web.turnstile import Turnstile

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


@pytest.mark.parametrize("path", ["/api/astrologers", "/api/astrologers/match", "/api/astrologers/nobody", "/", "/x"])
def test_what_many_ask_at_once_is_answered_one_in_a_round(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a caller's frame waits behind one question, not behind all of them."""
    rounds: list[Rounds] = []
    answered: list[int] = []
    real = turnstile.Turnstile.turn

    async def turn(self: Turnstile) -> None:
        await real(self)
        answered.append(rounds[0].count)

    monkeypatch.setattr(turnstile.Turnstile, "turn", turn)

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            rounds.append(Rounds())
            method, body = ("POST", QUESTION) if path.endswith("match") else ("GET", None)

            async def ask() -> None:
                async with client.request(method, line.http + path, json=body) as answer:
                    assert answer.status in (200, 404)

            for _ in range(3):
                await asyncio.gather(*(ask() for _ in range(20)))
            rounds[0].stop()

    run(story())
    assert len(answered) >= 60
    assert len({*answered}) == len(answered)


@pytest.mark.parametrize("body", [b"{", orjson.dumps(QUESTION)])
def test_a_body_is_looked_into_in_a_turn_of_its_own(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is over while it is waited for, and those of many may come whole in the same moment."""
    turns = 0
    real = turnstile.Turnstile.turn

    async def turn(self: Turnstile) -> None:
        nonlocal turns
        turns += 1
        await real(self)

    monkeypatch.setattr(turnstile.Turnstile, "turn", turn)

    async def story() -> None:
        async with (
            exchange() as line,
            aiohttp.ClientSession() as client,
            client.post(f"{line.http}/api/astrologers/match", data=body) as answer,
        ):
            assert answer.status in (200, 400)

    run(story())
    assert turns == 2


def test_calls_get_as_long_as_questions_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a slice; first come, first served; who has gone away is passed over."""
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    order: list[tuple[int, float]] = []
    rests: list[float] = []

    async def story() -> None:
        gate, loop = Turnstile(), asyncio.get_running_loop()
        later = loop.call_later

        def call_later(seconds: float, work: Callable[..., object], *rest: Any, **more: Any) -> asyncio.TimerHandle:
            rests.extend([seconds] if work == gate._one.release else [])
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


def test_calls_and_who_asks_whether_we_live_wait_for_nobody() -> None:
    """However many questions wait."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            gates: list[Turnstile] = []
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Turnstile, "_over", lambda gate, began: gates.append(gate))
                waiting = [asyncio.create_task(listed(client, line.http)) for _ in range(3)]
                await until(lambda: gates)
            for path in ("/health", "/ready"):
                async with client.get(line.http + path) as answer:
                    assert answer.status == 200
            async with line.phone() as phone:
                await phone.say(type="ping")
                await phone.hear("pong")
            assert sum(task.done() for task in waiting) <= 1
            gates[0]._one.release()
            assert len({len(await task) for task in waiting}) == 1

    run(story())


async def listed(client: aiohttp.ClientSession, url: str) -> bytes:
    async with client.get(f"{url}/api/astrologers") as answer:
        return await answer.read()


def test_a_long_list_takes_many_turns_and_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendered and written piece by piece, by several at once, it is what it would be in one."""
    turns = 0
    real = turnstile.Turnstile.turn

    async def turn(self: Turnstile) -> None:
        nonlocal turns
        turns += 1
        await real(self)

    monkeypatch.setattr(turnstile.Turnstile, "turn", turn)
    monkeypatch.setattr(rest, "is_used_up", lambda since: True)
    number = 2 * AT_A_TIME + 50

    async def story() -> None:
        async with exchange(catalogue=named(*range(number))) as line, aiohttp.ClientSession() as client:
            bodies = await asyncio.gather(*(listed(client, line.http) for _ in range(3)))
            assert len({*bodies}) == 1
            found = orjson.loads(bodies[0])
            assert [one["astrologer_id"] for one in found["astrologers"]] == [f"m{n:03}" for n in range(number)]
            assert (found["total"], list(found)) == (number, ["astrologers", "total"])

    run(story())
    assert turns >= 3 * (1 + number + 2)


@pytest.mark.parametrize("number", [0, 1, AT_A_TIME, AT_A_TIME + 1, 3 * AT_A_TIME])
def test_a_list_is_as_long_as_it_says(number: int) -> None:
    """In pieces that make JSON together."""
    rows: Sequence[bytes] = [b'{"n":%d}' % n for n in range(number)]

    async def story() -> None:
        sheet = Sheet(rows, b'],"total":7}', Turnstile())
        assert len(sheet.decode()) == sheet.size
        assert orjson.loads(sheet.decode()) == {"astrologers": [{"n": n} for n in range(number)], "total": 7}

    run(story())


def test_a_row_is_rendered_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all who ask; in another minute, or of an edited file, it is another, also for who is still reading."""
    seen: list[str] = []
    edited, real = named(1, name="Somebody"), Persona.public

    def public(self: Persona) -> dict[str, Any]:
        seen.append(self.id)
        return real(self)

    monkeypatch.setattr(Persona, "public", public)
    rows, noon = Rows(), datetime(2026, 11, 23, 12, tzinfo=UTC)

    def read(catalogue: Catalogue, now: datetime) -> bytes:
        return b"".join(rows.at(catalogue, now).row(persona)[0] for persona in catalogue.all())

    first = rows.at(FOUR, noon)
    assert read(FOUR, noon) == read(FOUR, noon + timedelta(seconds=59.9))
    assert len(seen) == 4
    read(FOUR, noon + timedelta(seconds=60))
    assert len(seen) == 8
    assert b"Somebody" in read(edited, noon + timedelta(seconds=60))
    assert len(seen) == 9
    assert orjson.loads(first.row(FOUR.all()[0])[0])["open"] is True
    assert len(seen) == 9
