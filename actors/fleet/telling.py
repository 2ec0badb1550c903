"""What is spent is told to the register, twice a second and at the end of a server: none of it twice."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

from actors.budgets.fleet_sums import FleetSums, key_of
from actors.budgets.spending import Spending
from actors.budgets.sums import EVERYBODY, Sum
from actors.fleet.questions import answer_or
from register import Register, SharedLimits, Spent

TELL_SECONDS = 0.5  # what one server tells another asks for as often: so all know it within a second
LAST_SECONDS = 2.0  # for the last time: a slow register must not keep the process
MOST_TOLD = 100  # sums in one question: that takes some milliseconds, here and in Redis
DAY_SECONDS = 50 * 3600.0  # that a sum is known after its first amount: a day may have 25 hours, and is told late
HOUR_SECONDS = 3 * 3600.0
LONGEST_HOUR = len("2026-11-29")  # a period with more letters is an hour


async def ask_for(limits: SharedLimits, sums: FleetSums, asked: Iterable[Sum]) -> None:
    """Learn what the fleet has added up of these. Raises RegisterAway."""
    losses, zeros = sums.losses, dict.fromkeys(asked, 0)
    totals = await _spend(limits, zeros)
    for one, total in zip(zeros, totals, strict=True):
        if sums.losses == losses:
            sums.learned(one, total)


async def tell(register: Register, sums: FleetSums, spending: Spending) -> None:
    """Tell what was added since, and learn what all have spent. What was not told waits for the next time.

    Raises RegisterAway.
    """
    if not register.presence.here:
        return
    sums.forget_past()
    waiting = list((dict.fromkeys(spending.sums_of(EVERYBODY), 0) | sums.take_untold()).items())
    try:
        while waiting and register.presence.here:
            told, waiting = dict(waiting[:MOST_TOLD]), waiting[MOST_TOLD:]
            for one, total in zip(told, await _spend(register.limits, told), strict=True):
                sums.answered(one, total)
    finally:
        sums.put_back(dict(waiting))


async def _spend(limits: SharedLimits, told: Mapping[Sum, int]) -> tuple[int, ...]:
    return await limits.spend([Spent(key_of(one), amount, _kept(one[0])) for one, amount in told.items()])


def _kept(period: str) -> float:
    return HOUR_SECONDS if len(period) > LONGEST_HOUR else DAY_SECONDS


@asynccontextmanager
async def telling(register: Register | None, sums: FleetSums | None, spending: Spending) -> AsyncIterator[None]:
    """Tell while the context is open, and a last time; nothing without a register."""
    if not register or not sums:
        yield
        return
    stopping = asyncio.Event()
    task = asyncio.create_task(_run(register, sums, spending, stopping), name="the sums of the fleet")
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait([task], timeout=LAST_SECONDS)
        task.cancel()


async def _run(register: Register, sums: FleetSums, spending: Spending, stopping: asyncio.Event) -> None:
    last = False
    while not last:
        with suppress(TimeoutError):
            last = await asyncio.wait_for(stopping.wait(), TELL_SECONDS)
        await answer_or(None, tell(register, sums, spending))
