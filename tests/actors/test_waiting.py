"""A caller never waits for long without a word: each row of the table in a real call, on the stage's clock."""

from collections.abc import Callable

import pytest

from actors.messages.admission import ReleaseSlots
from actors.messages.caller import (
    Chose,
    Close,
    ConfigAck,
    Error,
    Interrupted,
    Malformed,
    Notice,
    Pinged,
    Played,
    Recorded,
    Spoke,
    TextResponse,
    ToCaller,
    Typed,
)
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from personas import Profile
from tests.kit.four import MOHIT, TINA
from tests.kit.streaming import FRAME, LOUD_FRAME, asked, begin, finish, give, heard, on_the_line, speak, turn
from upstream.facts import BYTES_PER_MS

CLIP = bytes(200 * BYTES_PER_MS)


def codes(scene: Scene) -> list[str]:
    """What the caller was told since the last look, by its code: notices but of minutes, errors, closes."""
    told = [named(said) for said in scene.caller.take() if isinstance(said, Notice | Error | Close)]
    return [code for code in told if code != "minute"]


def named(said: ToCaller) -> str:
    assert isinstance(said, Notice | Error | Close)
    return str(said.code)


def test_who_chooses_nobody_is_let_go(scene: Scene) -> None:
    """After fifteen seconds, and no message but a choice makes them more."""
    said = (Pinged(), Interrupted(), Played("1.1", 20), Typed("hello"), Recorded(CLIP), Malformed("bad_json", "what?"))
    for message in said:
        scene.stage.advance(2.4)
        scene.says(message)
    scene.stage.advance(0.5)
    assert "4408" not in codes(scene)
    scene.stage.advance(0.2)
    close = scene.caller.fish_for(Close)
    assert close.code == 4408
    assert "15 s" in close.reason


def test_a_choice_begins_the_time_anew_also_one_that_is_refused(scene: Scene) -> None:
    """But not for ever: after a minute without anybody on the line it is over."""
    for at in (14, 28, 42, 56):
        scene.stage.advance(at - scene.stage.now)
        assert "4408" not in codes(scene)
        scene.says(Chose("nobody"))
    scene.stage.advance(3.9)
    assert codes(scene) == ["unknown_astrologer"]
    scene.stage.advance(0.2)
    assert codes(scene) == ["4408"]


def test_to_tell_of_oneself_is_no_choice(scene: Scene) -> None:
    """Whoever is asked for again is not another choice, nor is a profile that comes with it."""
    scene.supervisor.by_hand = True
    scene.says(Chose(TINA))
    for _ in range(6):
        scene.stage.advance(2.4)
        scene.says(Chose(TINA, profile=Profile(name="Asha")))
    scene.stage.advance(0.7)
    assert codes(scene) == ["4408"]


def test_a_call_whose_persona_is_known_is_not_closed_for_want_of_a_choice(scene: Scene) -> None:
    scene.on_the_line(TINA)
    scene.stage.advance(290)
    assert "4408" not in codes(scene)


@pytest.mark.parametrize(
    "keeps",
    [
        lambda scene: Interrupted(),
        lambda scene: Pinged(),
        lambda scene: Played("1.1", 20),
        lambda scene: Malformed("bad_json", "what?"),
        lambda scene: Chose("nobody"),
        lambda scene: Chose(TINA),
        lambda scene: Chose(TINA, "clip"),
        lambda scene: Chose(TINA, profile=Profile(name="Asha")),
    ],
)
def test_what_is_no_turn_keeps_no_call(scene: Scene, keeps: Callable[[Scene], Interrupted]) -> None:
    """However often it comes."""
    scene.on_the_line(TINA)
    for _ in range(10):
        scene.stage.advance(29)
        assert "4408" not in codes(scene)
        scene.says(keeps(scene))
    scene.stage.advance(10.1)
    assert codes(scene)[-1] == "4408"


