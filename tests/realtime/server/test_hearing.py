"""What is heard of a stream of audio, and where in it."""

import random
from dataclasses import replace

import pytest

from engine.ear.vad import Loudness
from realtime.server.conversation import PCM_BYTES_PER_MS
from realtime.server.endpointing import FRAME_MS, Rules
from realtime.server.hearing import Began, Ended, Hearing, Idle, Noticed
from tests.kit.parts import tone

RULES = Rules(prefix_padding_ms=100, silence_duration_ms=200)
LAST = 7 * FRAME_MS  # ms: what a silence of 200 ms takes in whole frames


def quiet(frames: float) -> bytes:
    return bytes(int(frames * FRAME_MS * PCM_BYTES_PER_MS))


def speech(frames: int) -> bytes:
    return tone(frames * FRAME_MS / 1000)


def hear(hearing: Hearing, pcm: bytes, size: int | None = None) -> list[Noticed]:
    """What is noticed when audio is appended at once, or in pieces of so many bytes."""
    size = size or len(pcm)
    pieces = [pcm[at : at + size] for at in range(0, len(pcm), size)]
    return [noticed for piece in pieces for noticed in hearing.append(piece)]


def places(noticed: list[Noticed]) -> list[tuple[str, int]]:
    """What, and where: in ms from the first byte ever appended."""
    return [(type(each).__name__, each.start_ms if isinstance(each, Began) else each.end_ms) for each in noticed]


@pytest.fixture
def hearing() -> Hearing:
    return Hearing(Loudness, RULES)


def test_a_turn_has_its_prefix_and_its_closing_silence(hearing: Hearing) -> None:
    """It begins 100 ms before the first frame of speech and ends with the silence that ended it."""
    began, ended = hear(hearing, quiet(10) + speech(20) + quiet(20))

    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert began.item_id == ended.item_id
    assert (began.start_ms, ended.end_ms) == (10 * FRAME_MS - 100, 30 * FRAME_MS + LAST)
    assert ended.pcm == bytes(100 * PCM_BYTES_PER_MS) + speech(20) + bytes(LAST * PCM_BYTES_PER_MS)


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_the_prefix_is_no_longer_than_what_there_is(hearing: Hearing, frames: int) -> None:
    """Speech at the very beginning has no audio before it."""
    began, _ = hear(hearing, quiet(frames) + speech(20) + quiet(20))

    assert isinstance(began, Began)
    assert began.start_ms == 0


def test_two_turns_are_two_items(hearing: Hearing) -> None:
    """Positions go on counting, and the second turn's prefix does not reach into the first."""
    noticed = hear(hearing, speech(10) + quiet(8) + speech(10) + quiet(8))

    assert places(noticed) == [("Began", 0), ("Ended", 17 * 32), ("Began", 17 * 32), ("Ended", 35 * 32)]
    assert noticed[0].item_id != noticed[2].item_id


@pytest.mark.parametrize("size", [1, 7, 960, 961, 1536, 10_000])
def test_however_it_is_cut_the_turns_are_the_same(size: int) -> None:
    """One great append, small ones, and ones that cut samples in two are all heard alike."""
    audio = quiet(5.3) + speech(9) + quiet(11) + speech(4) + quiet(30)
    whole, pieces = hear(Hearing(Loudness, RULES), audio), hear(Hearing(Loudness, RULES), audio, size)

    assert len(whole) == 4
    assert [replace(each, item_id="") for each in pieces] == [replace(each, item_id="") for each in whole]


def test_speech_that_no_audio_follows_stays_open(hearing: Hearing) -> None:
    """It is audio that ends a turn, not time; the next append ends it."""
    assert places(hear(hearing, speech(10) + quiet(6.5))) == [("Began", 0)]
    assert places(hear(hearing, quiet(0.5))) == [("Ended", 17 * 32)]


def test_silence_is_not_kept(hearing: Hearing) -> None:
    """However long a caller says nothing, no more than the prefix and a frame is held."""
    hear(hearing, quiet(1000), size=960)

    assert hearing._microphone.end - hearing._microphone.start <= (100 + FRAME_MS) * PCM_BYTES_PER_MS


def test_a_commit_by_hand_takes_the_open_turn(hearing: Hearing) -> None:
    """It gets the id that was announced; what is said after it is a turn of its own, with no audio twice."""
    (began,) = hear(hearing, quiet(10) + speech(10))
    item_id, pcm = hearing.take()
    again, ended = hear(hearing, speech(10) + quiet(10))

    assert item_id == began.item_id
    assert pcm == bytes(100 * PCM_BYTES_PER_MS) + speech(10)
    assert isinstance(again, Began)
    assert (again.item_id == item_id, again.start_ms) == (False, 20 * FRAME_MS)
    assert isinstance(ended, Ended)
    assert ended.pcm == speech(10) + bytes(LAST * PCM_BYTES_PER_MS)


