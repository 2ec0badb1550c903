"""A register in memory whose answers a test holds back: what comes in between can be drawn out."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from register import Memory, MemoryRegister, Register

OPERATIONS = ("claim", "end", "look", "save", "take")


class SlowRegisters:
    """Makes the registers of the nodes of a FleetStage.

    `waits` has, by operation, for each of the next questions how long it waits before it is carried out, and after.
    """

    def __init__(self) -> None:
        self.waits: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

    def __call__(self, name: str, memory: Memory) -> Register:
        register: Any = MemoryRegister(name, memory)
        for operation in OPERATIONS:
            setattr(register, operation, self._slow(operation, getattr(register, operation)))
        return register  # type: ignore[no-any-return]

    def _slow(self, operation: str, carry_out: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def slow(*asked: Any) -> Any:
            there, back = self.waits[operation].pop(0) if self.waits[operation] else (0.0, 0.0)
            if there:
                await asyncio.sleep(there)
            answer = await carry_out(*asked)
            if back:
                await asyncio.sleep(back)
            return answer

        return slow
