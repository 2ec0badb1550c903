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

    def check(self) -> None:
        """Raises Refused: audio_undecodable, once all is used up."""
        if self._clock() > self._ends:
            raise Refused(
                "audio_undecodable",
                "The clip takes too much work to decode: send it in shorter parts, or as m4a or webm, in mono.",
            )


class Paid(io.BytesIO):
    """A clip as a file. To read it, and to move in it, is paid: no header keeps a demuxer busy for longer than that."""

    def __init__(self, clip: bytes, budget: Budget) -> None:
        super().__init__(clip)
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file; raises Refused."""
        self._budget.check()
        return super().read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As of any file; raises Refused."""
        self._budget.check()
        return super().seek(offset, whence)
