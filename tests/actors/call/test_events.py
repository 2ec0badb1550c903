"""From which connections an event of the model counts."""

from actors.messages.caller import Chose, Notice, Transcript
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


def test_only_the_connection_that_serves_says_that_the_caller_speaks(scene: Scene) -> None:
    """Nor is an answer of any other heard, though it is still there while another persona is being called."""
    first = on_the_line(scene)
    scene.says(Chose(MOHIT))
    scene.caller.fish_for(Notice, code="switching")
    speak(scene, 1000)
    turn(first, "spoken", 0)
    begin(first, "answer")
    give(first, "answer", "too late")
    scene.stage.settle()
    assert scene.caller.take() == []
