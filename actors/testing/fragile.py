"""The outbox of a caller who may come back, over a line that a test can break."""

from collections.abc import Callable
from typing import Any

from actors.call.resume.ledger import Frame, Ledger
from actors.messages.admission import Admitted
from actors.messages.caller import AudioResponse, Clear, Close, Sound
from actors.messages.resuming import Encoded, NotResumed, Resumed
from actors.testing.probe import Probe


class Written(bytes):
    """A text frame that knows its message."""

    message: Any


class FragileLine(Probe):
    """What it is told is written and received at once; the test finds that in its box.

    While it is `dead` what is written is lost; while it is `full` nothing is written, and waits. `seen_at`: as Outlet.
    """

    def __init__(self, name: str = "caller", *, dead: bool = False, full: bool = False) -> None:
        super().__init__(name)
        self.dead, self.full = dead, full
        self.written = self.received = 0
        self.seen_at: Callable[[], float | None] = lambda: None
        self._ledger: Ledger | None = None
        self._waiting: list[Frame] = []
        self._close: Close | None = None  # behind what waits
        self._seized = False

    def tell(self, message: Any, /) -> None:
        """Write it, or let it wait."""
        if isinstance(message, Close) and self._waiting:
            self._close = message
            return
        if isinstance(message, Admitted | Close | Resumed | NotResumed):
            if not self.dead:
                self.arrives(message)
            return
        if self._seized:
            return
        if isinstance(message, Clear):
            if self._ledger:
                self._ledger.take_back(message.response_id)
            self._waiting = [one for one in self._waiting if not _is_of(one, message.response_id)]
        self._waiting.append(self.frame(message))
        if not self.full:
            self.drain()

    def arrives(self, message: Any, frame: Frame | None = None) -> None:
        """The caller has received this, as this data frame if it is counted."""
        super().tell(message)

    def drain(self, most: int | None = None) -> None:
        """Write what waits, or so many frames of it."""
        frames, self._waiting = self._waiting[:most], [] if most is None else self._waiting[most:]
        for frame in frames:
            self.written += 1
            if self._ledger:
                self._ledger.wrote(frame)
            if not self.dead:
                self.received += 1
                self.arrives(frame.message if isinstance(frame, Written) else frame, frame)
        if self._close and not self._waiting:
            close, self._close = self._close, None
            if not self.dead:
                self.arrives(close)

    def keep(self, ledger: Ledger) -> None:
        """As Outlet.keep."""
        ledger.first, self._ledger = self.written, ledger

    def seize(self) -> list[Frame]:
        """As Outlet.seize."""
        frames, self._waiting, self._close, self._seized = self._waiting, [], None, True
        return frames

    @property
    def unsent(self) -> int:
        """As Outlet.unsent."""
        return sum(len(one.pcm) for one in self._waiting if isinstance(one, Sound))

    def frame(self, message: Any) -> Frame:
        """The data frame that says this: of one that was written before, the same."""
        if isinstance(message, Sound | AudioResponse):
            return message
        if isinstance(message, Encoded):
            return message.frame
        frame = Written(repr(message).encode())
        frame.message = message
        return frame


def _is_of(frame: Frame, response_id: str) -> bool:
    return isinstance(frame, Sound) and frame.response_id == response_id
