"""A call in care is walked through every limit and every end that there is: it goes on, or ends with the numbers."""

from base64 import b64encode

import pytest

from actors.budgets.limits import Budgets
from actors.caring.settings import Caring
from actors.messages.admission import Connected, Drain, From, Replaced
from actors.messages.caller import Chose, Close, Error, HungUp, Mode, Notice, Summary, Typed
from actors.messages.caring import Help
from actors.messages.identity import Identity
from actors.messages.resuming import NotResumed, Resumed
from actors.runtime import Stop
from actors.services import Limits
from actors.testing.probe import Probe
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from register.record import Care as Kept
from tests.actors.test_care import INDIA, NAMED, SIGN, closes, hears_a_sign, in_danger, instructions, usage
from tests.actors.test_disclosure import exactly
from tests.kit.away import FragileCall
from tests.kit.fleet_stage import FleetCall, FleetStage
from tests.kit.four import MOHIT, TINA
from tests.kit.parts import tone
from tests.kit.streaming import asked, begin, finish, give, on_the_line, speak, turn, write_down


def speaks(scene: Scene, wire: Wire, seconds: float) -> None:
    """The persona answers, in one sentence of so many seconds."""
    scene.says(Typed("tell me"))
    begin(wire, "long", asked(wire))
    wire.say(type="response.output_audio_transcript.delta", response_id="long", delta="It is so.")
    wire.say(type="response.output_audio.delta", response_id="long", delta=b64encode(tone(seconds)).decode())
    finish(wire, "long")
    scene.stage.settle()


def minor(scene: Scene) -> Wire:
    """A child, who is told to choose somebody else; a sentence plays that outlasts the time for that."""
    wire = on_the_line(scene)
    scene.says(Typed("I am 12 years old"))
    wire.answer("How nice.")
    scene.stage.advance(57)
    speaks(scene, wire, 9)
    return wire


def test_a_minor_who_is_about_to_be_sent_away_is_kept(scene: Scene) -> None:
    """They say it in the last seconds."""
    wire = minor(scene)
    scene.stage.advance(4)
    assert scene.caller.fish_for(Notice, message="Nobody else was chosen: this call ends at the next pause. Thank you "
                                 "for talking with us.")  # fmt: skip
    hears_a_sign(scene)
    wire.answer(NAMED)
    scene.stage.advance(60)
    scene.says(Typed("are you there?"))
    wire.answer("Yes.")
    scene.stage.advance(60)
    assert closes(scene) == []
    scene.end()


def test_what_was_on_its_way_for_a_limit_of_their_own_does_not_cut(scene: Scene) -> None:
    """It was sent before the sign was known."""
    in_danger(scene)
    scene.session.tell(Drain(1.0, own=True))
    scene.stage.advance(20)
    assert closes(scene) == []
    scene.end()


@pytest.mark.parametrize("second", [False, True])
def test_a_sign_after_a_drain_was_told(scene: Scene, second: bool) -> None:
    """It ends as it was told, or at a `second` signal: the numbers come at once, before the end, and in the summary."""
    wire = on_the_line(scene)
    speaks(scene, wire, 9)
    scene.session.tell(Drain(10.0))
    scene.stage.advance(1)
    assert [line.number for line in hears_a_sign(scene).numbers] == INDIA
    if second:
        scene.session.tell(Stop())
    scene.stage.advance(10)
    assert closes(scene) == [1001]


def test_another_device_ends_it_with_the_numbers(scene: Scene) -> None:
    """That was the caller's own wish."""
    in_danger(scene)
    scene.session.tell(Replaced())
    scene.stage.settle()
    assert closes(scene) == [4409]


def test_nobody_on_the_line_is_no_reason_to_end(stage: Stage) -> None:
    """Who was there could not go on; five silent minutes are waited for somebody else, and no less."""
    scene = Scene(stage, limits=Limits(choose_seconds=15))
    stage.settle()
    scene.actor._care.begin_with(True, Kept(("suicide",), 0.0, 10.0))
    stage.advance(290)
    assert closes(scene) == []
    stage.advance(15)
    assert closes(scene) == [4408]


def test_the_hour_is_one_over_switches(stage: Stage) -> None:
    """And over signs that come again: none of them begins it anew."""
    scene = Scene(stage, limits=Limits(call_seconds=60), caring=Caring(care_seconds=300))
    in_danger(scene)
    for number, who in enumerate((TINA, MOHIT, TINA, MOHIT, TINA), start=2):
        scene.stage.advance(50)
        scene.says(Chose(who))
        scene.wire(number).welcome()
        scene.wire(number).answer("Hello.")
        scene.says(Typed("my husband beats me"))
        scene.wire(number).answer(NAMED)
        scene.wire(number).answer("Please call 1 8 1.")
    scene.stage.advance(45)
    assert [one.code for one in scene.caller.take() if isinstance(one, Close)] == []
    scene.stage.advance(10)
    assert [one.code for one in scene.caller.take() if isinstance(one, Close)] == [1000]


