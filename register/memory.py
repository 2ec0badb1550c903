"""The register of one process, and of several nodes in one process for tests: the same rules, in a few dictionaries."""

import asyncio
import itertools
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from register.lapsing import Lapsing
from register.memory_limits import MemoryLimits, Shared
from register.port import (
    BOUNDS,
    EPOCH_SECONDS,
    Bounds,
    Claim,
    Epoch,
    Holder,
    Kicked,
    Listener,
    Past,
    SharedLimits,
    Taken,
    YieldAsked,
)
from register.presence import Presence


@dataclass(frozen=True, slots=True)
class _Call:
    epoch: Epoch
    node: str
    token: bytes
    ended: bool = False


class Memory:
    """What nodes share. `now` is in seconds since 1970: epochs are made of it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.nodes: dict[str, MemoryRegister] = {}
        self.yielding: dict[str, asyncio.Future[bool]] = {}
        self.numbers = itertools.count(1)
        self.forget()

    def forget(self) -> None:
        """Lose all data."""
        self.calls = Lapsing[str, _Call](self.now)
        self.records = Lapsing[str, bytes](self.now)
        self.limits = Shared(self.now)

    def shared(self) -> Shared:
        """What is shared of limits, until it is lost."""
        return self.limits

    def next_epoch(self, before: _Call | None) -> Epoch:
        """Higher than the one before, and than any of an earlier moment."""
        return Epoch(max(before.epoch + 1 if before else 0, int(self.now() * 1_000_000)))

    def kick(self, before: _Call | None, node: str, claim: Claim, moved: bool) -> None:
        """The life before is over, if it is another node's: that is told soon."""
        if before and before.node != node:
            self.tell(before.node, Kicked(claim.user, claim.epoch, moved))

    def tell(self, node: str, message: Kicked | YieldAsked) -> bool:
        """Tell a node soon; False if there is no such node."""
        if known := self.nodes.get(node):
            asyncio.get_running_loop().call_soon(known.hear, message)
        return known is not None


class MemoryRegister:
    """One node's view of `memory`, by default of its own. Always here."""

    def __init__(self, node: str = "", memory: Memory | None = None, bounds: Bounds = BOUNDS) -> None:
        self.node, self._memory, self._bounds = node, memory or Memory(), bounds
        self.presence = Presence(self._memory.now)
        self.limits: SharedLimits = MemoryLimits(self._memory.shared, self.presence)
        self._listener: Listener | None = None
        self._memory.nodes[node] = self

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def hear(self, message: Kicked | YieldAsked) -> None:
        """Another node tells this one something."""
        if self._listener:
            self._listener(message)
        elif isinstance(message, YieldAsked):
            self._answer(message, yielded=False)

    async def close(self) -> None:
        self._memory.nodes.pop(self.node, None)

    async def claim(self, user: str, token: bytes, seconds: float) -> Claim:
        self.presence.asked["claim"] += 1
        self._memory.records.drop(user)
        return self._next(user, token, self._memory.calls.get(user), seconds, moved=False)

    def _next(self, user: str, token: bytes, before: _Call | None, seconds: float, moved: bool) -> Claim:
        epoch = self._memory.next_epoch(before)
        self._memory.calls.put(user, _Call(epoch, self.node, token), max(EPOCH_SECONDS, seconds))
        claim = Claim(user, epoch, token)
        self._memory.kick(before, self.node, claim, moved)
        return claim

    async def save(self, claim: Claim, record: bytes, seconds: float) -> bool:
        self.presence.asked["save"] += 1
        return self._save(claim, record, seconds, ended=False)

    async def end(self, claim: Claim, record: bytes, seconds: float) -> bool:
        self.presence.asked["save"] += 1
        return self._save(claim, record, seconds, ended=True)

    def _save(self, claim: Claim, record: bytes, seconds: float, ended: bool) -> bool:
        memory = self._memory
        before = memory.calls.get(claim.user)
        if before and (before.epoch > claim.epoch or (before.epoch == claim.epoch and before.ended and not ended)):
            return False
        memory.calls.put(claim.user, _Call(claim.epoch, self.node, claim.token, ended), max(EPOCH_SECONDS, seconds))
        memory.records.put(claim.user, record, seconds)
        memory.kick(before, self.node, claim, moved=bool(before and before.token == claim.token))
        return True

    async def own(self, claim: Claim) -> Claim | None:
        self.presence.asked["own"] += 1
        call, record = self._memory.calls.get(claim.user), self._memory.records.get(claim.user)
        if not call or record is not None or (call.node, call.token) != (self.node, claim.token):
            return None
        return Claim(claim.user, call.epoch, claim.token)

    async def look(self, user: str, token: bytes) -> bytes | None:
        self.presence.asked["look"] += 1
        call = self._memory.calls.get(user)
        return (self._memory.records.get(user) or b"") if call and call.token == token else None

    async def ask_to_yield(self, user: str, token: bytes) -> Holder:
        self.presence.asked["ask"] += 1
        call = self._memory.calls.get(user)
        if not call or call.token != token:
            return Holder.UNKNOWN
        number = str(next(self._memory.numbers))
        asked = YieldAsked(user, call.epoch, self.node, number)
        if call.ended or call.node == self.node or not self._memory.tell(call.node, asked):
            return Holder.ABSENT
        answer = self._memory.yielding[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._bounds.yielding):
                return Holder.YIELDED if await answer else Holder.ABSENT
        except TimeoutError:
            return Holder.SILENT
        finally:
            self._memory.yielding.pop(number, None)

    async def answer(self, asked: YieldAsked, yielded: bool) -> None:
        self.presence.asked["answer"] += 1
        self._answer(asked, yielded)

    def _answer(self, asked: YieldAsked, yielded: bool) -> None:
        waiting = self._memory.yielding.get(asked.number)
        if waiting and not waiting.done():
            waiting.set_result(yielded)

    async def take(self, user: str, token: bytes, seconds: float) -> Taken | Past | None:
        self.presence.asked["take"] += 1
        call, record = self._memory.calls.get(user), self._memory.records.get(user)
        if not call or call.token != token or record is None:
            return None
        if call.ended:
            return Past(record)
        self._memory.records.put(user, record, seconds)
        return Taken(self._next(user, token, call, seconds, moved=True), record)

    async def epochs(self, users: Collection[str]) -> Mapping[str, Epoch]:
        self.presence.asked["epochs"] += 1
        return {user: call.epoch for user in users if (call := self._memory.calls.get(user))}
