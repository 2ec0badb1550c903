"""The caller hears that an AI speaks: with the first greeting of a call, once, and until they have heard it."""

import pytest

from actors.caring.settings import Caring
from actors.caring.talks import MOST_USERS, REMINDED_SECONDS, Talks
from actors.messages.caller import (
    AudioResponse,
    Chose,
    ConfigAck,
    Error,
    Interrupted,
    Mode,
    Spoke,
    TextResponse,
    Transcript,
    Typed,
)
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from personas import Persona
from realtime.contract import SAY_EXACTLY
from tests.kit.away import FragileCall, sound
from tests.kit.four import MOHIT, TINA
from tests.kit.languages import MARATHI, SEVEN, TAMIL, URDU
from tests.kit.streaming import LOUD_FRAME, asked, begin, finish, give, speak, turn

MODES = ["clip", "stream"]


def exactly(wire: Wire) -> list[str]:
    """What was to be said word for word on this connection, in order."""
    created = [event["response"] for event in wire.sent if event["type"] == "response.create"]
    told = [response.get("instructions", "").rpartition(f"{SAY_EXACTLY}\n") for response in created]
    return [words for _, mark, words in told if mark]


def whole(persona: Persona) -> str:
    """The first greeting of a call."""
    return f"{persona.disclosure} {persona.greeting}"


def called(scene: Scene, astrologer_id: str = TINA, mode: Mode = "clip") -> tuple[Wire, Persona]:
    """The caller has chosen somebody, who is there and was asked to greet."""
    dialled = len(scene.upstream.dialled)
    scene.says(Chose(astrologer_id, mode))
    wire = scene.wire(dialled + 1)
    wire.welcome()
    scene.stage.settle()
    return wire, scene.catalogue.get(astrologer_id)


def greet(scene: Scene, wire: Wire, words: str, seconds: float = 4.0) -> None:
    """A streamed greeting is made whole, and lasts so long; nothing of it was played yet."""
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", words, seconds)
    finish(wire, "greeting")
    scene.stage.settle()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("astrologer_id", [TINA, MOHIT, TAMIL, MARATHI, URDU])
def test_the_first_greeting_begins_with_it(stage: Stage, astrologer_id: str, mode: Mode) -> None:
    """In the language of the persona, in both modes; and the app can show it."""
    scene = Scene(stage, SEVEN)
    wire, persona = called(scene, astrologer_id, mode)
    assert exactly(wire) == [whole(persona)]
    ack = scene.caller.fish_for(ConfigAck)
    assert (ack.disclosure, ack.synthetic) == (persona.disclosure, True)
    scene.end()


@pytest.mark.parametrize("mode", MODES)
def test_it_is_told_once_a_call(scene: Scene, mode: Mode) -> None:
    """Not after a switch, and not after a loss; the app may show it with each persona."""
    wire, persona = called(scene, TINA, mode)
    wire.answer(whole(persona))
    scene.stage.advance(5)
    other, mohit = called(scene, MOHIT, mode)
    assert exactly(other) == [mohit.greeting]
    assert [ack.disclosure for ack in scene.caller.take() if isinstance(ack, ConfigAck)][-1] == mohit.disclosure
    other.answer(mohit.greeting)
    scene.stage.advance(5)
    other.lose()
    again = scene.wire(3)
    again.welcome()
    scene.says(Typed("hello"))
    scene.stage.settle()
    assert exactly(again) == []


def test_after_a_loss_in_the_middle_the_rest_is_said(scene: Scene) -> None:
    """By the next connection, from the word at which the caller stopped hearing."""
    wire, persona = called(scene, MOHIT, "stream")
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", "I am", 2)
    scene.stage.advance(1)
    wire.lose()
    scene.stage.advance(3)
    again = scene.wire(2)
    again.welcome()
    (rest,) = exactly(again)
    assert whole(persona).endswith(rest)
    assert 0 < len(rest.split()) < len(whole(persona).split())


def test_who_speaks_over_it_hears_it_after_the_answer(scene: Scene) -> None:
    """All of it: half a sentence says nothing."""
    wire, persona = called(scene, TINA, "stream")
    greet(scene, wire, whole(persona))
    scene.stage.advance(0.5)
    speak(scene, 1000)
    turn(wire, "one", 0)
    begin(wire, "answer")
    give(wire, "answer", "Yes.")
    finish(wire, "answer")
    scene.stage.settle()
    assert exactly(wire) == [whole(persona), persona.disclosure]
    wire.answer(persona.disclosure)
    scene.stage.advance(5)
    scene.says(Typed("and?"))
    scene.stage.settle()
    assert len(exactly(wire)) == 2


