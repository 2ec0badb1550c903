"""An upstream that finds turns although it was told not to: it cancels our response, and answers by itself."""

from typing import Any

import pytest

from actors.messages.caller import AudioResponse, Chose, Error, Interrupted, Recorded, ResponseDone, Typed
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.four import TINA
from tests.kit.streaming import asked, begin, finish, give, on_the_line

CLIP = bytes(48_000)
CANCELLED = {"status": "cancelled", "status_details": {"type": "cancelled", "reason": "turn_detected"}}


def cancel(wire: Wire, response: str = "ours", heard: str = "", sound: float = 0.0) -> None:
    """Our response begins, perhaps with some sound, and the upstream cancels it; perhaps it tells of what it heard."""
    begin(wire, response, asked(wire))
    if sound:
        give(wire, response, "Some ", sound)
    if heard:
        wire.say(type="input_audio_buffer.speech_started", item_id="theirs", audio_start_ms=0)
        wire.say(type="input_audio_buffer.speech_stopped", item_id="theirs", audio_end_ms=900)
    if heard == "before":
        wire.say(type="input_audio_buffer.committed", item_id="theirs")
    wire.say(type="response.done", response={"id": response, "metadata": asked(wire), **CANCELLED})
    if heard == "after":
        wire.say(type="input_audio_buffer.committed", item_id="theirs")


def answer(wire: Wire, response: str = "theirs") -> None:
    """It answers by itself."""
    begin(wire, response)
    give(wire, response, "Yes, in spring.", 0.1)
    finish(wire, response)


def told(scene: Scene, *kinds: Any) -> list[Any]:
    """What the caller was told of these kinds since the last look."""
    scene.stage.settle()
    return [said for said in scene.caller.take() if isinstance(said, kinds)]


@pytest.mark.parametrize("heard", ["", "speech", "before", "after"])
@pytest.mark.parametrize("sound", [0.0, 0.1])
@pytest.mark.parametrize("said", [Recorded(CLIP), Typed("when?")], ids=["clip", "typed"])
def test_its_own_answer_is_the_answer(scene: Scene, said: Recorded | Typed, sound: float, heard: str) -> None:
    """The caller gets it, once, and the next turn is answered as ever."""
    wire = scene.on_the_line(TINA)
    scene.says(said)
    if isinstance(said, Recorded):
        scene.stage.settle()
        wire.say(type="input_audio_buffer.committed", item_id="ours")
    cancel(wire, heard=heard, sound=sound)
    answer(wire)
    (got,) = told(scene, AudioResponse, Error)
    assert isinstance(got, AudioResponse)
    scene.says(Typed("and then?"))
    wire.answer("And then.")
    (got,) = told(scene, AudioResponse, Error)
    assert isinstance(got, AudioResponse)
    scene.stage.advance(15)
    assert told(scene, Error) == []


def test_a_cancel_without_a_successor_fails_the_turn(scene: Scene) -> None:
    """After two seconds; the call goes on over the same connection."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    cancel(wire)
    scene.stage.advance(1.9)
    assert told(scene, Error) == []
    scene.stage.advance(0.2)
    assert [error.code for error in told(scene, Error)] == ["upstream_unavailable"]
    scene.says(Typed("and then?"))
    wire.answer("And then.")
    assert len(told(scene, AudioResponse)) == 1
    assert len(scene.upstream.dialled) == 1


def test_a_successor_of_which_nothing_comes_fails_the_turn(scene: Scene) -> None:
    """It is not asked again elsewhere: the upstream would cancel it there as well."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    cancel(wire)
    begin(wire, "theirs")
    scene.stage.advance(9)
    assert told(scene, Error) == []
    scene.stage.advance(6)
    assert [error.code for error in told(scene, Error)] == ["upstream_unavailable"]
    assert len(scene.upstream.dialled) == 1


def test_a_greeting_may_be_cancelled_too(scene: Scene) -> None:
    """Nothing is greeted with then, and the caller is heard."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.welcome()
    cancel(wire)
    scene.stage.advance(3)
    scene.says(Typed("hello"))
    wire.answer("Hello.")
    assert len(told(scene, AudioResponse)) == 1


def test_an_answer_that_nobody_waits_for_any_more_is_dropped(scene: Scene) -> None:
    """The caller has interrupted between the cancel and what follows it."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    cancel(wire)
    scene.stage.settle()
    scene.says(Interrupted())
    scene.stage.settle()
    answer(wire)
    scene.stage.advance(5)
    assert told(scene, AudioResponse, Error) == []


def test_in_a_stream_what_had_come_plays_and_the_other_follows(scene: Scene) -> None:
    """Each with its own end."""
    wire = on_the_line(scene)
    scene.says(Typed("when?"))
    cancel(wire, sound=0.5)
    answer(wire)
    scene.stage.advance(3)
    assert [done.status for done in told(scene, ResponseDone, Error)] == ["cancelled", "completed"]