@pytest.mark.parametrize("way", ["clear", "take"])
def test_what_was_taken_by_hand_is_not_heard_again(hearing: Hearing, way: str) -> None:
    """Neither an open turn nor the half of a frame that was loud reaches beyond a clear or a commit."""
    hear(hearing, speech(10) + speech(1)[:1000])
    getattr(hearing, way)()

    assert hear(hearing, quiet(30)) == []


def test_cleared_audio_still_counts_for_the_positions(hearing: Hearing) -> None:
    """Positions are those of everything ever appended."""
    hear(hearing, speech(10))
    hearing.clear()

    assert places(hear(hearing, quiet(10) + speech(2))) == [("Began", 20 * FRAME_MS - 100)]


def test_without_rules_nothing_is_looked_for() -> None:
    """The client finds its turns; all audio is kept for its commit, and no detector is made."""

    def none() -> Loudness:
        raise AssertionError("nobody is to listen")

    hearing = Hearing(none, None)

    assert hear(hearing, speech(10) + quiet(50)) == []
    assert len(hearing.take()[1]) == 60 * FRAME_MS * PCM_BYTES_PER_MS


def test_switched_on_it_listens_to_what_comes_then() -> None:
    """What was appended before is not looked at, but counts; switched off an open turn is forgotten."""
    hearing = Hearing(Loudness, None)
    hear(hearing, speech(10))
    hearing.tune(RULES)
    assert places(hear(hearing, quiet(10) + speech(5))) == [("Began", 20 * FRAME_MS - 100)]
    hearing.tune(None)
    assert hear(hearing, quiet(50)) == []


def test_half_a_sample_is_not_committed() -> None:
    """Whoever cuts a sample in two and commits loses the half; switching on leaves the samples whole."""
    hearing = Hearing(Loudness, None)
    hear(hearing, speech(10) + b"x")
    assert hearing.take()[1] == speech(10)
    hear(hearing, speech(10) + b"x")
    hearing.tune(RULES)
    hear(hearing, quiet(20))
    assert (hearing._microphone.end - hearing._microphone.start) % 2 == 1
    assert len(hearing.take()[1]) % 2 == 0


def test_new_rules_hold_for_the_open_turn(hearing: Hearing) -> None:
    """Changed while somebody speaks, the new silence ends that turn."""
    hear(hearing, speech(10))
    hearing.tune(replace(RULES, silence_duration_ms=32))

    assert places(hear(hearing, quiet(5))) == [("Ended", 11 * FRAME_MS)]


IDLE = replace(RULES, idle_timeout_ms=320)


def test_nobody_is_idle_before_the_answer_is_played() -> None:
    """The silence counts from the end of the playback, and triggers once."""
    hearing = Hearing(Loudness, IDLE)
    assert hear(hearing, quiet(100)) == []
    hearing.answer_ended(640)
    (idle,) = hear(hearing, quiet(100))

    assert isinstance(idle, Idle)
    assert (idle.start_ms, idle.end_ms) == (120 * FRAME_MS, 130 * FRAME_MS)
    assert len(idle.pcm) >= 100 * PCM_BYTES_PER_MS


@pytest.mark.parametrize("what", ["speech", "answer", "commit", "no timeout"])
def test_who_speaks_or_is_answered_is_not_idle(what: str) -> None:
    """Speech, a commit and another answer all end the waiting."""
    hearing = Hearing(Loudness, RULES if what == "no timeout" else IDLE)
    hearing.answer_ended(0)
    hear(hearing, quiet(5) + (speech(1) if what == "speech" else b""))
    if what == "answer":
        hearing.answer_began()
    elif what == "commit":
        hearing.take()

    assert not [each for each in hear(hearing, quiet(100)) if isinstance(each, Idle)]


def test_any_cutting_loses_no_byte() -> None:
    """Turns and what lies between them, in random pieces, are the audio that was appended, in order."""
    audio = b"".join(speech(3) + quiet(12) for _ in range(20))
    chance, hearing, at, heard = random.Random(7), Hearing(Loudness, RULES), 0, []
    while at < len(audio):
        size = chance.randrange(1, 5000)
        heard += hear(hearing, audio[at : at + size])
        at += size

    turns = [each for each in heard if isinstance(each, Ended)]
    starts = [each.start_ms * PCM_BYTES_PER_MS for each in heard if isinstance(each, Began)]
    assert len(turns) == 20
    assert [turn.pcm for turn in turns] == [
        audio[start : turn.end_ms * PCM_BYTES_PER_MS] for start, turn in zip(starts, turns, strict=True)
    ]
