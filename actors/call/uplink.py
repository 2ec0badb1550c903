"""The caller's voice as it is spoken: kept, and sent to the connection that listens."""

from actors.call.line import Leg
from actors.call.replay import ReplayBuffer
from actors.call.turns import DIED, MOST_BLAME
from actors.messages.bridge import Append, ToBridge
from actors.runtime import Ref
from upstream.facts import BYTES_PER_MS, NO_TURN, TurnId

MUTED_SECONDS = 1.0  # without audio in the middle of speech: the microphone was closed
SAMPLE = 100 * BYTES_PER_MS  # is looked at once a second: nobody pauses ten times in a row just then
AUDIBLE = 328  # half of what speech swings at least: -40 dBFS
PAUSE = bytes(600 * BYTES_PER_MS)  # silence that ends a turn: the upstream waits for half a second of it


class Uplink:
    """At most one connection listens; while none does, what is said is kept for the next.

    `speaking` is the turn that the caller speaks, as the model hears it, else 0; `stopped`: the model has heard its
    end, and it is not committed yet. `unheard`: words were played to a new connection, which hears nobody speak.
    `blame`: of the words that are kept, for the connections that died while they heard them.
    """

    def __init__(self) -> None:
        self._buffer = ReplayBuffer()
        self._ear: Ref[ToBridge] | None = None
        self._generation = 0  # the connection that listened last
        self.speaking = NO_TURN
        self.stopped = self.unheard = False
        self.blame = 0
        self._played_again = False  # to a connection that has not told of them yet
        self._heard_at = 0.0

    def hear(self, pcm: bytes, now: float) -> None:
        """Some more audio has come: keep it, and send it on if a connection listens."""
        self._heard_at = now
        self._buffer.hear(pcm, self._ear is not None, now)
        if self._ear:
            self._ear.tell(Append(pcm))

    @property
    def empty(self) -> bool:
        """True if nothing is kept."""
        return self._buffer.empty

    def wait(self) -> None:
        """Nobody listens until it is known who is to: perhaps the same connection as before."""
        if self._ear:
            self._buffer.hold()
        self._ear = None

    def hold(self) -> None:
        """Nobody listens from here on."""
        self.wait()
        self.speaking, self.stopped = NO_TURN, False

    def drop(self) -> None:
        """Nobody listens from here on, and what was said is discarded."""
        self.hold()
        self.unheard = self._played_again = False
        self.blame = 0
        self._buffer.drop()

    def died(self) -> bool:
        """The connection died. True if it had words of which others died too: those are discarded."""
        if not self._ear or not (self._buffer.unsafe or self.unheard or self._played_again):
            return False
        self.blame, self._played_again = self.blame + DIED, True
        if self.blame < MOST_BLAME:
            return False
        self.drop()
        return True

    def greeted(self) -> None:
        """A greeting has begun, and nobody listened until now."""
        self._buffer.shorten()

    def listen(self, live: Leg) -> bool:
        """Let this connection listen, first to what it missed; False if some of that was discarded."""
        if self._ear or not live.bridge:
            return True
        same = live.generation == self._generation
        whole = not (self._buffer.missed if same else self._buffer.lost)
        missed = self._buffer.resume() if same else self._buffer.replay()
        self._ear, self._generation = live.bridge, live.generation
        if missed:
            self._ear.tell(Append(missed))
        return whole

    def began(self, turn: TurnId, at_ms: int) -> None:
        """The connection that listens hears the caller speak, since `at_ms` on its clock."""
        self.speaking, self.stopped, self.unheard, self._played_again = turn, False, False, False
        self._buffer.began(turn, at_ms)

    def paused(self, at_ms: int, now: float) -> float:
        """It hears that the caller has stopped, since `at_ms` on its clock. Returns how many seconds late it does."""
        self.stopped = bool(self.speaking)
        return self._buffer.paused(at_ms, now)

    def close_what_is_open(self, now: float) -> bool:
        """End a turn with silence if no audio has come for MUTED_SECONDS: the microphone was closed.

        True while the caller speaks: ask again later.
        """
        if self.speaking and now - self._heard_at >= MUTED_SECONDS - 0.001:  # or a rounding error is waited for
            self.hear(PAUSE, now)
            self.stopped = True
        return bool(self.speaking)

    @property
    def hangs(self) -> bool:
        """True if the model hears the caller speak, and what it was sent last is silence."""
        if not self.speaking or self.stopped:
            return False
        samples = memoryview(self._buffer.newest(SAMPLE)).cast("h").tolist()[::7]
        return not samples or max(samples) - min(samples) < 2 * AUDIBLE

    def committed(self) -> None:
        """The model has made a turn of what was spoken."""
        self.speaking, self.stopped, self.unheard = NO_TURN, False, False
        self._buffer.committed()

    def acknowledge(self, turn: TurnId) -> None:
        """The turn is answered or written down: no other connection need hear it."""
        unsafe = self._buffer.unsafe
        self._buffer.acknowledge(turn)
        if unsafe and not self._buffer.unsafe:
            self.blame = 0

    @property
    def heard_again(self) -> list[TurnId]:
        """Turns that another connection need not hear, and will, because it must hear one before them."""
        return self._buffer.heard_again
