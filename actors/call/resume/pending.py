"""What the caller is still to be told, in its order, from when their connection is lost until they have caught up.

It stands in the place of their outbox: what the session says meanwhile waits behind what they have not received. When
they are back, messages are passed on at once, and sound at the pace at which it plays, so that a `clear` never waits
behind a burst. What a `clear` takes back is not told at all.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping

from actors.call.outgoing import RATE
from actors.call.playout import LEAD, PIECE
from actors.call.resume.ledger import MOST_TEXT, MOST_WHOLE, Counting, Frame, Ledger
from actors.messages.caller import AudioResponse, Clear, Close, Sound, ToCaller
from actors.messages.resuming import Encoded
from actors.runtime import Ref
from upstream.facts import BYTES_PER_MS

MOST_MESSAGES = MOST_TEXT // 256  # that are said while nobody is there


class Pending:
    """A Ref of what a session says. `overfull`: more was said than may wait, and it cannot be whole any more.

    `frames` is what waited to be written when the connection was lost, `ledger` what was written on it; whole replies
    are counted in `counted`.
    """

    def __init__(self, frames: Iterable[Frame], ledger: Ledger, counted: Counting) -> None:
        self._ledger, self._counted = ledger, counted
        self._waiting: deque[ToCaller] = deque(_message(frame) for frame in frames)
        self.sound = self._whole = 0
        self.overfull = False
        self._outlet: Ref[ToCaller] | None = None
        self._size()

    def tell(self, message: ToCaller, /) -> None:
        """Say this when its turn comes."""
        match message:
            case Clear(response_id):
                self._ledger.take_back(response_id)
                self._waiting = deque(one for one in self._waiting if not _is_of(one, response_id))
            case Close():
                self._end(message)
                return
        if not self.overfull:
            self._waiting.append(message)
            self._size()
        if self._outlet and not self.sound:
            self.pour(self._outlet, 0.0)

    def begin(self, missing: Iterable[Frame], ledger: Ledger, outlet: Ref[ToCaller] | None) -> None:
        """The connection is now this one, with this ledger; what of the one before is `missing` comes first.

        Without an `outlet` the caller is away again.
        """
        self._waiting.extendleft(reversed([_message(frame) for frame in missing]))
        self._ledger, self._outlet = ledger, outlet
        self._size()

    def unheard(self) -> Mapping[str, int]:
        """How many bytes of each reply wait, by its id."""
        count = Counter[str]()
        for one in self._waiting:
            if isinstance(one, Sound | AudioResponse):
                count[one.response_id] += len(one.pcm)
        return count

    def pour(self, outlet: Ref[ToCaller], ahead: float) -> float | None:
        """Pass on what may be now; returns after how many seconds more may be, None if nothing waits.

        `ahead`: so many seconds will be played of what was received, is passed on already or waits here.
        """
        ahead = max(0.0, ahead - self.sound / RATE)
        while self._waiting:
            one = self._waiting.popleft()
            if isinstance(one, Sound):
                room = round(LEAD - ahead, 3)  # in whole ms, or a rounding error is waited for
                size = int(room * 1000) * BYTES_PER_MS
                if len(one.pcm) > size:
                    self._waiting.appendleft(one)
                    return self._tell_part(outlet, size) if room >= PIECE else PIECE - room
                ahead += len(one.pcm) / RATE
                self.sound -= len(one.pcm)
            outlet.tell(one)
        self._counted.release()
        return None

    def _tell_part(self, outlet: Ref[ToCaller], size: int) -> float:
        """Pass on the first `size` bytes of the sound that is next; returns after how many seconds more may be."""
        one = self._waiting.popleft()
        assert isinstance(one, Sound)
        outlet.tell(Sound(one.response_id, one.pcm[:size]))
        self._waiting.appendleft(Sound(one.response_id, one.pcm[size:]))
        self.sound -= size
        return PIECE

    def close(self) -> None:
        """Nobody will hear it."""
        self._waiting.clear()
        self._size()

    def _end(self, close: Close) -> None:
        """The call is over: a caller who is here is told all but sound, which nobody would hear to its end."""
        if self._outlet:
            for one in self._waiting:
                if not isinstance(one, Sound):
                    self._outlet.tell(one)
            self._outlet.tell(close)
        self.close()

    def _size(self) -> None:
        self.sound = sum(len(one.pcm) for one in self._waiting if isinstance(one, Sound))
        whole = sum(len(one.pcm) for one in self._waiting if isinstance(one, AudioResponse))
        fits = whole <= MOST_WHOLE and len(self._waiting) <= MOST_MESSAGES and self._counted.resize(whole)
        if not fits and not self.overfull:
            self.overfull = True
            self.close()


def _message(frame: Frame) -> ToCaller:
    return Encoded(frame) if isinstance(frame, bytes) else frame


def _is_of(message: ToCaller, response_id: str) -> bool:
    """True if this is the sound of that reply."""
    return isinstance(message, Sound | AudioResponse) and message.response_id == response_id