def test_typed_turns_and_choices_that_are_granted_keep_a_call(scene: Scene) -> None:
    """Five minutes are counted from each."""
    wire = scene.on_the_line(TINA)
    scene.stage.advance(290)
    scene.says(Typed("Are you there?"))
    wire.answer("Yes.")
    scene.stage.advance(290)
    scene.on_the_line(MOHIT)
    scene.stage.advance(290)
    assert codes(scene) == []
    scene.stage.advance(10.1)
    assert codes(scene) == ["4408"]


def test_a_clip_that_cannot_be_decoded_keeps_no_call(scene: Scene) -> None:
    """One that can does, from when it came."""
    wire = scene.on_the_line(TINA)
    scene.decoders.by_hand = True
    scene.stage.advance(100)
    scene.says(Recorded(CLIP))
    scene.decoders.clips[0].decode()
    wire.answer("Yes.")
    for number in range(1, 6):
        scene.stage.advance(59)
        scene.says(Recorded(CLIP))
        scene.decoders.clips[number].refuse()
    assert "4408" not in codes(scene)
    scene.stage.advance(5.1)
    assert codes(scene)[-1] == "4408"


@pytest.mark.parametrize("model", [True, False])
def test_words_that_the_model_hears_keep_a_call_and_noise_does_not(scene: Scene, model: bool) -> None:
    """A microphone that is open is not a caller who speaks."""
    wire = on_the_line(scene)
    for number in range(12):
        scene.stage.advance(29)
        if model:
            turn(wire, str(number), 29_000 * number)
            begin(wire, f"answer {number}")
            give(wire, f"answer {number}", "Yes.", 0.1)
            finish(wire, f"answer {number}")
        speak(scene, 100)
        scene.stage.settle()
    assert ("4408" in codes(scene)) is not model


# Nobody is on the line yet.


def welcomed(wire: Wire) -> None:
    """There is a session, and it never is what we asked for."""
    wire.say(type="session.created")


def refused(wire: Wire) -> None:
    wire.lose()


HUNG = [lambda wire: None, welcomed, refused]


@pytest.mark.parametrize("hangs", HUNG)
def test_a_first_choice_that_nobody_answers_is_told_and_ended(scene: Scene, hangs: Callable[[Wire], None]) -> None:
    """After five seconds, once, and after fifteen, however the upstream hangs; then nothing is dialled any more."""
    scene.says(Chose(TINA))
    tried = 0
    told: list[tuple[float, str]] = []
    while scene.stage.now < 60:
        scene.stage.settle()
        for wire in scene.upstream.dialled[tried:]:
            hangs(wire)
        tried = len(scene.upstream.dialled)
        scene.stage.advance(0.1)
        told += [(round(scene.stage.now, 1), code) for code in codes(scene)]
    assert [code for _, code in told] == ["reconnecting", "upstream_unavailable", "4503"]
    assert [at for at, _ in told] == pytest.approx([5.0, 15.0, 15.0], abs=0.11)
    assert 3 <= tried <= 8


def test_a_first_choice_that_is_answered_late_is_acknowledged_as_ever(scene: Scene) -> None:
    """It was told that it takes a while; there is no `resumed`, because nothing was lost."""
    scene.says(Chose(TINA))
    scene.stage.advance(7.5)  # the second try
    scene.wire(2).welcome()
    scene.caller.fish_for(Notice, code="reconnecting")
    scene.caller.fish_for(ConfigAck, astrologer_id=TINA)
    scene.wire(2).answer("Namaste.")
    scene.stage.advance(60)
    assert not codes(scene)


# A connection that is lost.


