"""What waits for a caller who is away."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from actors.admission.waiting import Kind
from actors.admission.waiting import Ledger as Memory
from actors.call.outgoing import RATE
from actors.call.playout import LEAD
from actors.call.resume.ledger import MOST_WHOLE, Ledger
from actors.call.resume.pending import MOST_MESSAGES, Pending
from actors.messages.caller import AudioResponse, Clear, Close, Pong, Sound, Transcript
from actors.messages.resuming import Encoded
from actors.testing.probe import Probe

SECOND = Sound("1.1", bytes(RATE // 10) * 10)


def _pcm(messages: list[Any]) -> list[int]:
    """How much sound had come before each other message, and in all."""
    before = [0]
    for one in messages:
        before[-1] += len(one.pcm) if isinstance(one, Sound) else 0
        before += [] if isinstance(one, Sound) else [before[-1]]
    return before


def pending(*frames: Any) -> Pending:
    """With frames that were not written."""
    memory = Memory().holding(1)
    return Pending(frames, Ledger(memory.parcel(Kind.REPLY)), memory.parcel(Kind.REPLY))


@given(st.lists(st.integers(0, 5)))
def test_all_is_told_in_its_order_and_no_sound_early(pieces: list[int]) -> None:
    """However often one looks; sound is never further ahead of the player than in any stream."""
    messages = [Sound("1.1", bytes(RATE // 10 * piece)) if piece else Pong() for piece in pieces]
    waits, phone, now, until = pending(), Probe(), 0.0, 0.0
    for message in messages:
        waits.tell(message)
    left = waits.sound / RATE
    told = 0
    while (wait := waits.pour(phone, max(0.0, left - now))) is not None:
        assert wait > 0
        for one in phone.heard[told:]:
            until = max(now, until) + (len(one.pcm) / RATE if isinstance(one, Sound) else 0.0)
        told = len(phone.heard)
        assert until - now <= LEAD + 0.001
        now += wait
    assert [one for one in phone.heard if one == Pong()] == [one for one in messages if one == Pong()]
    assert _pcm(phone.heard) == _pcm(messages)


def test_what_is_missing_comes_first() -> None:
    """Then what waited to be written, then what was said since."""
    waits, phone = pending(b"second"), Probe()
    waits.tell(Pong())
    waits.begin([b"first"], Ledger(Memory().holding(1).parcel(Kind.REPLY)), phone)
    assert waits.pour(phone, 0.0) is None
    assert phone.heard == [Encoded(b"first"), Encoded(b"second"), Pong()]


def test_a_clear_takes_back_what_waits() -> None:
    """Here, and in what may be sent again; and it is told at once."""
    memory = Memory().holding(1)
    ledger, phone = Ledger(memory.parcel(Kind.REPLY)), Probe()
    ledger.wrote(SECOND)
    waits = Pending([SECOND, Sound("1.2", b"12")], ledger, memory.parcel(Kind.REPLY))
    waits.begin([], ledger, phone)
    waits.tell(Clear("1.1"))
    assert ledger.missing(0) == []
    assert waits.unheard() == {"1.2": 2}
    waits.tell(Clear("1.2"))
    assert phone.heard == [Clear("1.1"), Clear("1.2")]


def test_too_much_is_not_kept() -> None:
    """Of whole replies, and of messages; then nothing is."""
    for message, times in ((AudioResponse("1.1", bytes(MOST_WHOLE // 2)), 3), (Pong(), MOST_MESSAGES + 1)):
        waits, phone = pending(), Probe()
        for _ in range(times):
            assert not waits.overfull
            waits.tell(message)
        assert waits.overfull
        waits.tell(Transcript("user", "hello", "user.1"))
        waits.pour(phone, 0.0)
        assert phone.heard == []


def test_who_is_here_is_told_of_the_end() -> None:
    """With all that waited, but for the sound."""
    waits, phone = pending(SECOND, b"first"), Probe()
    waits.begin([], Ledger(Memory().holding(1).parcel(Kind.REPLY)), phone)
    waits.tell(Pong())
    waits.tell(Close(1000, "over"))
    assert phone.heard == [Encoded(b"first"), Pong(), Close(1000, "over")]


def test_nobody_is_left_to_be_told_after_a_close() -> None:
    """The call has ended."""
    waits, phone = pending(b"first"), Probe()
    waits.tell(Close(1000, "over"))
    assert waits.pour(phone, 0.0) is None
    assert phone.heard == []
