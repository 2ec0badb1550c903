"""What the caller says in a stream, kept until it is safe: answered, or written down by the model.

When a connection is lost, the audio that is kept is played to the next one, so that no words are lost.

Positions are bytes of audio (48 for each millisecond) on the clock of the connection that listens now: 0 is the first
byte that it was ever sent. The times in its events (`at_ms`) are on the same clock.

    0          _begins                                  _settled        _sent          end
    ├─ ─ ─ ─ ─ ─ ─┼────────┬────────────┬───────────────────┼──────────────┼────────────┤
      discarded   │        turn 7       turn 8              │   pause      │  waits     │
                  └─────────────────────── _kept ───────────────────────────────────────┘

- `_turns` holds where each turn begins that is not safe yet, as the model reported it.
- `_settled` is where the last complete turn ended: whatever is reported next begins after it.
- Before `_sent` the connection has the audio. What follows was said while nobody listened, and waits.

How much is kept depends on who speaks and who listens:

- Nobody speaks: the last QUIET bytes, because the model may have heard speech begin and not have reported it yet.
- A turn is not safe: from its beginning on.
- Nobody listens (a greeting comes first, a connection is lost, another persona is being chosen): also all that is
  said from then on.

In no case more than LONGEST. If more comes while nobody listens, the oldest is discarded and `missed` is set.

A turn that is safe (`acknowledge`) is overwritten with silence, so that all positions stay as they are. If a turn
before it is not safe, it must wait: the next connection will hear both (`heard_again`).

There are three ways to go on. `resume` returns what the same connection has not been sent. `replay` returns all that
is kept, for another connection, whose clock begins with it. `drop` discards it.
"""

from upstream.facts import BYTES_PER_MS, TurnId

QUIET_SECONDS = 0.6  # kept while nobody speaks: the upstream may have heard speech begin and not told us of it yet
QUIET = int(QUIET_SECONDS * 1000) * BYTES_PER_MS
LONGEST = 15_000 * BYTES_PER_MS  # kept while somebody speaks, or nobody listens
PADDING = 300 * BYTES_PER_MS  # a turn is said to begin so long before its first sound (`prefix_padding_ms`)
SILENCE = 500 * BYTES_PER_MS  # that ends a turn (`silence_duration_ms`)
ONSET = 300 * BYTES_PER_MS  # of what was said while a greeting was owed: more would be answered before it


