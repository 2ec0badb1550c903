"""Five hundred who call within a second: each is answered, and those who are let in are served."""

import asyncio
import time
from collections import Counter

from actors.services import Limits
from phone import CallEnded, CallFailed
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.story import run

CALLERS = 500
WAIT = 60.0  # seconds: only a fault reaches them


async def call(line: Exchange, number: int, refused: asyncio.Semaphore, over: asyncio.Event) -> tuple[str, float]:
    """The limit for which the call was refused, or "served"; and after how many seconds that was told.

    Who is served asks once more when all others have been told.
    """
    began, phone = time.monotonic(), line.phone(f"user-{number}")
    async with phone:
        try:
            await phone.choose(TINA)
            seconds = time.monotonic() - began
            assert (await phone.answer()).text
        except (CallFailed, CallEnded):
            ended, seconds = await phone.closed(WAIT), time.monotonic() - began
            assert ended.code == 4429
            assert ended.error
            assert ended.error["retry_after"] > 0
            return ended.error["limit"], seconds
        finally:
            refused.release()
        await over.wait()
        await phone.say(type="text", text="How are you?")
        assert (await phone.answer()).text
        return "served", seconds


def test_a_burst_of_calls_is_answered_and_those_let_in_work() -> None:
    """So many as the limits say are let in, the others are told which limit it was, and when to call again."""
    told: list[tuple[str, float]] = []

    async def story() -> None:
        async with exchange(Limits(connects=20)) as line:
            refused, over = asyncio.Semaphore(0), asyncio.Event()
            calls = [asyncio.create_task(call(line, number, refused, over)) for number in range(CALLERS)]
            async with asyncio.timeout(WAIT):
                for _ in calls:
                    await refused.acquire()
                over.set()
                told.extend(await asyncio.gather(*calls))

    run(story())
    outcomes = Counter(what for what, _ in told)
    assert outcomes.keys() == {"served", "connects"}
    assert outcomes["served"] >= 20
