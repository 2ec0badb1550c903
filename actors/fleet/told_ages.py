"""What users told of their ages, over the servers of a fleet: the youngest of a day counts on all of them.

    told here ──▶ known here at once ──▶ the register, at once, or when it is back
    a call begins ──▶ the register is asked, and told what is known here ──▶ known here before the call is let in

So a register that has lost its data learns of a user again when they call. While it is away each server goes by what it
knows.
"""

import asyncio
from collections.abc import Callable

from actors.admission.ages import ToldAges
from actors.fleet.questions import Questions, answer_or
from care.ages import age_of
from register import Register, RegisterAway, ToldAge

AT_ONCE = 4  # questions that are asked when the register is back: callers who wait for an answer come between


class FleetAges:
    """`questions` puts those of a user in order; `now` is the clock of `ages`."""

    def __init__(
        self,
        ages: ToldAges,
        register: Register,
        questions: Questions,
        now: Callable[[], float],
    ) -> None:
        self._ages, self._limits, self._questions, self._now = ages, register.limits, questions, now
        self._untold: dict[str, None] = {}  # users of whose age the register does not know
        self._few = asyncio.Semaphore(AT_ONCE)
        ages.heard = self._ask
        register.presence.on_change(self._changed)

    async def learn(self, user: str) -> None:
        """Learn what this user told elsewhere, and tell what is known here. Raises RegisterAway."""
        now = self._now()
        age = self._ages.youngest(user, now)
        here = ToldAge(age.under, self._ages.left(user, now)) if age and age.under is not None else None
        try:
            there = await self._limits.youngest(user, here)
        except RegisterAway:
            if here:
                self._untold[user] = None
            raise
        self._untold.pop(user, None)
        if there:
            self._ages.learn(user, age_of(there.under - 1), self._now(), there.seconds)

    def _changed(self, here: bool) -> None:
        if here:
            for user in self._untold:
                self._ask(user)

    def _ask(self, user: str) -> None:
        async def ask() -> None:
            async with self._few:
                await answer_or(None, self.learn(user))

        self._questions.ask(user, ask)
