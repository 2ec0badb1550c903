"""One caller's clips on their way through the decoders."""

from typing import Any

from actors.clips import Clips
from actors.testing.probe import Probe


class Decoders:
    """Writes down what it is given and what is cancelled."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.cancelled: list[int] = []

    def decode(self, number: int, clip: bytes, to: Any) -> Any:
        self.given.append(number)
        return Cancel(self, number)


class Cancel:
    """Takes one back."""

    def __init__(self, decoders: Decoders, number: int) -> None:
        self.decoders, self.number = decoders, number

    def cancel(self) -> None:
        self.decoders.cancelled.append(self.number)


def test_one_clip_of_a_caller_is_decoded_at_a_time() -> None:
    """The next goes in when the one before was told, in the order in which they came."""
    decoders: Any = Decoders()
    clips = Clips(decoders, Probe())
    for number in (1, 2, 3):
        clips.add(number, b"")
    assert decoders.given == [1]
    clips.finished()
    assert decoders.given == [1, 2]


def test_what_nobody_wants_is_not_decoded() -> None:
    """The one in hand is cancelled and the next one goes in; one that waits never does."""
    decoders: Any = Decoders()
    clips = Clips(decoders, Probe())
    for number in (1, 2, 3, 4):
        clips.add(number, b"")
    clips.drop(2)
    clips.drop(1)
    assert (decoders.given, decoders.cancelled) == ([1, 3], [1])
    clips.close()
    assert (decoders.given, decoders.cancelled) == ([1, 3], [1, 3])
