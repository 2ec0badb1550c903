"""Losses that come together with something else: what was said is known once, in its order, or asked for again."""

import pytest

from actors.messages.caller import Chose, Notice, ResponseDone, SpeechStarted, Transcript, Typed
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from realtime.contract import GO_ON
from tests.kit.four import TINA
from tests.kit.streaming import asked, begin, finish, give, heard, on_the_line, speak, turn, write_down
from upstream.facts import BYTES_PER_MS


def test_an_answer_that_goes_on_was_to_what_was_said_before_it_as_well(scene: Scene) -> None:
    """The turn before it is not written down and is not heard again: it would be known after the one that followed."""
    wire = on_the_line(scene)
    speak(scene, 2000)
    turn(wire, "one", 0)
    turn(wire, "two", 1000)
    write_down(wire, "two", "and when")
    begin(wire, "answer")
    give(wire, "answer", "alpha beta ")
    give(wire, "answer", "gamma")
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.last("response.create")["response"]["instructions"].endswith(GO_ON)
    assert heard(again).strip(b"\0") == b""


def test_a_turn_that_is_heard_again_brings_with_it_what_was_said_after_it(scene: Scene) -> None:
    """The later one was written down, and is not asked in words: it would be known before the other."""
    wire = on_the_line(scene)
    speak(scene, 1000, mark=1)
    speak(scene, 1000, mark=2)
    turn(wire, "one", 0)
    turn(wire, "two", 1000)
    write_down(wire, "two", "and when")
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.texts() == [("assistant", "Namaste.")]
    assert "response.create" not in again.kinds
    assert heard(again) == bytes([1]) * 1000 * BYTES_PER_MS + bytes([2]) * 1000 * BYTES_PER_MS


def test_what_is_said_before_the_model_listens_is_kept_though_its_consent_is_late(scene: Scene) -> None:
    """The line is held up; of what nobody has got nothing is thrown away, and the next connection hears all of it."""
    wire = scene.on_the_line(TINA)
    for _ in range(5):
        speak(scene, 200)
        scene.stage.advance(0.2)
    assert heard(wire) == b""
    wire.consent()
    assert len(heard(wire)) == 1000 * BYTES_PER_MS
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert len(heard(again)) == 1000 * BYTES_PER_MS


def test_words_whose_onset_was_told_of_too_late_are_asked_for_again(scene: Scene) -> None:
    """What the microphone keeps while nobody speaks is bounded: a line that is held up for longer costs words."""
    wire = on_the_line(scene)
    for _ in range(10):
        speak(scene, 200)
        scene.stage.advance(0.2)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    scene.caller.fish_for(SpeechStarted)
    wire.lose()
    scene.wire(2).welcome()
    scene.caller.fish_for(Notice, code="say_again")


def test_what_was_left_of_a_stream_is_not_part_of_what_comes_after_a_change_of_mode(scene: Scene) -> None:
    """What the model heard and did not find a turn in is thrown away there as well, before anything else is said."""
    wire = on_the_line(scene)
    speak(scene, 200)
    scene.stage.settle()
    scene.says(Chose(TINA, "clip"))
    scene.says(Chose(TINA, "stream"))
    speak(scene, 100, mark=2)
    told = [kind for kind in wire.kinds if kind in ("session.update", "input_audio_buffer.clear")]
    assert told[-3:] == ["session.update", "input_audio_buffer.clear", "session.update"]
    assert heard(wire) == bytes([1]) * 200 * BYTES_PER_MS
    wire.consent()
    assert len(heard(wire)) == 200 * BYTES_PER_MS  # to what was said first, the newest is on its way
    wire.consent()
    assert heard(wire).endswith(bytes([2]) * 100 * BYTES_PER_MS)


def test_a_typed_turn_that_speech_overtook_is_answered_with_it(scene: Scene) -> None:
    """The answer is lost with its connection, and so is the turn in which it was asked: both reach the next one."""
    wire = on_the_line(scene)
    scene.says(Typed("will I marry"))
    begin(wire, "answer", asked(wire))
    speak(scene, 1000)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    finish(wire, "answer", "cancelled")
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.texts()[-1] == ("user", "will I marry")
    assert len(heard(again)) == 1000 * BYTES_PER_MS


def overtaken(scene: Scene) -> tuple[Wire, str]:
    """A typed turn is on its way when a line that was held up tells of a spoken one before it."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    scene.says(Typed("and when?"))
    metadata = asked(wire)
    turn(wire, "spoken", 0)
    begin(wire, "to what was spoken")
    return wire, metadata


def test_a_typed_turn_is_not_settled_by_a_late_answer_to_what_was_spoken_before_it(scene: Scene) -> None:
    """It is answered for itself, and heard."""
    wire, metadata = overtaken(scene)
    give(wire, "to what was spoken", "You will.", 0.1)
    finish(wire, "to what was spoken")
    scene.stage.advance(1)
    begin(wire, "to what was typed", metadata)
    give(wire, "to what was typed", "In May.", 0.1)
    finish(wire, "to what was typed")
    scene.stage.advance(2)
    told = [said for said in scene.caller.take() if isinstance(said, ResponseDone | Transcript)]
    assert [said.status for said in told if isinstance(said, ResponseDone)] == ["completed", "completed"]
    words = [said.text for said in told if isinstance(said, Transcript) and said.role == "assistant" and said.final]
    assert words == ["You will.", "In May."]
    scene.stage.advance(60)
    assert len(scene.upstream.dialled) == 1
    assert not wire.ended


@pytest.mark.parametrize("answered", [False, True])
def test_a_typed_turn_behind_a_spoken_one_outlives_the_connection(scene: Scene, answered: bool) -> None:
    """Whether the answer to what was spoken has come to its end by then, or had begun."""
    wire, _ = overtaken(scene)
    give(wire, "to what was spoken", "You will ", 0.1)
    if answered:
        finish(wire, "to what was spoken")
    scene.stage.advance(1)
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.texts()[-1] == ("user", "and when?")
    assert again.kinds.count("response.create") == 1
    again.answer("In May.")
    scene.caller.fish_for(Transcript, role="assistant", text="In May.", final=True)
    scene.stage.advance(60)
    assert again.kinds.count("response.create") == 1
    assert len(scene.upstream.dialled) == 2


def test_a_typed_turn_that_reaches_the_model_while_the_caller_speaks_is_answered_with_what_they_say(
    scene: Scene,
) -> None:
    """One answer to both, and nobody waits for another."""
    wire = on_the_line(scene)
    scene.says(Typed("and when?"))
    metadata = asked(wire)
    speak(scene, 1000)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    begin(wire, "cut", metadata)
    assert "response.cancel" in wire.kinds
    finish(wire, "cut", "cancelled")
    wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=1000)
    wire.say(type="input_audio_buffer.committed", item_id="one")
    begin(wire, "to both")
    give(wire, "to both", "In May.", 0.1)
    finish(wire, "to both")
    scene.caller.fish_for(ResponseDone, status="completed")
    scene.stage.advance(60)
    assert len(scene.upstream.dialled) == 1