@pytest.mark.parametrize("away", [14.0, 20.0, 24.0])
def test_an_ordinary_restart_of_the_upstream_ends_no_call(scene: Scene, away: float) -> None:
    """The caller is told at once, waits, and is not charged; what they asked meanwhile is answered."""
    wire = scene.on_the_line(TINA)
    wire.lose()
    assert codes(scene) == ["reconnecting"]
    tried, back = 1, scene.stage.now + away
    scene.says(Typed("are you there?"))
    while scene.stage.now < back:
        for lost in scene.upstream.dialled[tried:]:
            lost.lose()
        tried = len(scene.upstream.dialled)
        scene.stage.advance(0.5)
    assert not codes(scene)
    while len(scene.upstream.dialled) == tried and scene.stage.now < 35:
        scene.stage.advance(0.1)
    if scene.upstream.dialled[-1].ended:
        pytest.fail("nobody tries any more")
    scene.upstream.dialled[-1].welcome()
    scene.upstream.dialled[-1].answer("Here I am.")
    assert codes(scene) == ["resumed"]
    assert scene.caller.heard[-2:]
    assert "Here I am." in [said.text for said in scene.caller.heard if isinstance(said, TextResponse)]


def test_a_call_waits_as_long_as_it_is_told_to(stage: Stage) -> None:
    """Then it ends with the reason, and the time in which nobody was there is not metered."""
    scene = Scene(stage, limits=Limits(upstream_patience=100))
    scene.on_the_line(TINA)
    stage.advance(20)
    codes(scene)
    scene.wire(1).lose()
    stage.advance(99.9)
    assert codes(scene) == ["reconnecting"]
    stage.advance(0.2)
    assert codes(scene) == ["upstream_unavailable", "4503"]
    assert scene.caller.heard[-2].bill.seconds == 20
    scene.end()


# Another persona.


@pytest.mark.parametrize("hangs", HUNG)
def test_a_switch_that_hangs_is_told_and_turns_back(scene: Scene, hangs: Callable[[Wire], None]) -> None:
    """The persona before is on the line again after fifteen seconds, and nobody goes on calling the other."""
    wire = scene.on_the_line(TINA)
    scene.says(Chose(MOHIT))
    began = scene.stage.now
    told: list[str] = []
    while scene.stage.now < began + 14.8:
        scene.stage.settle()
        for other in scene.upstream.dialled[1:]:
            if not other.ended:
                hangs(other)
        scene.stage.advance(0.2)
        told += codes(scene)
    assert told == ["switching", "reconnecting"]
    scene.stage.advance(0.5)
    assert codes(scene) == ["persona_switch_failed"]
    tried = len(scene.upstream.dialled)
    scene.stage.advance(30)
    assert len(scene.upstream.dialled) == tried
    assert all(other.ended for other in scene.upstream.dialled[1:])
    scene.says(Typed("are you there?"))
    wire.answer("Yes.")
    assert scene.caller.fish_for(TextResponse).text == "Yes."


def test_a_switch_that_failed_leaves_nothing_behind(scene: Scene) -> None:
    """The other's place is free again, and the next switch does not wait for the tries of the one before."""
    scene.on_the_line(TINA)
    scene.says(Chose(MOHIT))
    began = scene.stage.now
    while scene.stage.now < began + 15.1:
        scene.stage.settle()
        for other in scene.upstream.dialled[1:]:
            if not other.ended:
                other.lose()
        scene.supervisor.by_hand = True
        scene.stage.advance(0.2)
    assert "persona_switch_failed" in codes(scene)
    assert scene.supervisor.fish_for(ReleaseSlots).choices == {2}
    scene.supervisor.by_hand = False
    tried = len(scene.upstream.dialled)
    scene.says(Chose("priyanka_vedic_love"))
    scene.stage.settle()
    assert len(scene.upstream.dialled) == tried + 1


def test_each_switch_has_its_own_time(scene: Scene) -> None:
    """Whoever is chosen last is called for as long as anybody."""
    scene.on_the_line(TINA)
    scene.says(Chose(MOHIT))
    scene.stage.advance(14)
    scene.says(Chose("priyanka_vedic_love"))
    scene.stage.advance(14)
    assert "persona_switch_failed" not in codes(scene)
    scene.stage.advance(1.1)
    assert codes(scene) == ["persona_switch_failed"]


# Asked, and nothing comes.


