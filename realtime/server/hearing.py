"""What a session hears: the input buffer, and with server VAD the turns in it.

Positions count everything ever appended, in ms from the first byte. It is audio that passes, not time: a recording
that is appended at once has the turns, and the silences, that it would have at the speed of speech.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from realtime.server.buffer import InputBuffer
from realtime.server.conversation import PCM_BYTES_PER_MS, new_id
from realtime.server.endpointing import FRAME_MS, Edge, Endpointing, Rules

FRAME_BYTES = FRAME_MS * PCM_BYTES_PER_MS


class Detector(Protocol):
    """Finds speech in one stream, from its beginning."""

    def hear(self, pcm: bytes) -> list[float]:
        """The probability of speech, 0 to 1, in each frame of 32 ms that these bytes complete.

        PCM16 LE mono 24 kHz in pieces of any length; what is incomplete waits for the next piece.
        """


@dataclass(frozen=True, slots=True)
class Began:
    """Speech: a turn begins here, its prefix included, and will be this item."""

    item_id: str
    start_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over, its closing silence included."""

    item_id: str
    end_ms: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Idle:
    """There was no speech for idle_timeout_ms since the last response was played."""

    item_id: str
    start_ms: int
    end_ms: int
    pcm: bytes


Noticed: TypeAlias = Began | Ended | Idle


class Hearing:
    """The input of one session; `detector` makes what finds speech, anew for each stretch of audio."""

    def __init__(self, detector: Callable[[], Detector], rules: Rules | None) -> None:
        self.rules = rules
        self._make = detector
        self._microphone = InputBuffer()
        self._detector: Detector | None = None
        self._turn = Endpointing()
        self._heard = 0  # where the detector has come to, in bytes
        self._announced: str | None = None
        self._quiet_from: int | None = None

    def tune(self, rules: Rules | None) -> None:
        """Find turns by these rules from now on; None leaves that to the client, and forgets an open turn."""
        if (rules is None) != (self.rules is None):
            self._listen_anew()
        self.rules = rules

    def check_room(self, size: int) -> None:
        """Raise Rejected when the buffer cannot take so many bytes."""
        self._microphone.check_room(size)

    def append(self, pcm: bytes) -> Iterator[Noticed]:
        """Add audio; what is noticed in it is told before the audio that follows is looked at."""
        self._microphone.append(pcm)
        if self.rules is None:
            return
        if self._detector is None:
            self._detector = self._make()
        for probability in self._detector.hear(pcm):
            self._heard += FRAME_BYTES
            yield from self._step(probability, self.rules)

    def take(self) -> tuple[str, bytes]:
        """Commit for the client: the id of the item, which is the announced one if a turn is open, and all audio."""
        pcm = self._microphone.take()
        item_id = self._announced or new_id("item")
        self._listen_anew()
        return item_id, pcm

    def clear(self) -> None:
        """Forget the audio, and the turn that is open in it."""
        self._microphone.clear()
        self._listen_anew()

    def answer_began(self) -> None:
        """A response is given: until it ends nobody is idle."""
        self._quiet_from = None

    def answer_ended(self, milliseconds: int) -> None:
        """A response is over, and its playback takes so long from now: then the idle timeout begins."""
        self._quiet_from = self._microphone.end // PCM_BYTES_PER_MS + milliseconds

    def _listen_anew(self) -> None:
        """Begin anew: nothing that is heard from here on belongs to a turn before."""
        self._detector = None
        self._turn = Endpointing()
        self._heard = self._microphone.end
        self._announced = self._quiet_from = None

    def _step(self, probability: float, rules: Rules) -> Iterator[Noticed]:
        edge = self._turn.step(probability, rules)
        prefix = rules.prefix_padding_ms * PCM_BYTES_PER_MS
        if edge is Edge.FIRST:
            self._microphone.cut(self._heard - FRAME_BYTES - prefix)
            self._announced, self._quiet_from = new_id("item"), None
            yield Began(self._announced, self._microphone.start // PCM_BYTES_PER_MS)
        elif edge is Edge.LAST:
            item_id, self._announced = self._announced, None
            assert item_id is not None  # a turn that ends has begun
            yield Ended(item_id, self._heard // PCM_BYTES_PER_MS, self._microphone.cut(self._heard))
        elif not self._turn.speaking:
            yield from self._wait(rules.idle_timeout_ms)
            self._microphone.cut(self._heard - prefix)  # no turn will want it any more

    def _wait(self, timeout_ms: int | None) -> Iterator[Noticed]:
        now, start = self._heard // PCM_BYTES_PER_MS, self._quiet_from
        if timeout_ms is not None and start is not None and now - start >= timeout_ms:
            self._quiet_from = None
            yield Idle(new_id("item"), start, now, self._microphone.cut(self._heard))
