"""The caller's voice as it is spoken: kept, and sent to the connection that listens."""

from actors.call.line import Leg
from actors.call.replay import ReplayBuffer
from actors.messages.bridge import Append, ToBridge
from actors.runtime import Ref
from upstream.facts import BYTES_PER_MS, NO_TURN, TurnId

MUTED_SECONDS = 1.0  # without audio in the middle of speech: the microphone was closed
SAMPLE = 100 * BYTES_PER_MS  # is looked at once a second: nobody pauses ten times in a row just then
AUDIBLE = 328  # half of what speech swings at least: -40 dBFS
PAUSE = bytes(600 * BYTES_PER_MS)  # silence that ends a turn: the upstream waits for half a second of it


class Uplink:
    """At most one connection listens; while none does, what is said is kept for the next."""

    def __init__(self) -> None:
        self._buffer = ReplayBuffer()
        self._ear: Ref[ToBridge] | None = None
        self._generation = 0  # the connection that listened last
        self.speaking = NO_TURN  # the one that the caller is speaking, as the model hears it
        self.stopped = self.unheard = False
        """They have stopped, and that turn is not whole yet; nobody has heard what was played to a new connection."""
        self._heard_at = 0.0

    def hear(self, pcm: bytes, now: float) -> None:
        """The caller says something."""
        self._heard_at = now
        self._buffer.hear(pcm, self._ear is not None, now)
        if self._ear:
            self._ear.tell(Append(pcm))

    @property
    def empty(self) -> bool:
        """Nothing is kept of it."""
        return self._buffer.empty

    def wait(self) -> None:
        """Nobody listens until it is known who is to: perhaps whoever has heard it so far."""
        if self._ear:
            self._buffer.hold()
        self._ear = None

    def hold(self) -> None:
        """Nobody listens from here on."""
        self.wait()
        self.speaking, self.stopped = NO_TURN, False

    def drop(self) -> None:
        """Nobody listens from here on, and what was said is over."""
        self.hold()
        self.unheard = False
        self._buffer.drop()

    def greeted(self) -> None:
        """A greeting has begun, and nobody listened until now."""
        self._buffer.shorten()

    def listen(self, live: Leg) -> bool:
        """Let this connection listen, also to what it missed; False when words were lost."""
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
        """The connection that listens hears somebody speak."""
        self.speaking, self.stopped, self.unheard = turn, False, False
        self._buffer.began(turn, at_ms)

    def paused(self, at_ms: int) -> None:
        """It hears nobody any more."""
        self.stopped = bool(self.speaking)
        self._buffer.paused(at_ms)

    def close_what_is_open(self, now: float) -> bool:
        """Who sends nothing more in the middle of a word has let go of the button; True while somebody speaks."""
        if self.speaking and now - self._heard_at >= MUTED_SECONDS - 0.001:  # or a rounding error is waited for
            self.hear(PAUSE, now)
            self.stopped = True
        return bool(self.speaking)

    @property
    def hangs(self) -> bool:
        """The model hears somebody speak, and what was sent to it last is silence."""
        if not self.speaking or self.stopped:
            return False
        samples = memoryview(self._buffer.newest(SAMPLE)).cast("h").tolist()[::7]
        return not samples or max(samples) - min(samples) < 2 * AUDIBLE

    def committed(self) -> None:
        """What was spoken is a turn now."""
        self.speaking, self.stopped, self.unheard = NO_TURN, False, False
        self._buffer.committed()

    def acknowledge(self, turn: TurnId) -> None:
        """The turn need not be heard again."""
        self._buffer.acknowledge(turn)

    @property
    def heard_again(self) -> list[TurnId]:
        """Turns that need not be, and will be, because one before them must."""
        return self._buffer.heard_again