def test_what_is_not_answered_is_asked_again_once_and_then_fails(scene: Scene) -> None:
    """Ten seconds each; the call goes on over the newer connection, which may be asked the next thing at once."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    scene.stage.advance(9.9)
    assert not codes(scene)
    scene.stage.advance(0.2)
    assert codes(scene) == ["reconnecting"]
    again = scene.wire(2)
    again.welcome()
    assert codes(scene) == ["resumed"]
    assert again.texts()[-1] == ("user", "will I marry?")
    scene.stage.advance(9.9)
    assert not codes(scene)
    scene.stage.advance(0.2)
    assert codes(scene) == ["upstream_unavailable"]
    scene.says(Typed("and when?"))
    assert again.texts()[-1] == ("user", "and when?")
    again.answer("In May.")
    assert scene.caller.fish_for(TextResponse).text == "In May."
    scene.stage.advance(100)
    assert len(scene.upstream.dialled) == 2
    assert wire.ended
    assert not again.ended


def test_a_greeting_that_does_not_come_is_asked_again_and_then_given_up(scene: Scene) -> None:
    """Who said something meanwhile is answered after it."""
    scene.says(Chose(TINA))
    scene.wire(1).welcome()
    scene.says(Typed("hello?"))
    scene.stage.advance(10.1)
    scene.wire(2).welcome()
    scene.stage.advance(10.1)
    assert codes(scene) == ["reconnecting", "resumed", "upstream_unavailable"]
    assert scene.wire(2).texts() == [("user", "hello?")]
    scene.wire(2).answer("Yes?")
    assert scene.caller.fish_for(TextResponse).text == "Yes?"


def test_a_greeting_that_was_given_up_is_not_given_over_a_third_connection(scene: Scene) -> None:
    scene.says(Chose(TINA))
    for number in (1, 2):
        scene.wire(number).welcome()
        scene.stage.advance(10.1)
    scene.wire(2).lose()
    scene.stage.advance(2)
    scene.wire(3).welcome()
    assert scene.wire(3).kinds.count("response.create") == 0


def test_any_end_of_an_answer_begins_the_time_anew(scene: Scene) -> None:
    """The model is at work: what replaced a turn was asked only then."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    begin(wire, "first", asked(wire))
    scene.stage.advance(9)
    scene.says(Typed("and when?"))
    scene.stage.settle()
    finish(wire, "first", "cancelled")
    scene.stage.advance(9.9)
    assert codes(scene) == []
    scene.stage.advance(0.2)
    assert codes(scene) == ["reconnecting"]


def test_who_speaks_over_what_they_asked_waits_for_no_answer_to_it(scene: Scene) -> None:
    """However long they speak; that the model owes us something is another matter, after 20 s."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    scene.stage.advance(5)
    wire.say(type="input_audio_buffer.speech_started", item_id="two", audio_start_ms=6000)
    for _ in range(24):
        scene.says(Spoke(LOUD_FRAME * 25))
        scene.stage.advance(0.5)
    assert codes(scene) == []


def test_a_response_that_begins_and_says_nothing_is_no_answer(scene: Scene) -> None:
    """Its beginning alone makes nobody wait for longer."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    scene.stage.advance(9)
    begin(wire, "empty", asked(wire))
    scene.stage.advance(1.1)
    assert codes(scene) == ["reconnecting"]


def test_a_turn_that_the_model_heard_and_does_not_answer_is_played_to_another(scene: Scene) -> None:
    """Also where it never says that the turn is whole."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=1000)
    scene.stage.advance(10.1)
    assert codes(scene) == ["reconnecting"]
    again = scene.wire(2)
    again.welcome()
    assert len(heard(again)) >= 1000 * BYTES_PER_MS


def test_words_that_nobody_hears_after_a_loss_are_asked_for_again(scene: Scene) -> None:
    """The new connection is deaf, or they were noise: either way the caller is told, and the call goes on."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    scene.stage.advance(10.1)
    again = scene.wire(2)
    again.welcome()
    scene.stage.advance(9)
    assert codes(scene) == ["reconnecting", "resumed"]
    scene.stage.advance(1.1)
    assert codes(scene) == ["say_again"]
    scene.says(Typed("will I marry?"))
    again.answer("You will.")
    scene.stage.advance(60)
    assert not codes(scene)


