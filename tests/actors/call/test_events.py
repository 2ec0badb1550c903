"""From which connections an event of the model counts."""

from actors.messages.caller import Chose, Sound, Transcript
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.four import MOHIT
from tests.kit.streaming import begin, give, on_the_line, speak, turn, write_down


def relieved(scene: Scene) -> Wire:
    """The caller has spoken to a persona, and another one has the line by now: the connection before retires."""
    first = on_the_line(scene)
    speak(scene, 1000)
    turn(first, "spoken", 0)
    scene.says(Chose(MOHIT))
    scene.wire(2).welcome()
    scene.stage.settle()
    scene.caller.take()
    return first


def test_what_the_caller_said_is_shown_though_the_connection_retires(scene: Scene) -> None:
    """They said it, and their words may come late."""
    first = relieved(scene)
    write_down(first, "spoken", "what of my stars")
    scene.caller.expect(Transcript, role="user", text="what of my stars")


def test_an_answer_of_a_connection_that_retires_is_not_heard(scene: Scene) -> None:
    """Nor do its other events change anything for the caller."""
    first = relieved(scene)
    begin(first, "answer")
    give(first, "answer", "too late")
    first.say(type="input_audio_buffer.speech_started", item_id="more", audio_start_ms=2000)
    scene.stage.settle()
    assert [message for message in scene.caller.take() if isinstance(message, Sound | Transcript)] == []
