"""The limit on the CPU time that one clip may use."""

import io
import time
from collections.abc import Callable

from schemas import Refused

CPU_SECONDS = 0.8  # for one clip, also to open its frame; 120 s from a phone or a browser take 0.2 to 0.5


class Budget:
    """A limit of `seconds` of CPU, counted from its creation. The decoder checks it between two steps.

    `clock` returns seconds of CPU of this process.
    """

    def __init__(self, seconds: float = CPU_SECONDS, clock: Callable[[], float] = time.process_time) -> None:
        self._clock, self._began = clock, clock()
        self._ends = self._began + seconds

    @property
    def used(self) -> float:
        """Seconds of CPU since its creation."""
        return self._clock() - self._began

    @property
    def over(self) -> bool:
        """True if more than the limit was used."""
        return self._clock() > self._ends

    def check(self) -> None:
        """Raise Refused (audio_undecodable) if more than the limit was used."""
        if self.over:
            raise Refused(
                "audio_undecodable",
                "The clip takes too much work to decode: send it in shorter parts, or as m4a or webm, in mono.",
            )


class BudgetedFile(io.BytesIO):
    """A clip as a file that reports its end as soon as the budget is used up: no header can keep a demuxer busy.

    `read` does not raise: PyAV logs an exception that it cannot pass on, once for each attempt of the demuxer.
    """

    def __init__(self, clip: bytes, budget: Budget) -> None:
        super().__init__(clip)
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as from any file; empty once the budget is used up."""
        return b"" if self._budget.over else super().read(size)