def test_who_let_go_of_the_button_and_is_not_heard_to_stop_is_not_left_waiting(scene: Scene) -> None:
    """The model heard them speak, and says no more: another connection hears it all."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    scene.stage.advance(12.1)
    assert codes(scene) == ["reconnecting"]
    scene.wire(2).welcome()
    assert len(heard(scene.wire(2))) >= 1000 * BYTES_PER_MS


def still_streaming(scene: Scene, seconds: int, frame: bytes) -> None:
    """The microphone stays open."""
    for _ in range(seconds * 2):
        scene.says(Spoke(frame * 25))
        scene.stage.advance(0.5)


def test_who_has_stopped_and_is_heard_to_speak_for_ever_is_not_left_waiting(scene: Scene) -> None:
    """The microphone is open, and nothing but silence comes of it: another connection hears what was said."""
    wire = on_the_line(scene)
    still_streaming(scene, 1, LOUD_FRAME)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    still_streaming(scene, 9, bytes(FRAME))
    assert not codes(scene)
    still_streaming(scene, 3, bytes(FRAME))
    assert codes(scene) == ["reconnecting"]
    again = scene.wire(2)
    again.welcome()
    assert heard(again).startswith(LOUD_FRAME)
    turn(again, "one", 0)
    begin(again, "answer")
    give(again, "answer", "You will.", 0.1)
    finish(again, "answer")
    still_streaming(scene, 60, bytes(FRAME))
    assert codes(scene) == ["resumed"]


def test_noise_that_the_model_takes_for_words_costs_no_connection_but_the_one(scene: Scene) -> None:
    """The next one hears nobody in it, and what is said then is answered."""
    wire = on_the_line(scene)
    still_streaming(scene, 1, bytes(FRAME))
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    still_streaming(scene, 12, bytes(FRAME))
    scene.wire(2).welcome()
    still_streaming(scene, 200, bytes(FRAME))
    assert [code for code in codes(scene) if code != "say_again"] == ["reconnecting", "resumed"]
    assert len(scene.upstream.dialled) == 2


@pytest.mark.parametrize("pause", [0, 4, 8])
def test_who_speaks_for_minutes_is_heard_out(scene: Scene, pause: int) -> None:
    """The model says nothing to it, and they are silent now and then for less than ten seconds."""
    wire = on_the_line(scene)
    still_streaming(scene, 1, LOUD_FRAME)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    for _ in range(15):
        still_streaming(scene, 12 - pause, LOUD_FRAME)
        still_streaming(scene, pause, bytes(FRAME))
    assert not codes(scene)
    assert not wire.ended


def test_what_an_abandoned_connection_says_is_of_nobody(scene: Scene) -> None:
    """It was slow, and answers after all: the caller hears the other, and no words are known twice."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    scene.stage.settle()
    wire.say(type="input_audio_buffer.committed", item_id="clip")
    scene.stage.advance(10.1)
    wire.say(type="conversation.item.input_audio_transcription.completed", item_id="clip", transcript="will I marry")
    begin(wire, "late")
    give(wire, "late", "You will.")
    again = scene.wire(2)
    again.welcome()
    assert again.kinds.count("input_audio_buffer.commit") == 1
    assert ("user", "will I marry") not in again.texts()
    again.answer("In May.")
    assert [said.text for said in scene.caller.heard if isinstance(said, TextResponse)][-1] == "In May."
    scene.stage.advance(10)
    assert wire.ended


