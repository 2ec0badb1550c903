"""What one clip may cost."""

import io
import time
from collections.abc import Callable

from schemas import Refused

CPU_SECONDS = 0.8  # for one clip, also to open its frame; 120 s from a phone or a browser take 0.2 to 0.5


class Budget:
    """Seconds of CPU, from now on. Whoever works on the clip asks between two steps; no step knows of the clock."""

    def __init__(self, seconds: float = CPU_SECONDS, clock: Callable[[], float] = time.process_time) -> None:
        self._clock, self._began = clock, clock()
        self._ends = self._began + seconds

    @property
    def used(self) -> float:
        """Seconds of CPU since it was made."""
        return self._clock() - self._began

    @property
    def over(self) -> bool:
        """Whether all is used up."""
        return self._clock() > self._ends

    def check(self) -> None:
        """Raises Refused: audio_undecodable, once all is used up."""
        if self.over:
            raise Refused(
                "audio_undecodable",
                "The clip takes too much work to decode: send it in shorter parts, or as m4a or webm, in mono.",
            )


class Paid(io.BytesIO):
    """A clip as a file that ends where the budget does, so that no header keeps a demuxer busy for longer than that.

    It raises nothing: PyAV writes all that it cannot raise to the log, again and again where a demuxer tries again.
    """

    def __init__(self, clip: bytes, budget: Budget) -> None:
        super().__init__(clip)
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file."""
        return b"" if self._budget.over else super().read(size)
