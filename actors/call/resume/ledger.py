"""What was written on one connection of a caller who may come back, until they acknowledge it.

Both ends count the data frames of a connection from 0. In frames:

    0         first                       received            written
    ├─ ─ ─ ─ ─ ─┼─────────────────────────────┼──────────────────┤
      forgotten │ they said that they have it │ what they have not
                └───────────── kept ─────────────────────────────┘

A receipt forgets all before it. What the caller has not when they come back is sent again, in its order. What was taken
back meanwhile (`clear`) keeps its place in the count, and nothing of it is sent.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

from actors.messages.caller import AudioResponse, Counted, Sound, ToCaller

MOST_WHOLE = 8 * 2**20  # bytes of whole replies
MOST_TEXT = 2**20  # bytes of messages: a client that never acknowledges them comes to it
MOST_SOUND = 3 * 48_000  # bytes of a stream: three seconds unacknowledged, and no more is released

Frame: TypeAlias = bytes | AudioResponse | Sound
"""A data frame: a message as it was encoded, a whole reply, or sound of a stream."""


class Counting(Counted, Protocol):
    """A parcel of the server's memory for what waits (actors/admission/waiting.py)."""

    def resize(self, size: int) -> bool:
        """Count `size` bytes from now on; False if that is more than may wait."""
        ...


class Ledger:
    """`first` is the number of the first frame that is kept; `sound`, `text` and `whole` count bytes by their kind.

    `lost`: something was forgotten for want of room that the caller may not have. Whole replies are also counted in
    `counted`.
    """

    def __init__(self, counted: Counting, first: int = 0) -> None:
        self._counted = counted
        self._frames: deque[Frame | None] = deque()
        self.first = first
        self.sound = self.text = self.whole = 0
        self._lost = False

    @property
    def lost(self) -> bool:
        """True if it cannot be whole any more, because others needed the memory or there was too much of it."""
        return self._lost or self._counted.lost

    @property
    def written(self) -> int:
        """How many frames were written on this connection."""
        return self.first + len(self._frames)

    def wrote(self, frame: Frame) -> None:
        """The outbox begins to write a data frame."""
        self._frames.append(frame)
        self._count(frame, 1)
        while self.text > MOST_TEXT or self.whole > MOST_WHOLE:
            self._lost = True
            self._forget()

    def acknowledge(self, received: int) -> bool:
        """The caller has so many frames of this connection; False if so many were not written."""
        if received > self.written:
            return False
        while self.first < received:
            self._forget()
        return True

    def take_back(self, response_id: str) -> None:
        """The caller is told to discard what they have of this reply: nothing of it is sent again."""
        for place, frame in enumerate(self._frames):
            if isinstance(frame, Sound | AudioResponse) and frame.response_id == response_id:
                self._count(frame, -1)
                self._frames[place] = None

    def missing(self, received: int) -> list[Frame]:
        """What the caller has not, if they have so many frames: to be sent again."""
        return [frame for number, frame in enumerate(self._frames, self.first) if frame and number >= received]

    def forfeit(self) -> None:
        """Others need the memory: keep nothing of what there is, so that it cannot be whole any more."""
        self._lost = True
        self.first = self.written
        self.close()

    def close(self) -> None:
        """Nobody will come back for what is kept."""
        self._frames.clear()
        self.sound = self.text = self.whole = 0
        self._counted.release()

    def _forget(self) -> None:
        frame = self._frames.popleft()
        self.first += 1
        if frame is not None:
            self._count(frame, -1)

    def _count(self, frame: Frame, sign: int) -> None:
        match frame:
            case Sound(_, pcm):
                self.sound += sign * len(pcm)
            case AudioResponse(_, pcm):
                self.whole += sign * len(pcm)
                self._lost = not self._counted.resize(self.whole) or self._lost
            case _:
                self.text += sign * len(frame)


@runtime_checkable
class Outlet(Protocol):
    """An outbox that can hand over what the caller has not received: only over one is resuming offered.

    `seen_at` says when they gave the last sign of life on this connection, None if nobody knows.
    """

    seen_at: Callable[[], float | None]

    def tell(self, message: ToCaller, /) -> None:
        """Queue a message."""
        ...

    def keep(self, ledger: Ledger) -> None:
        """Note in `ledger` each data frame that is written from now on. Its `first` is set."""
        ...

    def seize(self) -> list[Frame]:
        """Take what waits, in its order; from now on nothing but a Close is written."""
        ...

    @property
    def unsent(self) -> int:
        """Bytes of sound that wait to be written."""
        ...
