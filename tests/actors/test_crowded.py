"""What waits for a caller is counted from the clip to the answer, gives way to others, and is given back."""

import pytest

from actors.admission.waiting import MIB, Kind, Ledger, Parcel
from actors.messages.admission import Detached
from actors.messages.caller import Close, Error, Interrupted, Recorded, TooFast, Typed
from actors.runtime import Down
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from audio import Packed
from tests.kit.four import TINA

CLIP = bytes(100_000)


def ledger(scene: Scene) -> Ledger:
    """That of the scene's session."""
    return scene.services.waiting


def busy(scene: Scene) -> int:
    """How often the caller was told so since they were last asked."""
    return sum(isinstance(message, Error) and message.code == "busy" for message in scene.caller.take())


def test_a_clip_counts_until_it_is_answered(scene: Scene) -> None:
    """First as what came, then as its sound, asked or not."""
    scene.decoders.by_hand = True
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    scene.stage.settle()
    assert ledger(scene).bytes == len(CLIP)
    scene.decoders.clips[0].decode(bytes(500_000))
    scene.stage.settle()
    assert ledger(scene).bytes == 500_000
    wire.answer("I see.")
    scene.stage.settle()
    assert ledger(scene).bytes == 0


def test_what_is_refused_or_not_wanted_counts_no_more(scene: Scene) -> None:
    """A clip that is none, and those after which the caller interrupts."""
    scene.decoders.by_hand = True
    scene.on_the_line(TINA)
    for _ in range(3):
        scene.says(Recorded(CLIP))
    scene.decoders.clips[0].refuse()
    scene.stage.settle()
    assert ledger(scene).bytes == 2 * len(CLIP)
    scene.says(Interrupted())
    scene.stage.settle()
    assert ledger(scene).bytes == 0
    assert [clip.cancelled for clip in scene.decoders.clips] == [False, True]


def test_a_clip_that_grows_beyond_what_may_wait_is_forgotten(stage: Stage) -> None:
    """The caller is told busy, and what they say after it is answered."""
    scene = Scene(stage, limits=Limits(caller_waiting=1))
    scene.decoders.by_hand = True
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    scene.says(Typed("And this?"))
    scene.decoders.clips[0].decode(bytes(MIB + 2))
    assert busy(scene) == 1
    assert [text for _, text in wire.texts()] == ["And this?"]
    assert ledger(scene).bytes == 0
    scene.end()


def test_the_next_clip_is_busy_where_too_much_waits(stage: Stage) -> None:
    """The call goes on; a large one is counted by its frame."""
    scene = Scene(stage, limits=Limits(caller_waiting=1))
    scene.decoders.by_hand = True
    scene.on_the_line(TINA)
    scene.says(Recorded(Packed(bytes(700_000))))
    scene.says(Recorded(Packed(bytes(700_000))))
    scene.says(Recorded(CLIP))
    assert busy(scene) == 1
    assert ledger(scene).bytes == 800_000
    scene.end()
    assert scene.stage.actors() == []


def test_what_lay_at_the_shore_is_not_counted_twice(scene: Scene) -> None:
    """The session takes it over; what others took the place of meanwhile is refused."""
    scene.decoders.by_hand = True
    scene.on_the_line(TINA)
    shore = ledger(scene).holding(scene.connection)
    came = shore.parcel(Kind.CLIP)
    assert came.resize(7 * MIB)
    scene.says(Recorded(Packed(bytes(7 * MIB)), came))
    scene.stage.settle()
    assert (came.size, ledger(scene).bytes, busy(scene)) == (0, 7 * MIB, 0)
    lost = shore.parcel(Kind.CLIP)
    lost.lost = True
    scene.says(Recorded(CLIP, lost))
    assert busy(scene) == 1


def test_who_has_most_gives_way_to_others(scene: Scene) -> None:
    """The newest is forgotten and the caller told; what was said before it is answered."""
    scene.decoders.by_hand = True
    wire = scene.on_the_line(TINA)
    for _ in range(2):
        scene.says(Recorded(CLIP))
    scene.stage.settle()
    counted = ledger(scene).parcels(scene.connection)
    everybody = fill(ledger(scene), 256 * MIB - 2 * len(CLIP))
    assert everybody[-1].resize(everybody[-1].size + 1)
    assert counted[1].lost
    assert busy(scene) == 1
    scene.decoders.clips[0].decode(bytes(9600))
    scene.stage.settle()
    assert wire.last("input_audio_buffer.commit")
    assert len(scene.decoders.clips) == 1
    for parcel in everybody:
        parcel.release()


def test_a_call_that_must_end_for_want_of_room_says_so(scene: Scene) -> None:
    """As an error of the call, and in the close."""
    scene.on_the_line(TINA)
    scene.says(TooFast("too much waits already", 4429, "busy"))
    told = [message for message in scene.caller.take() if isinstance(message, Error | Close)]
    assert told == [Error("busy", "too much waits already"), Close(4429, "too much waits already")]


def fill(ledger: Ledger, size: int) -> list[Parcel]:
    """Many others, none of whom has much, keep so much together."""
    each = 50_000
    parcels = [ledger.holding(-number).parcel(Kind.CLIP) for number in range(1, size // each + 2)]
    for parcel in parcels:
        parcel.resize(min(each, size))
        size -= parcel.size
    return parcels


@pytest.mark.parametrize("how", ["crash", "gone", "stopped"])
def test_all_is_given_back_however_the_call_ends(stage: Stage, how: str) -> None:
    """What waits for a decoder, what is being decoded, what is asked, and what still lies in the mailbox."""
    scene = Scene(stage)
    scene.decoders.by_hand = True
    scene.on_the_line(TINA)
    waiting = ledger(scene)
    for _ in range(3):
        scene.says(Recorded(CLIP))
    scene.decoders.clips[0].decode(bytes(9600))
    scene.stage.settle()
    assert waiting.bytes == 2 * len(CLIP) + 9600
    room = waiting.parcels(scene.connection)[0].holding
    assert room.parcel(Kind.CLIP).resize(1), "what a crash leaves half done"
    match how:
        case "crash":
            scene.session.tell("no message of ours")  # type: ignore[arg-type]
            scene.says(Recorded(CLIP))
            scene.stage.settle()
            scene.supervisor.fish_for(Down, cause=AssertionError)
        case "gone":
            scene.session.tell(Detached(scene.connection))
            scene.stage.settle()
        case "stopped":
            scene.session.stop(block=False)
            scene.stage.advance(5)
    assert waiting.bytes == 0
    assert [clip.cancelled for clip in scene.decoders.clips] == [False, True]
    if how == "gone":
        scene.end()


def test_callers_of_one_address_share_what_may_wait(stage: Stage) -> None:
    """A session knows where its caller is."""
    scene = Scene(stage, address="192.0.2.1")
    scene.decoders.by_hand = True
    scene.on_the_line(TINA)
    other = ledger(scene).holding(7, "192.0.2.1").parcel(Kind.FRAME)
    assert other.resize(32 * MIB - len(CLIP))
    scene.says(Recorded(CLIP))
    scene.says(Recorded(CLIP))
    assert busy(scene) == 1
    other.release()
    scene.end()
