"""Clips that are refused, and whose turn it is, as a session sees it."""

import pytest

from actors.messages.caller import Close, Error, Interrupted, Recorded
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage

TINA = "tina_kulkarni_vedic_marriage"


def refused(scene: Scene, code: str) -> None:
    """The caller sends a clip that is refused, and is told so."""
    scene.says(Recorded(b"a clip"))
    scene.decoders.clips[-1].refuse(code)
    assert scene.caller.fish_for(Error).code == code


@pytest.mark.parametrize(
    "code", ["audio_undecodable", "audio_too_long", "audio_too_big", "bad_base64", "bad_json", "bad_message"]
)
def test_clips_that_no_recorder_makes_end_the_call(stage: Stage, code: str) -> None:
    """As other messages that are refused: three are allowed here, the fourth closes with 4400."""
    scene = Scene(stage, limits=Limits(bad_messages=3))
    scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    for _ in range(4):
        refused(scene, code)
    assert scene.caller.fish_for(Close).code == 4400
    scene.end()


@pytest.mark.parametrize("code", ["audio_too_short", "nothing_heard", "empty_audio", "busy"])
def test_clips_that_people_make_do_not_count(stage: Stage, code: str) -> None:
    """A button that was let go, a muted microphone, decoders that are full: told each time, and the call goes on."""
    scene = Scene(stage, limits=Limits(bad_messages=3))
    wire = scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    for _ in range(10):
        refused(scene, code)
    assert not [message for message in scene.caller.take() if isinstance(message, Close)]
    scene.says(Recorded(b"a clip"))
    scene.decoders.clips[-1].decode(bytes(9600))
    assert wire.kinds.count("input_audio_buffer.commit") == 1
    scene.end()


def test_decoders_are_told_whose_clip_it_is(scene: Scene) -> None:
    """The user, where callers are not told apart by address."""
    scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    scene.says(Recorded(b"a clip"))
    assert scene.decoders.clips[-1].by == (("user", "somebody"),)


def test_decoders_are_told_the_address_first(stage: Stage) -> None:
    """All of an address share a turn, whatever users they say they are."""
    scene = Scene(stage, address="192.0.2.1")
    scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    scene.says(Recorded(b"a clip"))
    assert scene.decoders.clips[-1].by == (("address", "192.0.2.1"), ("user", "somebody"))
    scene.end()


def test_what_becomes_of_a_clip_that_nobody_wants_is_not_told(scene: Scene) -> None:
    """It was refused and the caller interrupted in the same moment; the clips after it go on one by one."""
    scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    scene.says(Recorded(b"a clip"))
    first = scene.decoders.clips[-1]
    scene.says(Interrupted())
    scene.says(Recorded(b"another"))
    scene.says(Recorded(b"a third"))
    first.refuse()
    assert [clip.clip for clip in scene.decoders.clips] == [b"a clip", b"another"]
    assert not [message for message in scene.caller.take() if isinstance(message, Error)]


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_clip_is_said_when_it_comes(stage: Stage, taken_back: bool) -> None:
    """Whoever recorded it is there, while it is decoded, and if they take it back before it is."""
    scene = Scene(stage, limits=Limits(idle_seconds=10))
    scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    stage.advance(9)
    scene.says(Recorded(b"a clip"))
    if taken_back:
        scene.says(Interrupted())
    stage.advance(9)
    assert not [message for message in scene.caller.take() if isinstance(message, Close)]
    stage.advance(1)
    assert scene.caller.fish_for(Close).code == 4408
    scene.end()


def test_a_clip_that_is_refused_is_not_said(stage: Stage) -> None:
    """Else a client that sends anything at all would never be quiet."""
    scene = Scene(stage, limits=Limits(idle_seconds=10))
    scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    stage.advance(9)
    refused(scene, "audio_undecodable")
    stage.advance(1)
    assert scene.caller.fish_for(Close).code == 4408
    scene.end()
