"""A register that fails: late, away and forgetful, on a stage and in virtual time.

asked ──▶ on its way ──▶ carried out ──▶ on its way back ──▶ answered      within `bounds.answer` altogether
│ lost: RegisterAway           │ lost, or late: RegisterAway, though it was carried out
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from register import (
    BOUNDS,
    Claim,
    Epoch,
    Holder,
    Kicked,
    Listener,
    Memory,
    MemoryRegister,
    Past,
    Presence,
    Register,
    RegisterAway,
    SharedLimits,
    Spent,
    Taken,
    ToldAge,
    YieldAsked,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trouble:
    """How often something happens to a question (0 to 1), and for how long the register is away then, in seconds."""

    late: float = 0.0
    """It takes long, perhaps longer than is waited for."""
    away: float = 0.0
    """It does not come through, and nothing does for a while."""
    forgetful: float = 0.0
    """All data are lost before it is carried out."""
    longest: float = 5.0


CALM = Trouble()


class Line:
    """Between one node and the memory: what happens to a question is drawn from `random`. `trouble` may change."""

    def __init__(self, memory: Memory, presence: Presence, random: Random, trouble: Trouble) -> None:
        self.memory, self.presence, self.random, self.trouble = memory, presence, random, trouble
        self.happened: Counter[str] = Counter()

    async def ask(self, operation: str, carry_out: Callable[[], Awaitable[T]]) -> T:
        """The answer, or RegisterAway; in at most BOUNDS.answer, but for what is waited for there."""
        presence = self.presence
        presence.asked[operation] += 1
        if presence.here:
            if self._draws("away"):
                await asyncio.sleep(BOUNDS.answer)
                self._away()
            elif (answer := await self._carry(carry_out)) is not None:
                return answer[0]
        presence.unanswered[operation] += 1
        raise RegisterAway(presence.reason)

    async def _carry(self, carry_out: Callable[[], Awaitable[T]]) -> tuple[T] | None:
        """The answer; None if it came too late."""
        late = self._draws("late")
        there, back = (self.random.uniform(0.0, BOUNDS.answer if late else 0.002) for _ in range(2))
        await asyncio.sleep(there)
        if self._draws("forgetful"):
            self.memory.forget()
        answer = await carry_out()
        await asyncio.sleep(min(back, BOUNDS.answer - there))
        if there + back <= BOUNDS.answer:
            return (answer,)
        self.happened["too late"] += 1
        self._away()
        return None

    def deliver(self, listener: Listener, message: Kicked | YieldAsked) -> None:
        """A message of another node comes a little later, and not at all while the register is away."""
        if self.presence.here and not self._draws("away"):
            asyncio.get_running_loop().call_later(self.random.uniform(0.0, 0.01), listener, message)

    def _draws(self, what: str) -> bool:
        drawn: bool = self.random.random() < getattr(self.trouble, what)
        self.happened[what] += drawn
        return drawn

    def _away(self) -> None:
        if self.presence.here:
            self.presence.went("it does not answer")
            back = self.random.uniform(BOUNDS.pause, max(BOUNDS.pause, self.trouble.longest))
            asyncio.get_running_loop().call_later(back, self.presence.came)


class TroubledRegister:
    """One node's view of the memory, over a line of its own. Each node begins here."""

    def __init__(self, node: str, memory: Memory, random: Random, trouble: Trouble = CALM) -> None:
        self.node = node
        self.presence = Presence(asyncio.get_running_loop().time)
        self.line = Line(memory, self.presence, random, trouble)
        self._inner: Register = MemoryRegister(node, memory)
        self.limits: SharedLimits = TroubledLimits(self.line, self._inner.limits)

    def listen(self, listener: Listener) -> None:
        self._inner.listen(lambda message: self.line.deliver(listener, message))

    async def claim(self, user: str, token: bytes, seconds: float) -> Claim:
        return await self.line.ask("claim", lambda: self._inner.claim(user, token, seconds))

    async def save(self, claim: Claim, record: bytes, seconds: float) -> bool:
        return await self.line.ask("save", lambda: self._inner.save(claim, record, seconds))

    async def end(self, claim: Claim, record: bytes, seconds: float) -> bool:
        return await self.line.ask("save", lambda: self._inner.end(claim, record, seconds))

    async def own(self, claim: Claim) -> Claim | None:
        return await self.line.ask("own", lambda: self._inner.own(claim))

    async def look(self, user: str, token: bytes) -> bytes | None:
        return await self.line.ask("look", lambda: self._inner.look(user, token))

    async def ask_to_yield(self, user: str, token: bytes) -> Holder:
        return await self.line.ask("ask", lambda: self._inner.ask_to_yield(user, token))

    async def answer(self, asked: YieldAsked, yielded: bool) -> None:
        await self.line.ask("answer", lambda: self._inner.answer(asked, yielded))

    async def take(self, user: str, token: bytes, seconds: float) -> Taken | Past | None:
        return await self.line.ask("take", lambda: self._inner.take(user, token, seconds))

    async def epochs(self, users: Collection[str]) -> Mapping[str, Epoch]:
        return await self.line.ask("epochs", lambda: self._inner.epochs(users))

    async def close(self) -> None:
        await self._inner.close()


class TroubledLimits:
    """The limits, over the same line."""

    def __init__(self, line: Line, inner: SharedLimits) -> None:
        self._line, self._inner = line, inner

    async def occupy(self, persona: str, claim: Claim, most: int, seconds: float) -> bool:
        return await self._line.ask("occupy", lambda: self._inner.occupy(persona, claim, most, seconds))

    async def vacate(self, persona: str, claim: Claim) -> None:
        await self._line.ask("vacate", lambda: self._inner.vacate(persona, claim))

    async def begins(self, user: str, most: int, seconds: float) -> bool:
        return await self._line.ask("begins", lambda: self._inner.begins(user, most, seconds))

    async def use(self, token: str, most: int, seconds: float, times: int = 1) -> bool:
        return await self._line.ask("use", lambda: self._inner.use(token, most, seconds, times))

    async def spend(self, spent: Sequence[Spent]) -> tuple[int, ...]:
        return await self._line.ask("spend", lambda: self._inner.spend(spent))

    async def youngest(self, user: str, told: ToldAge | None) -> ToldAge | None:
        return await self._line.ask("youngest", lambda: self._inner.youngest(user, told))

    async def opening(self, a_second: float, within: float) -> float | None:
        return await self._line.ask("opening", lambda: self._inner.opening(a_second, within))
