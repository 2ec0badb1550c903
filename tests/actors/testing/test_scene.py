"""A scene, a wire and decoders by hand do what they are told, and say what is wrong."""

import pytest

from actors.messages.admission import Detached, Leaving
from actors.messages.caller import Chose, ConfigAck, Error, Recorded, Typed
from actors.runtime import Down
from actors.testing.probe import Probe
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.four import TINA
from upstream.facts import LinkBegan, LinkEnded


def test_a_persona_is_put_on_the_line_in_one_step(scene: Scene) -> None:
    """What the caller heard until then is out of the way."""
    wire = scene.on_the_line(TINA)
    assert wire.kinds[0] == "session.update"
    scene.caller.expect_nothing()
    assert any(isinstance(message, ConfigAck) for message in scene.caller.heard)


def test_the_session_ends_and_its_supervisor_is_told(scene: Scene) -> None:
    """When the caller is gone."""
    wire = scene.on_the_line(TINA)
    scene.hangs_up()
    scene.supervisor.fish_for(Leaving, session=scene.session)
    scene.supervisor.expect(Down, ref=scene.session, cause=None)
    scene.stage.expect_terminated(scene.session)
    assert wire.ended


def test_what_is_done_to_a_scene_waits_for_a_look(scene: Scene) -> None:
    """So a test can have two things happen before anybody takes a turn."""
    scene.says(Chose(TINA))
    scene.says(Typed("hello"))
    assert scene.upstream.dialled == []
    assert scene.wire(1).user == "somebody"


def test_a_connection_that_was_not_dialled_is_missed(scene: Scene) -> None:
    """With how many there are."""
    with pytest.raises(AssertionError, match="0 connections to the model were dialled, not 1"):
        scene.wire(1)


def test_a_clip_is_decoded_at_once_or_by_hand(scene: Scene) -> None:
    """Refused, too; what is decoded goes to the model."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(bytes(9600)))
    assert wire.kinds.count("input_audio_buffer.commit") == 1
    wire.answer("yes")

    scene.decoders.by_hand = True
    scene.says(Recorded(b"a clip"))
    assert wire.kinds.count("input_audio_buffer.commit") == 1
    scene.decoders.clips[-1].decode(bytes(9600))
    assert wire.kinds.count("input_audio_buffer.commit") == 2
    wire.answer("no")

    scene.says(Recorded(b"no clip"))
    scene.decoders.clips[-1].refuse()
    assert scene.caller.fish_for(Error).code == "audio_undecodable"


def test_a_clip_that_nobody_wants_is_not_decoded(scene: Scene) -> None:
    """The session takes it back when its caller is gone."""
    scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    scene.says(Recorded(b"a clip"))
    scene.says(Recorded(b"behind it"))
    (clip,) = scene.decoders.clips
    scene.session.tell(Detached(1))
    scene.stage.settle()
    assert clip.cancelled


def test_a_connection_ends_once_and_says_nothing_after_it() -> None:
    """As a link does."""
    listener = Probe()
    wire = Wire("somebody", listener, list)
    listener.expect(LinkBegan())
    wire.lose()
    wire.close()
    wire.abort()
    listener.expect(LinkEnded(1006, "gone"))
    listener.expect_nothing()
    with pytest.raises(AssertionError, match=r"has ended: no session.created can come"):
        wire.say(type="session.created")
    with pytest.raises(AssertionError, match=r"no response.create was sent, only \[\]"):
        wire.answer("yes")
