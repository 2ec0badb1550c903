"""What the caller says in a stream, kept until it is safe: heard and answered, or written down by the model.

When a connection is lost, what is kept is played to the next one, so that no words are lost. Positions are bytes on
the clock of the connection that listens now: all audio that it was ever sent.
"""

from collections import deque
from itertools import islice

from upstream.facts import BYTES_PER_MS, TurnId

QUIET_SECONDS = 0.6  # kept while nobody speaks: the upstream may have heard speech begin and not told us of it yet
QUIET = int(QUIET_SECONDS * 1000) * BYTES_PER_MS
LONGEST = 15_000 * BYTES_PER_MS  # kept while somebody speaks, or nobody listens
PADDING = 300 * BYTES_PER_MS  # a turn is said to begin so long before its first sound (`prefix_padding_ms`)
SILENCE = 500 * BYTES_PER_MS  # that ends a turn (`silence_duration_ms`)
ONSET = 300 * BYTES_PER_MS  # of what was said while a greeting was owed: more would be answered before it


class ReplayBuffer:
    """The newest of what was said, and the turns in it that are not safe yet."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._begins = 0  # where the first byte kept stands
        self._sent = 0  # up to where the connection has got it
        self._clock: deque[tuple[float, int]] = deque()  # (when, where it ended then), a few a second
        self._heard_at = self._look_at = 0.0
        self._turns: dict[TurnId, int] = {}  # turn -> where it begins, in order
        self._safe: set[TurnId] = set()  # those of them that wait for one before them
        self._open = False  # somebody speaks, and it was not told that they stopped
        self._settled = 0  # where the last turn that is whole ended: before it nothing new begins
        self.missed = False  # words were dropped while nobody listened

    @property
    def lost(self) -> bool:
        """Words were dropped that another connection would need; or it was told so late of them that they were."""
        return self.missed or any(begins + PADDING < self._begins for begins in self._turns.values())

    @property
    def empty(self) -> bool:
        """Nothing is kept."""
        return not self._kept

    def hear(self, pcm: bytes, listening: bool, now: float) -> None:
        """Keep it; `listening`: it goes to the connection as well."""
        self._kept += pcm
        ends = self._begins + len(self._kept)
        if listening:
            self._sent = ends
        self._heard_at = now
        if now >= self._look_at or len(self._kept) > LONGEST:  # a few times a second is often enough
            self._look_at = now + QUIET_SECONDS / 4
            self.missed = self.missed or (not listening and len(self._kept) > LONGEST)
            self._trim(self._needed(ends, now) if listening else self._begins)
            self._clock.append((now, ends - len(pcm)))

    def newest(self, size: int) -> bytes:
        """The last bytes of what is kept, so many at most."""
        return bytes(self._kept[-size:])

    def began(self, turn: TurnId, at_ms: int) -> None:
        """Somebody speaks, since `at_ms`."""
        self._turns[turn] = at_ms * BYTES_PER_MS
        self._open = True

    def paused(self, at_ms: int) -> None:
        """Nobody speaks, since `at_ms`."""
        self._settled = at_ms * BYTES_PER_MS
        self._open = False

    def committed(self) -> None:
        """A turn is whole: if nobody has told where it ended, nobody spoke for half a second before."""
        if self._open:
            self._open = False
            self._settled = max(self._settled, self._sent - SILENCE)

    def acknowledge(self, turn: TurnId) -> None:
        """It is written down or answered: the next connection need not hear it, unless it must hear one before it."""
        if turn in self._turns:
            self._safe.add(turn)
        while self._turns and (first := next(iter(self._turns))) in self._safe:
            self._forget(first)

    @property
    def heard_again(self) -> list[TurnId]:
        """Turns that are safe and will be heard by the next connection all the same, each in its place."""
        return [turn for turn in self._turns if turn in self._safe]

    def hold(self) -> None:
        """Nobody listens from here on: what is said now is kept, whoever it will be for."""
        self._trim(self._needed(self._begins + len(self._kept), self._heard_at))

    def drop(self) -> None:
        """All that was said is over."""
        self._kept.clear()
        self._turns.clear()
        self._safe.clear()
        self._clock.clear()
        self._begins, self.missed = self._sent, False

    def resume(self) -> bytes:
        """What the same connection has not got yet: from here on it listens again."""
        rest = bytes(self._kept[max(0, self._sent - self._begins) :])
        self._begins = self._sent + len(rest) - len(self._kept)
        self._played(self._sent)
        return rest

    def shorten(self) -> None:
        """Of what was said while a greeting was owed only the last moment counts."""
        self._trim(self._begins + len(self._kept) - ONSET)
        self._turns = {turn: begins for turn, begins in self._turns.items() if begins >= self._begins}

    def replay(self) -> bytes:
        """What another connection must hear to know what this one knew; its clock begins here."""
        self._begins = self._settled = 0
        self._open = False
        self._turns.clear()
        self._safe.clear()
        self._played(0)
        return bytes(self._kept)

    def _played(self, first: int) -> None:
        """What is kept from `first` on goes out in a burst: as if it were said now, for all that is known of it."""
        self._sent, self.missed = self._begins + len(self._kept), False
        self._clock.clear()
        self._clock.append((self._heard_at, first))

    def _forget(self, turn: TurnId) -> None:
        """Where it was, nobody speaks; so that what comes after it keeps its place."""
        self._safe.discard(turn)
        begins = self._turns.pop(turn)
        ends = min([*self._turns.values(), max(self._settled, begins), self._begins + len(self._kept)])
        first, end = max(begins - self._begins, 0), ends - self._begins
        if first < end:
            self._kept[first:end] = bytes(end - first)

    def _trim(self, first: int) -> None:
        """Keep from this position on, and no more than LONGEST."""
        ends = self._begins + len(self._kept)
        first = max(first, ends - LONGEST)
        if first > self._begins:
            del self._kept[: first - self._begins]
            self._begins = first

    def _needed(self, ends: int, now: float) -> int:
        """Where the next connection would have to begin to hear all that is not safe."""
        while len(self._clock) > 1 and now - self._clock[1][0] >= QUIET_SECONDS:
            self._clock.popleft()
        recent = min(ends - QUIET, *(at for _, at in islice(self._clock, 1)), ends)  # a burst is all as recent
        return min(max(recent, self._settled), *self._turns.values(), ends)
