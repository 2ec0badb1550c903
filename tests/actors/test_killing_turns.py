"""A turn that connections die of: it is dropped, the caller is told once, and the call goes on."""

import pytest

from actors.messages.caller import (
    AudioResponse,
    Chose,
    Close,
    ConfigAck,
    Error,
    Interrupted,
    Notice,
    Recorded,
    ResponseDone,
    Typed,
)
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.four import TINA
from tests.kit.streaming import asked, begin, give, heard, on_the_line, speak, turn, write_down

CLIP = bytes(48_000)


def next_wire(scene: Scene, wire: Wire, code: int = 1011) -> Wire:
    """The connection has what was said; it dies, and the next one is there."""
    scene.stage.settle()
    wire.lose(code, "gone")
    scene.stage.advance(4)
    again = scene.wire(len(scene.upstream.dialled))
    assert again is not wire
    again.welcome()
    return again


def notices(scene: Scene) -> list[str]:
    """What the caller was told since the last look."""
    return [said.code for said in scene.caller.take() if isinstance(said, Notice)]


@pytest.mark.parametrize("said", [Typed("tell me"), Recorded(CLIP)], ids=["typed", "clip"])
def test_a_turn_of_which_two_connections_die_is_dropped(scene: Scene, said: Typed | Recorded) -> None:
    """The third one does not get it, nor know of it; what is said next is answered."""
    wire = scene.on_the_line(TINA)
    scene.says(said)
    wire = next_wire(scene, wire)
    assert asked(wire)
    wire = next_wire(scene, wire)
    assert notices(scene) == ["reconnecting", "resumed", "reconnecting", "say_again", "resumed"]
    assert "response.create" not in wire.kinds
    assert "input_audio_buffer.append" not in wire.kinds
    assert ("user", "tell me") not in wire.texts()
    scene.says(Typed("and now?"))
    wire.answer("Now yes.")
    scene.caller.fish_for(AudioResponse)


def test_a_caller_who_says_it_again_and_again_stays_on_the_line(scene: Scene) -> None:
    """Each time two connections are lost: those do not count together."""
    wire = scene.on_the_line(TINA)
    for _ in range(5):
        scene.says(Recorded(CLIP))
        wire = next_wire(scene, next_wire(scene, wire))
    told = scene.caller.take()
    assert [said.code for said in told if isinstance(said, Notice)].count("say_again") == 5
    assert not [said for said in told if isinstance(said, Close | Error)]


def test_what_was_said_after_it_is_not_dropped_with_it(scene: Scene) -> None:
    """One connection died while it had that as well: it is asked on the third."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    wire = next_wire(scene, wire)
    scene.says(Typed("and now?"))
    wire = next_wire(scene, wire)
    assert wire.texts()[-1] == ("user", "and now?")
    wire.answer("Now yes.")
    scene.caller.fish_for(AudioResponse)


def test_a_turn_that_was_interrupted_is_dropped_without_a_word(scene: Scene) -> None:
    """The caller took it back: they need not say it again."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    wire = next_wire(scene, wire)
    scene.says(Typed("no, this"))
    wire = next_wire(scene, wire)
    assert notices(scene).count("say_again") == 0
    wire.answer("That is better.")
    scene.caller.fish_for(AudioResponse)


@pytest.mark.parametrize("back", [Typed("no, this"), Interrupted()], ids=["by another", "by a tap"])
def test_a_typed_turn_that_was_taken_back_is_not_remembered_either(scene: Scene, back: Typed | Interrupted) -> None:
    """Nobody waits for an answer to it, but connections that are told of it die of it all the same."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("tell me"))
    scene.stage.settle()
    scene.says(back)
    wire = next_wire(scene, wire)
    assert ("user", "tell me") in wire.texts()
    wire = next_wire(scene, wire)
    assert ("user", "tell me") not in wire.texts()
    scene.says(Typed("and now?"))
    wire.answer("Now yes.")
    scene.caller.fish_for(AudioResponse)


def test_what_was_taken_back_before_an_answer_is_remembered(scene: Scene) -> None:
    """That connection has not died of it."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("tell me"))
    scene.stage.settle()
    scene.says(Interrupted())
    wire = next_wire(scene, wire)
    scene.says(Typed("and now?"))
    wire.answer("Now yes.")
    scene.caller.fish_for(AudioResponse)
    wire = next_wire(scene, next_wire(scene, wire))
    assert ("user", "tell me") in wire.texts()


@pytest.mark.parametrize("told", ["nothing", "speech", "turn"])
def test_words_of_a_stream_are_dropped_too(scene: Scene, told: str) -> None:
    """Whatever the model had told of them before it died."""

    def hears(wire: Wire) -> None:
        if told == "speech":
            wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
        elif told == "turn":
            turn(wire, "one", 0)

    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    wire = next_wire(scene, wire)
    assert heard(wire)
    hears(wire)
    wire = next_wire(scene, wire)
    assert notices(scene)[-2:] == ["say_again", "resumed"]
    assert not heard(wire).strip(b"\0")
    assert "response.create" not in wire.kinds
    speak(scene, 1000, mark=2)
    assert heard(wire).endswith(bytes([2]) * 960)


def test_words_that_are_written_down_before_the_second_death_are_dropped_as_well(scene: Scene) -> None:
    """They are not asked in writing then."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    wire = next_wire(scene, wire)
    turn(wire, "one", 0)
    write_down(wire, "one", "and when")
    wire = next_wire(scene, wire)
    assert notices(scene)[-2:] == ["say_again", "resumed"]
    assert ("user", "and when") not in wire.texts()
    assert "response.create" not in wire.kinds


def test_an_answer_that_breaks_off_again_and_again_ends(scene: Scene) -> None:
    """Each connection brings a little more of it; that has an end, and the call has none."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    for number in range(4):
        begin(wire, f"answer {number}", asked(wire))
        give(wire, f"answer {number}", "alpha beta ")
        give(wire, f"answer {number}", "gamma")
        wire = next_wire(scene, wire)
    assert notices(scene)[-2:] == ["say_again", "resumed"]
    assert "response.create" not in wire.kinds


def test_a_greeting_of_which_two_connections_die_is_not_said(scene: Scene) -> None:
    """The caller may speak all the same."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.welcome()
    scene.caller.fish_for(ConfigAck)
    wire = next_wire(scene, next_wire(scene, wire))
    scene.caller.fish_for(Error, code="upstream_unavailable")
    assert "response.create" not in wire.kinds
    scene.says(Typed("hello"))
    wire.answer("Hello.")
    scene.caller.fish_for(AudioResponse)


def test_words_that_are_answered_are_blamed_for_nothing(scene: Scene) -> None:
    """A connection dies of nothing twice, with an answer between: nobody need say anything again."""
    wire = on_the_line(scene)
    for _ in range(3):
        speak(scene, 1000)
        turn(wire, "one", 0)
        wire = next_wire(scene, wire)
        turn(wire, "two", 0)
        begin(wire, "answer")
        give(wire, "answer", "Yes.")
        wire.say(type="response.done", response={"id": "answer", "status": "completed"})
        scene.stage.advance(2)
        scene.caller.fish_for(ResponseDone)
        assert "say_again" not in notices(scene)