@pytest.mark.parametrize("mode", ["clip", "stream"])
def test_the_meter_stands_while_they_are_away_and_after(scene: Scene, mode: Mode) -> None:
    """A return would else let it run on."""
    call = FragileCall(scene, mode)
    scene.stage.advance(20)
    scene.says(Typed(SIGN))
    call.line.fish_for(Help)
    call.wire.answer(NAMED)
    scene.stage.advance(5)
    call.acknowledge()
    for _ in range(2):
        call.goes()
        scene.stage.advance(10)
        call.comes_back()
        scene.stage.advance(100)
        call.acknowledge()
    scene.session.tell(Stop())
    scene.stage.settle()
    assert call.line.fish_for(Summary).bill.seconds == 30


def test_a_sign_that_is_known_while_they_are_away_is_told_when_they_are_back(scene: Scene) -> None:
    """Their last words are written down late."""
    call = FragileCall(scene)
    wire = call.wire
    wire.say(type="input_audio_buffer.speech_started", item_id="spoken", audio_start_ms=0)
    wire.say(type="input_audio_buffer.speech_stopped", item_id="spoken", audio_end_ms=500)
    wire.say(type="input_audio_buffer.committed", item_id="spoken", previous_item_id=None)
    scene.stage.settle()
    call.goes()
    event = "conversation.item.input_audio_transcription.completed"
    wire.say(type=event, item_id="spoken", content_index=0, transcript=SIGN)
    scene.stage.advance(5)
    call.comes_back()
    assert [line.number for line in call.line.fish_for(Help).numbers] == INDIA
    assert not [one for one in call.line.heard if isinstance(one, Close)]
    scene.end()


@pytest.mark.parametrize("danger", [True, False])
def test_a_full_server_gives_the_place_of_nobody_in_danger_away(stage: Stage, danger: bool) -> None:
    """Who is away is let go for a new caller, unless they may be in danger."""
    fleet = FleetStage(stage, sessions=1)
    call = fleet.call()
    if danger:
        call.says(Typed(SIGN))
        call.line.fish_for(Help)
    call.goes()
    other = Probe("another caller")
    fleet.a.supervisor.tell(Connected(Identity("another"), 100, other))
    stage.advance(1.0)
    refused = [one.code for one in other.take() if isinstance(one, Close)]
    assert refused == ([4429] if danger else [])
    assert isinstance(call.tries(fleet.a), Resumed if danger else NotResumed)
    fleet.end()


def test_two_calls_a_day_are_those_of_two_devices_and_of_calls_that_were_lost(stage: Stage) -> None:
    """However the calls of a user end, and wherever they begin: each that was in care counts."""
    fleet = FleetStage(stage)
    free = []
    for number in range(3):
        call = FleetCall(fleet.a, user="Asha" if number else "asha", connection=10 * number)
        call.connects()
        call.says(Typed(SIGN))
        free.append(not call.line.fish_for(Help).metered)
        if number:
            call.goes()
    assert free == [True, True, False]
    fleet.end()


def test_an_answer_that_fails_does_not_hide_help(scene: Scene) -> None:
    """The helpline is spoken at once then: nothing else is to come."""
    wire = scene.on_the_line(MOHIT)
    hears_a_sign(scene)
    wire.refuse("response.create")
    assert scene.caller.fish_for(Error)
    scene.stage.settle()
    assert "1 4 4 1 6" in exactly(wire)[-1]
    assert closes(scene) == []
    scene.end()


def spends_all(scene: Scene) -> Wire:
    """A long answer has used all that the call may cost, and plays."""
    wire = on_the_line(scene)
    scene.says(Typed("one"))
    begin(wire, "long", asked(wire))
    wire.say(type="response.output_audio_transcript.delta", response_id="long", delta="So it is, and so it will be.")
    wire.say(type="response.output_audio.delta", response_id="long", delta=b64encode(tone(9)).decode())
    wire.say(type="response.done", response={"id": "long", "status": "completed", "usage": usage(2000)})
    scene.stage.advance(1)
    assert scene.caller.fish_for(Notice, code="budget")
    return wire