def test_who_speaks_over_the_greeting_behind_it_has_heard_it(scene: Scene) -> None:
    """It was played to its end."""
    wire, persona = called(scene, TINA, "stream")
    greet(scene, wire, whole(persona), 8)
    scene.stage.advance(7)
    speak(scene, 1000)
    turn(wire, "one", 0)
    begin(wire, "answer")
    give(wire, "answer", "Yes.")
    finish(wire, "answer")
    scene.stage.advance(5)
    assert exactly(wire) == [whole(persona)]


def test_who_switches_over_it_hears_it_of_the_next(scene: Scene) -> None:
    """In the language of that one."""
    wire, persona = called(scene, TINA, "stream")
    greet(scene, wire, whole(persona))
    scene.stage.advance(0.5)
    other, mohit = called(scene, MOHIT, "stream")
    assert exactly(other) == [whole(mohit)]


def test_who_interrupts_it_hears_it_before_the_answer(scene: Scene) -> None:
    """A reply that is kept back until it is whole was not heard."""
    wire, persona = called(scene)
    begin(wire, "greeting", asked(wire))
    scene.says(Interrupted())
    scene.says(Typed("to the point"))
    scene.stage.settle()
    finish(wire, "greeting", "cancelled")
    scene.stage.settle()
    assert exactly(wire) == [whole(persona), persona.disclosure]
    assert wire.texts() == []
    wire.answer(persona.disclosure)
    scene.stage.settle()
    assert wire.texts() == [("user", "to the point")]


def test_a_model_that_fails_over_it_answers_first(scene: Scene) -> None:
    """Then it is tried again; at last it is written, so that nothing waits for it for ever."""
    wire, persona = called(scene)
    wire.refuse("response.create")
    for number in range(2):
        scene.says(Typed(f"question {number}"))
        scene.stage.settle()
        assert wire.texts()[-1] == ("user", f"question {number}")
        wire.answer(f"Answer {number}.")
        scene.caller.fish_for(AudioResponse)
        scene.stage.settle()
        assert exactly(wire)[-1] == persona.disclosure
        wire.refuse("response.create")
    scene.caller.fish_for(TextResponse, text=persona.disclosure)
    scene.says(Typed("and now?"))
    wire.answer("Now yes.")
    scene.caller.fish_for(AudioResponse)
    assert len(exactly(wire)) == 3


def test_who_is_away_in_the_middle_of_it_hears_the_rest(scene: Scene) -> None:
    """The sound that they have not received comes again, and the words are not said a second time."""
    call = FragileCall(scene, greeted=False)
    persona, wire = scene.catalogue.get(TINA), call.wire
    scene.stage.advance(8)
    greet(scene, wire, whole(persona), 6)
    for _ in range(3):
        scene.stage.advance(1)
        call.acknowledge()
    before = len(sound(call.line.take()))
    call.goes()
    scene.stage.advance(3)
    call.comes_back()
    for _ in range(8):
        scene.stage.advance(1)
        call.acknowledge()
    after = len(sound(call.line.take()))
    assert 0 < before < 6 * 48_000
    assert before + after == 6 * 48_000
    assert exactly(wire) == [whole(persona)]


def test_a_caller_who_is_replaced_hears_it_again(stage: Stage) -> None:
    """Another call is another beginning."""
    for _ in range(2):
        scene = Scene(stage)
        wire, persona = called(scene)
        assert exactly(wire) == [whole(persona)]
        scene.end()


@pytest.mark.parametrize("mode", MODES)
def test_an_owner_may_leave_it_out(stage: Stage, mode: Mode) -> None:
    """Then it is neither said nor shown; that the voice is synthetic is told all the same."""
    scene = Scene(stage, caring=Caring(leave_out_disclosure=True))
    wire, persona = called(scene, TINA, mode)
    assert exactly(wire) == [persona.greeting]
    ack = scene.caller.fish_for(ConfigAck)
    assert (ack.disclosure, ack.synthetic) == (None, True)
    scene.end()


def test_who_speaks_before_anybody_greets_is_told_first(scene: Scene) -> None:
    """What they said waits, as before any greeting."""
    scene.says(Chose(TINA, "stream"))
    scene.says(Spoke(LOUD_FRAME * 10))
    wire = scene.wire(1)
    wire.welcome()
    scene.stage.settle()
    assert exactly(wire) == [whole(scene.catalogue.get(TINA))]
    assert "input_audio_buffer.append" not in wire.kinds