class ReplayBuffer:
    """The newest audio of a stream, and the turns in it that are not safe yet."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._begins = 0  # where the first byte kept stands
        self._sent = 0  # up to where the connection has got it
        self._clock: list[tuple[float, int]] = []  # (when, where it ended then), a few a second
        self._heard_at = self._look_at = 0.0
        self._burst_at = 0.0  # when the connection was sent all at once that waited for it
        self._turns: dict[TurnId, int] = {}  # turn -> where it begins, in order
        self._safe: set[TurnId] = set()  # those of them that wait for one before them
        self._open = False  # somebody speaks, and it was not told that they stopped
        self._settled = 0  # where the last turn that is whole ended: before it nothing new begins
        self.missed = False  # words were dropped while nobody listened

    @property
    def lost(self) -> bool:
        """True if audio that the next connection must hear was already discarded."""
        return self.missed or any(begins + PADDING < self._begins for begins in self._turns.values())

    @property
    def empty(self) -> bool:
        """True if nothing is kept."""
        return not self._kept

    def hear(self, pcm: bytes, listening: bool, now: float) -> None:
        """Keep some more audio; with `listening` the connection is sent it as well. `now` is in seconds."""
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
        """The last `size` bytes of what is kept, or fewer."""
        return bytes(self._kept[-size:])

    def began(self, turn: TurnId, at_ms: int) -> None:
        """The model hears the caller speak, since `at_ms` on its clock: the beginning of this turn."""
        self._turns[turn] = at_ms * BYTES_PER_MS
        self._open = True

    def paused(self, at_ms: int, now: float) -> float:
        """The model hears that the caller has stopped, since `at_ms` on its clock.

        Returns how many seconds ago it got that: by the audio that it got since then.
        """
        self._settled = at_ms * BYTES_PER_MS
        self._open = False
        return max(0.0, min((self._sent / BYTES_PER_MS - at_ms) / 1000, now - self._burst_at))

    def committed(self) -> None:
        """A turn is complete. If its end was not reported, the model has heard SILENCE before this."""
        if self._open:
            self._open = False
            self._settled = max(self._settled, self._sent - SILENCE)

    def acknowledge(self, turn: TurnId) -> None:
        """A turn is safe: the next connection need not hear it, unless it must hear one before it."""
        if turn in self._turns:
            self._safe.add(turn)
        while self._turns and (first := next(iter(self._turns))) in self._safe:
            self._forget(first)

    @property
    def heard_again(self) -> list[TurnId]:
        """Turns that are safe, and that the next connection hears all the same because of one before them."""
        return [turn for turn in self._turns if turn in self._safe]

    @property
    def unsafe(self) -> bool:
        """True if a turn that was reported is not safe yet."""
        return bool(self._turns)

    def hold(self) -> None:
        """Nobody listens from here on: what is said now is kept for whoever listens next."""
        self._trim(self._needed(self._begins + len(self._kept), self._heard_at))

    def drop(self) -> None:
        """Discard all that is kept: nobody will answer it."""
        self._kept.clear()
        self._turns.clear()
        self._safe.clear()
        self._clock.clear()
        self._begins, self.missed = self._sent, False

    def resume(self) -> bytes:
        """The audio that the same connection has not been sent: from here on it listens again."""
        rest = bytes(self._kept[max(0, self._sent - self._begins) :])
        self._begins = self._sent + len(rest) - len(self._kept)
        self._played(self._sent)
        return rest

    def shorten(self) -> None:
        """Discard what was said while a greeting was owed, but for its last ONSET bytes."""
        self._trim(self._begins + len(self._kept) - ONSET)
        self._turns = {turn: begins for turn, begins in self._turns.items() if begins >= self._begins}

    def replay(self) -> bytes:
        """All that is kept, for another connection to hear: its clock begins here."""
        self._begins = self._settled = 0
        self._open = False
        self._turns.clear()
        self._safe.clear()
        self._played(0)
        return bytes(self._kept)

    def _played(self, first: int) -> None:
        """What is kept from the position `first` on is sent in a burst, and counts as if it were said now."""
        self._sent, self.missed = self._begins + len(self._kept), False
        self._burst_at = self._heard_at
        self._clock.clear()
        self._clock.append((self._heard_at, first))

    def _forget(self, turn: TurnId) -> None:
        """Put silence where the turn was, so that what comes after it keeps its position."""
        self._safe.discard(turn)
        begins = self._turns.pop(turn)
        ends = min([*self._turns.values(), max(self._settled, begins), self._begins + len(self._kept)])
        first, end = max(begins - self._begins, 0), ends - self._begins
        if first < end:
            self._kept[first:end] = bytes(end - first)

    def _trim(self, first: int) -> None:
        """Discard what is before this position, and what is more than LONGEST."""
        ends = self._begins + len(self._kept)
        first = max(first, ends - LONGEST)
        if first > self._begins:
            self._kept = self._kept[first - self._begins :]  # `del` keeps up to twice the memory
            self._begins = first

    def _needed(self, ends: int, now: float) -> int:
        """The position from which the next connection must hear to get all that is not safe."""
        while len(self._clock) > 1 and now - self._clock[1][0] >= QUIET_SECONDS:
            del self._clock[0]
        recent = min(ends - QUIET, *(at for _, at in self._clock[:1]), ends)  # a burst is all as recent
        return min(max(recent, self._settled), *self._turns.values(), ends)