def test_an_answer_that_was_dropped_for_the_end_comes_after_all(stage: Stage) -> None:
    """It began while the call was to end for its budget, and what was asked was the sign: nobody waits for long."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=1000))
    wire = spends_all(scene)
    speak(scene, 1000)
    turn(wire, "spoken", 2000)
    begin(wire, "dropped")
    write_down(wire, "spoken", SIGN)
    scene.caller.fish_for(Help)
    scene.stage.advance(2)
    there = scene.wire(2)
    there.welcome()
    scene.stage.settle()
    assert "\n\n# Care\n" in instructions(there)
    assert there.kinds.count("response.create") == 1
    assert closes(scene) == []
    scene.end()


def test_an_answer_that_nobody_waits_for_any_more_was_dropped_for_good(stage: Stage) -> None:
    """The caller has said something else since, the sign: that is answered where they are."""
    scene = Scene(stage, budgets=Budgets(budget_call_tokens=1000))
    wire = spends_all(scene)
    speak(scene, 1000)
    turn(wire, "spoken", 2000)
    begin(wire, "dropped")
    scene.stage.settle()
    hears_a_sign(scene)
    finish(wire, "dropped", "cancelled")
    wire.answer(NAMED)
    scene.stage.advance(5)
    assert len(scene.upstream.dialled) == 1
    assert closes(scene) == []
    scene.end()


def test_who_says_it_and_hangs_up_is_told_before_the_close(scene: Scene) -> None:
    """The call is over before the sign is seen: it gets no place, and the summary has the numbers."""
    scene.on_the_line(MOHIT)
    scene.session.tell(From(1, Typed(SIGN)))
    scene.session.tell(From(1, HungUp()))
    scene.stage.settle()
    assert closes(scene) == [1000]
    assert scene.services.places.taken == 0


def test_an_answer_that_names_help_must_be_heard_so_far(scene: Scene) -> None:
    """Who speaks over it before that hears the sentence."""
    wire = on_the_line(scene)
    hears_a_sign(scene)
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "I am sorry to hear that. ", 2)
    give(wire, "answer", NAMED, 3)
    finish(wire, "answer")
    scene.stage.advance(1)
    speak(scene, 1000)
    turn(wire, "spoken", 2000)
    begin(wire, "second")
    give(wire, "second", "Yes.")
    finish(wire, "second")
    scene.stage.advance(2)
    assert "1 4 4 1 6" in exactly(wire)[-1]


def test_what_becomes_sure_is_counted_and_spoken_once(scene: Scene) -> None:
    """It was taken for serious before."""
    wire = scene.on_the_line(MOHIT)
    hears_a_sign(scene, "I can't go on anymore")
    wire.answer(NAMED)
    scene.stage.settle()
    count = len(exactly(wire))
    hears_a_sign(scene)
    wire.answer("I hear you.")
    scene.stage.settle()
    assert len(exactly(wire)) == count
    assert scene.services.counters.worries == {"suicide": 1}


@pytest.mark.parametrize(("words", "charged"), [("my homework is not done", True), ("I am 12 years old", False)])
def test_a_child_who_is_not_sure_to_be_one_pays(scene: Scene, words: str, charged: bool) -> None:
    """They are told whom children may call, and the persona asks how old they are."""
    scene.on_the_line(MOHIT)
    assert hears_a_sign(scene, words).metered is charged


def test_a_helpline_that_was_named_before_other_words_does_not_count(scene: Scene) -> None:
    """They have gone on since, and say it only now."""
    wire = scene.on_the_line(MOHIT)
    scene.says(Typed("whom can one call?"))
    wire.answer(NAMED)
    scene.stage.settle()
    hears_a_sign(scene)
    wire.answer("I hear you.")
    scene.stage.settle()
    assert "1 4 4 1 6" in exactly(wire)[-1]


def test_a_call_that_found_no_place_elsewhere_finds_none_here(stage: Stage) -> None:
    """Its user has had their calls of the day there: another sign is no second chance."""
    scene = Scene(stage)
    stage.settle()
    scene.actor._care.begin_with(True, Kept(("suicide",)))
    scene.on_the_line(MOHIT)
    assert hears_a_sign(scene, "my husband beats me").metered
    assert scene.services.places.taken == 0
    scene.end()


def test_a_call_in_care_that_comes_here_is_no_new_one_of_its_user(stage: Stage) -> None:
    """They may have had both of theirs here."""
    scene = Scene(stage, limits=Limits(call_seconds=60), caring=Caring(care_calls=1))
    stage.settle()
    scene.services.places.take("somebody", scene.services.clock.wall().date())
    scene.actor._care.begin_with(True, Kept(("suicide",), 0.0, 10.0))
    scene.on_the_line(MOHIT)
    stage.advance(100)
    assert closes(scene) == []
    scene.end()


def test_a_call_without_a_place_keeps_its_limits(stage: Stage) -> None:
    """The numbers are told, and the longest time of a call holds."""
    scene = Scene(stage, limits=Limits(call_seconds=60), caring=Caring(care_calls=1))
    stage.settle()
    scene.services.places.take("somebody", scene.services.clock.wall().date())
    in_danger(scene)
    stage.advance(61)
    assert closes(scene) == [1000]


def test_a_child_who_says_so_pays_nothing_from_then_on(scene: Scene) -> None:
    """And is told kindly whom they may not call."""
    scene.on_the_line(MOHIT)
    scene.stage.advance(20)
    scene.says(Typed("I am 12 years old"))
    scene.caller.fish_for(Notice, code="not_for_minors")
    scene.stage.advance(30)
    scene.session.tell(Stop())
    assert scene.caller.fish_for(Summary).bill.seconds == 20
