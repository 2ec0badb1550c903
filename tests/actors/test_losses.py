"""Losses that come together with something else: what was said is known once, in its order, or asked for again."""

from actors.messages.caller import Chose, Notice, SpeechStarted, Typed
from actors.testing.scene import Scene
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