def test_after_three_hours_of_talk_it_is_told_again(stage: Stage) -> None:
    """Over calls, as far as the process knows; in the middle of a call, when nothing is asked."""
    limits, talks = Limits(idle_seconds=3600), Talks()
    first = Scene(stage, limits=limits, talks=talks)
    wire, persona = called(first)
    wire.answer(whole(persona))
    stage.advance(1200)
    first.end()
    talks.add("somebody", 9000, reminded=False)
    left = talks.left("somebody")
    assert 590 < left <= 600
    second = Scene(stage, limits=limits, talks=talks)
    wire, persona = called(second)
    wire.answer(whole(persona))
    stage.advance(left - 1)
    assert exactly(wire) == [whole(persona)]
    stage.advance(2)
    assert exactly(wire) == [whole(persona), persona.disclosure]
    wire.answer(persona.disclosure)
    stage.advance(5)
    second.end()
    assert talks.left("somebody") > 3 * 3600 - 60


def test_who_had_talked_for_three_hours_before_is_told_by_the_greeting(stage: Stage) -> None:
    """Not again a moment later; and the time begins anew with that call."""
    talks = Talks()
    talks.add("somebody", REMINDED_SECONDS + 60, reminded=False)
    scene = Scene(stage, talks=talks)
    wire, persona = called(scene)
    wire.answer(whole(persona))
    stage.advance(60)
    assert exactly(wire) == [whole(persona)]
    scene.end()
    assert REMINDED_SECONDS - 70 < talks.left("somebody") < REMINDED_SECONDS - 50


def test_in_one_call_it_is_told_each_time_that_it_is_due(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here after a hundred seconds instead of three hours, in which connections are replaced."""
    for where in ("call.disclosing", "caring.talks"):
        monkeypatch.setattr(f"actors.{where}.REMINDED_SECONDS", 100.0)
    scene = Scene(stage, limits=Limits(idle_seconds=3600))
    wire, persona = called(scene)
    wire.answer(whole(persona))
    for times in range(1, 4):
        stage.advance(101)
        assert exactly(wire) == [whole(persona), *[persona.disclosure] * times]
        begin(wire, f"reminder {times}", asked(wire))
        give(wire, f"reminder {times}", persona.disclosure)
        finish(wire, f"reminder {times}")
    scene.end()


def test_the_talk_of_so_many_users_is_known_as_fits() -> None:
    """Whoever called longest ago is forgotten."""
    talks = Talks()
    for number in range(MOST_USERS + 1):
        talks.add(str(number), 60, reminded=False)
    assert (talks.left("0"), talks.left("1")) == (REMINDED_SECONDS, REMINDED_SECONDS - 60)


def test_a_greeting_that_kills_connections_is_dropped_and_the_disclosure_is_not(scene: Scene) -> None:
    """It was tried often enough: it is written, once the model has answered something."""
    wire, persona = called(scene)
    for number in (2, 3):
        begin(wire, "greeting", asked(wire))
        scene.stage.settle()
        wire.lose()
        scene.stage.advance(3)
        wire = scene.wire(number)
        wire.welcome()
        scene.stage.settle()
    scene.caller.fish_for(Error)
    scene.says(Typed("hello?"))
    wire.answer("Yes.")
    scene.stage.settle()
    scene.caller.fish_for(TextResponse, text=persona.disclosure)


@pytest.mark.parametrize("mode", MODES)
def test_who_says_nothing_after_the_model_failed_over_it_hears_it_all_the_same(scene: Scene, mode: Mode) -> None:
    """After five silent seconds it is asked for alone; when that failed too often it is written."""
    wire, persona = called(scene, TINA, mode)
    for times in (1, 2):
        wire.refuse("response.create")
        scene.stage.advance(4)
        assert len(exactly(wire)) == times
        scene.stage.advance(2)
        assert exactly(wire) == [whole(persona), *[persona.disclosure] * times]
    scene.caller.take()
    wire.refuse("response.create")
    scene.caller.fish_for(Transcript, text=persona.disclosure)
    scene.stage.advance(30)
    assert len(exactly(wire)) == 3


def test_who_wants_no_answer_after_it_failed_hears_it_when_they_are_silent(scene: Scene) -> None:
    """While their question waits for its answer nothing else is asked."""
    wire, persona = called(scene)
    wire.refuse("response.create")
    scene.stage.advance(4)
    scene.says(Typed("never mind"))
    begin(wire, "answer", asked(wire))
    scene.stage.advance(4)
    assert exactly(wire) == [whole(persona)]
    scene.says(Interrupted())
    finish(wire, "answer", "cancelled")
    scene.stage.advance(4)
    assert exactly(wire) == [whole(persona)]
    scene.stage.advance(2)
    assert exactly(wire) == [whole(persona), persona.disclosure]