def test_a_transcript_that_is_late_is_no_fault(scene: Scene) -> None:
    """The answer has come, and nobody waits for the words."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    scene.stage.settle()
    wire.say(type="input_audio_buffer.committed", item_id="clip")
    wire.answer("You will.")
    scene.stage.advance(200)
    assert not codes(scene)
    assert len(scene.upstream.dialled) == 1


def test_an_upstream_without_time_is_waited_for_and_the_caller_is_told(scene: Scene) -> None:
    """For as long as it has said: that is no fault, and no other connection would be answered sooner."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 18s."}
    begin(wire, "none", asked(wire))
    wire.say(type="response.done", response={"id": "none", "status": "failed", "status_details": {"error": error}})
    scene.stage.advance(17.9)
    assert codes(scene) == ["waiting"]
    scene.stage.advance(0.2)
    assert wire.kinds.count("response.create") == 3  # the greeting, and twice this
    wire.answer("You will.")
    scene.stage.advance(60)
    assert not codes(scene)
    assert len(scene.upstream.dialled) == 1


def test_an_upstream_that_puts_off_twice_is_given_both_times(scene: Scene) -> None:
    """And ten seconds more, from the beginning."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    for number in (1, 2):
        error = {"code": "rate_limit_exceeded", "message": "Please try again in 8s."}
        begin(wire, f"none {number}", asked(wire))
        details = {"error": error}
        wire.say(type="response.done", response={"id": f"none {number}", "status": "failed", "status_details": details})
        scene.stage.advance(8.1)
    scene.stage.advance(9.7)
    assert codes(scene) == ["waiting"]
    scene.stage.advance(0.3)
    assert codes(scene) == ["reconnecting"]


def test_an_upstream_that_had_no_time_and_then_says_nothing_is_left(scene: Scene) -> None:
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 8s.", "event_id": ""}
    wire.say(type="error", error={**error, "event_id": wire.last("response.create")["event_id"]})
    scene.stage.advance(17.9)
    assert codes(scene) == ["waiting"]
    scene.stage.advance(0.2)
    assert codes(scene) == ["reconnecting"]


# Answering, and no more comes: test_stalls.py has those that are heard as they come.


def test_a_whole_reply_that_stalls_again_and_again_is_not_waited_for_for_ever(scene: Scene) -> None:
    """In clips the caller hears nothing of it: asked again once, then it has failed."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    for number in (1, 2):
        begin(scene.wire(number), "answer", asked(scene.wire(number)))
        give(scene.wire(number), "answer", "alpha ")
        scene.stage.advance(15.1)
        if number == 1:
            scene.wire(2).welcome()
    assert codes(scene) == ["reconnecting", "resumed", "upstream_unavailable"]
    assert wire.ended


# A change of the mode.


def test_an_upstream_that_does_not_consent_to_a_mode_is_left(scene: Scene) -> None:
    """Nobody would hear the caller: another connection listens from the start."""
    scene.on_the_line(TINA)
    scene.says(Chose(TINA, "stream"))
    speak(scene, 200)
    scene.stage.advance(10.1)
    assert codes(scene) == ["reconnecting"]
    scene.wire(2).welcome()
    scene.stage.advance(60)
    assert codes(scene) == ["resumed"]
    assert len(heard(scene.wire(2))) == 200 * BYTES_PER_MS


# Nobody waits.


def test_tries_to_roll_over_that_fail_are_told_to_nobody(stage: Stage) -> None:
    """The connection that serves serves on."""
    scene = Scene(stage, limits=Limits(idle_seconds=1e6, call_seconds=1e6))
    scene.on_the_line(TINA)
    stage.advance(3305)
    codes(scene)
    for number in range(2, 8):
        scene.wire(number)
        stage.advance(7.1 + 16)
    assert not codes(scene)
    assert not scene.upstream.dialled[0].ended
    scene.end()


def test_the_time_of_a_loss_is_metered_only_while_somebody_is_there(scene: Scene) -> None:
    """An upstream that is left because it says nothing is left at that moment."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    scene.stage.advance(20)  # ten of them while it was still asked
    scene.wire(2)
    scene.stage.advance(30)
    assert codes(scene)[-1] == "4503"
    assert 10 <= scene.caller.heard[-2].bill.seconds <= 11
    assert wire.ended
