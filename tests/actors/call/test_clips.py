"""One caller's clips on their way through the decoders."""

from typing import cast

from actors.call.clips import Clips
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from audio import Pool
from upstream.facts import TurnId


class Caller:
    """Whose clips are decoded by hand; each clip is its own number."""

    def __init__(self) -> None:
        self.decoders = Decoders()
        self.decoders.by_hand = True
        self.clips = Clips(cast(Pool, self.decoders), Probe())

    def records(self, *numbers: int) -> None:
        for number in numbers:
            self.clips.add(TurnId(number), bytes([number]))

    @property
    def given(self) -> list[int]:
        return [clip.clip[0] for clip in self.decoders.clips]

    @property
    def cancelled(self) -> list[int]:
        return [clip.clip[0] for clip in self.decoders.clips if clip.cancelled]


def test_one_clip_of_a_caller_is_decoded_at_a_time() -> None:
    """The next goes in when the one before was told, in the order in which they came."""
    caller = Caller()
    caller.records(1, 2, 3)
    assert caller.given == [1]
    assert caller.clips.finished(TurnId(1))
    assert caller.given == [1, 2]


def test_what_nobody_wants_is_not_decoded() -> None:
    """The one in hand is cancelled and the next one goes in; one that waits never does."""
    caller = Caller()
    caller.records(1, 2, 3, 4)
    caller.clips.drop(TurnId(2))
    caller.clips.drop(TurnId(1))
    assert (caller.given, caller.cancelled) == ([1, 3], [1])
    caller.clips.drop(TurnId(3), TurnId(4))
    assert (caller.given, caller.cancelled) == ([1, 3], [1, 3])


def test_what_was_told_of_a_clip_that_was_dropped_meanwhile_is_no_news() -> None:
    """The one in hand is another by then: it is still decoded alone, and can still be cancelled."""
    caller = Caller()
    caller.records(1, 2, 3)
    caller.clips.drop(TurnId(1))
    assert not caller.clips.finished(TurnId(1))
    assert caller.given == [1, 2]
    caller.clips.drop(TurnId(2))
    assert caller.cancelled == [1, 2]
