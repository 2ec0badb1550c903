"""A caller's player: simulates playback in order and in real time, and records which words were played, and gaps."""

from collections.abc import Callable
from typing import NamedTuple

from bench.marks import BYTES_PER_SECOND, MARK, WORD, Mark, read

PROMPT_WORDS = 2  # 400 ms
TOLERANCE = 0.002  # seconds: shorter gaps are inaccuracies of timers


class Heard(NamedTuple):
    """A word, and when it is played, in seconds of the monotonic clock."""

    voice: int
    turn: int
    position: int
    who: int
    plays_at: float


class Gap(NamedTuple):
    """A gap (buffer underrun) within a reply: when it began, and its length in seconds."""

    at: float
    turn: int
    seconds: float


class Ear:
    """`late` is called with the latency, in µs, of the first two words of each reply: pacing does not delay these.

    Times `now` are in seconds of the monotonic clock.
    """

    def __init__(self, late: Callable[[int], None]) -> None:
        self.words: list[Heard] = []
        self.gaps: list[Gap] = []
        self.ends_at = 0.0
        self._late = late
        self._turn = -1
        self._offset = 0  # bytes of this reply
        self._split = b""

    def begin(self) -> None:
        """Begin another response."""
        self._offset, self._split = 0, b""

    def hear(self, now: float, chunk: bytes) -> None:
        """Receive a chunk of audio."""
        waited, before, inside = now - self.ends_at, self._turn, self._offset > 0
        data = self._split + chunk if self._split else chunk
        starts = max(now, self.ends_at) - len(self._split) / BYTES_PER_SECOND
        self._split = b""
        for at in range(-self._offset % WORD, len(data), WORD):
            head = data[at : at + MARK.size]
            if len(head) < MARK.size:
                self._split = head
            elif mark := read(head):
                self._note(now, mark, starts + at / BYTES_PER_SECOND)
        if waited > TOLERANCE and (inside or self._turn == before):
            self.gaps.append(Gap(self.ends_at, self._turn, waited))
        self._offset += len(data) - len(self._split)
        self.ends_at = max(now, self.ends_at) + len(chunk) / BYTES_PER_SECOND

    def clear(self, now: float) -> None:
        """Discard what is not played yet. A word counts as played if at least half of it was."""
        self.words = [word for word in self.words if word.plays_at + WORD / BYTES_PER_SECOND / 2 <= now]
        self.ends_at = min(self.ends_at, now)

    def _note(self, now: float, mark: Mark, plays_at: float) -> None:
        if mark.position < PROMPT_WORDS:
            self._late(int(now * 1e6) - mark.at)
        self._turn = mark.turn
        self.words.append(Heard(mark.voice, mark.turn, mark.position, mark.who, plays_at))
