"""What a caller may not have received."""

from hypothesis import given
from hypothesis import strategies as st

from actors.admission.waiting import Kind
from actors.admission.waiting import Ledger as Memory
from actors.call.resume.ledger import MOST_TEXT, MOST_WHOLE, Frame, Ledger
from actors.messages.caller import AudioResponse, Sound

FRAMES = st.one_of(
    st.binary(min_size=1, max_size=20),
    st.builds(Sound, st.sampled_from(["1.1", "1.2"]), st.binary(min_size=2, max_size=40)),
    st.builds(AudioResponse, st.sampled_from(["1.3"]), st.binary(min_size=2, max_size=40)),
)


def ledger(first: int = 0, memory: Memory | None = None) -> Ledger:
    """One that begins at this frame."""
    return Ledger((memory or Memory()).holding(1, "an address").parcel(Kind.REPLY), first)


@given(st.lists(FRAMES), st.integers(0, 5), st.data())
def test_what_is_missing_is_all_after_what_was_received(frames: list[Frame], first: int, data: st.DataObject) -> None:
    """In its order, whatever was acknowledged before that."""
    kept = ledger(first)
    for frame in frames:
        kept.wrote(frame)
    received = data.draw(st.integers(first, first + len(frames)))
    assert kept.acknowledge(data.draw(st.integers(first, received)))
    assert kept.missing(received) == frames[received - first :]
    assert kept.acknowledge(received)
    rest = frames[received - first :]
    assert kept.sound == sum(len(one.pcm) for one in rest if isinstance(one, Sound))
    assert kept.whole == sum(len(one.pcm) for one in rest if isinstance(one, AudioResponse))
    assert kept.text == sum(len(one) for one in rest if isinstance(one, bytes))
    assert not kept.acknowledge(first + len(frames) + 1)


def test_what_was_taken_back_keeps_its_place_and_is_not_sent() -> None:
    """The count of the frames behind it stays what it was."""
    kept = ledger()
    for frame in (b"a", Sound("1.1", b"12"), b"b", Sound("1.2", b"34"), b"c"):
        kept.wrote(frame)
    kept.take_back("1.1")
    assert kept.missing(0) == [b"a", b"b", Sound("1.2", b"34"), b"c"]
    assert kept.missing(4) == [b"c"]
    assert kept.sound == 2


def test_more_than_may_be_kept_is_lost() -> None:
    """Of messages, and of whole replies."""
    kept = ledger()
    whole = ledger()
    lost = []
    for frame in (bytes(MOST_TEXT), b"1"):
        kept.wrote(frame)
        lost.append(kept.lost)
    for reply in (AudioResponse("1.1", bytes(MOST_WHOLE)), AudioResponse("1.2", b"1")):
        whole.wrote(reply)
        lost.append(whole.lost)
    assert lost == [False, True, False, True]
    assert whole.whole == 1


def test_whole_replies_are_counted_in_the_memory_of_all() -> None:
    """Until they are acknowledged; what has no room there is lost."""
    memory = Memory(most=100)
    kept = ledger(memory=memory)
    kept.wrote(AudioResponse("1.1", bytes(80)))
    assert (memory.bytes, kept.lost) == (80, False)
    kept.acknowledge(1)
    assert memory.bytes == 0
    kept.wrote(AudioResponse("1.2", bytes(101)))
    assert kept.lost
    kept.close()
    assert memory.bytes == 0
