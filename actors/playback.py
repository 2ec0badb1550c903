"""What the caller hears: the replies that were sent to them, and how much of each has been played by now."""

from collections import deque
from dataclasses import dataclass, field

from realtime.protocol import BYTES_PER_MS


@dataclass(slots=True)
class OnAir:
    """A reply of the model, as the persona of this id.

    `sent_at` is when the caller got it, `starts_at` when it began to play, in seconds; both are None while it is
    still coming in. A reply that came while another played starts when that has ended.
    """

    generation: int
    reply: int
    ask: int
    persona: str
    pcm: bytearray = field(default_factory=bytearray)
    text: str = ""
    sent_at: float | None = None
    starts_at: float | None = None

    @property
    def id(self) -> str:
        """The response id on the caller's wire."""
        return f"{self.generation}.{self.reply}"

    @property
    def ms(self) -> int:
        """How long it plays."""
        return len(self.pcm) // BYTES_PER_MS

    def heard_ms(self, now: float) -> int:
        """How much of it has been played by now."""
        return 0 if self.starts_at is None else max(0, min(self.ms, int((now - self.starts_at) * 1000)))

    def heard_text(self, now: float) -> str:
        """The share of its words that fell into what was heard, a word that was cut not counted."""
        words = self.text.split()
        return " ".join(words[: len(words) * self.heard_ms(now) // max(1, self.ms)])


class Playback:
    """The replies that the caller has and has not heard to their end, in the order in which they play."""

    def __init__(self) -> None:
        self._queue: deque[OnAir] = deque()

    def send(self, air: OnAir, now: float) -> None:
        """The caller gets it now; it plays when those before it are over."""
        self._forget_heard(now)
        last = self._queue[-1] if self._queue else None
        free = last.starts_at + last.ms / 1000 if last and last.starts_at is not None else now
        air.sent_at, air.starts_at = now, max(now, free)
        self._queue.append(air)

    def stop(self, since: float, now: float) -> list[OnAir]:
        """What must stop because something was said at `since`: all that was sent before and still plays."""
        self._forget_heard(now)
        stopped = [air for air in self._queue if air.sent_at is not None and air.sent_at <= since]
        for air in stopped:
            self._queue.remove(air)
        return stopped

    def _forget_heard(self, now: float) -> None:
        while self._queue and self._queue[0].heard_ms(now) >= self._queue[0].ms:
            self._queue.popleft()
