"""A call in danger goes on at another node: it stays in care there, and is not told again what it was told."""

import pytest

from actors.caring.settings import Caring
from actors.messages.admission import Drain
from actors.messages.caller import Chose, Close, Spoke, Summary, Typed
from actors.messages.caring import Help
from actors.messages.resuming import NotResumed, Resumed
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from personas import Profile
from tests.actors.test_care import SIGN, instructions
from tests.actors.test_disclosure import exactly
from tests.kit.fleet_stage import FleetCall, FleetStage
from tests.kit.four import FOUR, TINA, first_words
from tests.kit.streaming import FRAME, asked, begin, finish, give, heard, turn, write_down


def in_danger(fleet: FleetStage, country: str = "") -> FleetCall:
    """A call whose caller has said so, and whose persona has named a helpline of India."""
    call = fleet.call()
    if country:
        call.says(Chose(TINA, profile=Profile(country=country)))
    call.says(Typed(SIGN))
    call.line.fish_for(Help)
    wire = fleet.a.wire()
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "Please call Tele-MANAS on 1 4 4 1 6.")
    finish(wire, "answer")
    for _ in range(3):
        fleet.stage.advance(2.0)
        call.acknowledge()
    call.line.take()
    return call


def test_a_call_in_danger_stays_in_care_where_it_goes_on(stage: Stage) -> None:
    """The prompt, the limits, and that nothing is charged; the disclosure is not said a second time."""
    fleet = FleetStage(stage, call_seconds=60.0)
    call = in_danger(fleet)
    fleet.a.dies()
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed), told
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(0.1)
    assert "\n\n# Care\n" in instructions(wire)
    assert exactly(wire) == []
    stage.advance(100.0)  # beyond the longest time of a call
    assert not [one for one in call.line.take() if isinstance(one, Close)]
    fleet.end()
    assert call.line.fish_for(Summary).bill.seconds < 30


def test_a_drain_moves_a_call_in_care_last(stage: Stage) -> None:
    """Though it is the oldest: what it loses if the move fails is more than others lose."""
    fleet = FleetStage(stage)
    care = in_danger(fleet)
    others = [fleet.call(user=f"user-{number}") for number in range(20)]
    care.acknowledge()
    care.line.take()
    fleet.a.supervisor.tell(Drain(60.0))
    moved = list[str]()
    for _ in range(200):
        stage.advance(0.01)
        for call in (care, *others):
            if any(isinstance(one, Close) and one.code == 1012 for one in call.line.take()):
                moved.append(call.user)
    assert moved[-1] == care.user
    assert len(moved) == 21
    stage.expect_terminated(fleet.a.supervisor)
    fleet.a.dead = True
    fleet.end()


@pytest.mark.parametrize("words", [True, False])
def test_the_numbers_stay_those_of_the_callers_country(stage: Stage, words: bool) -> None:
    """Also where the register holds nothing of what was told; there they are not told anew for that."""
    fleet = FleetStage(stage, register_words=words)
    call = in_danger(fleet, "GB")
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(0.1)
    assert "1 1 6 1 2 3" in instructions(wire)
    assert not [one for one in call.line.take() if isinstance(one, Help)]
    fleet.end()
    assert call.line.fish_for(Help).numbers[0].number == "116 123"


def test_the_hour_in_care_goes_on_elsewhere(stage: Stage) -> None:
    """It does not begin anew with each node: the call ends when it was in care for so long in all, with the numbers."""
    fleet = FleetStage(stage, caring=Caring(care_seconds=120.0))
    call = in_danger(fleet)
    fleet.stage.advance(60.0)
    call.acknowledge()
    fleet.stage.advance(6.0)
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.b.wire().welcome()
    stage.advance(0.1)
    call.line.take()
    for _ in range(8):
        stage.advance(10.0)
    told = call.line.take()
    assert [type(one) for one in told if isinstance(one, Help | Close)][-2:] == [Help, Close]
    fleet.end()


def test_a_sign_is_saved_at_once(stage: Stage) -> None:
    """The node dies in the moment after it: care does not wait for the next save."""
    fleet = FleetStage(stage, call_seconds=60.0)
    call = fleet.call()
    call.says(Typed("Hm."))
    answered(call, "Hm?")
    listen(call, SIGN)
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.b.wire().welcome()
    stage.advance(0.5)
    assert "\n\n# Care\n" in instructions(fleet.b.wire())
    answered(call, "Please call Tele-MANAS on 1 4 4 1 6.")
    answered(call, "I hear you.")
    stage.advance(100.0)
    assert not [one for one in call.line.take() if isinstance(one, Close)]
    fleet.end()


def answered(call: FleetCall, words: str) -> None:
    """The model answers what it was asked, and it is heard."""
    wire = call.node.wire()
    begin(wire, words, asked(wire))
    give(wire, words, words)
    finish(wire, words)
    call.node.stage.advance(2.0)
    call.acknowledge()


def listen(call: FleetCall, words: str) -> None:
    """The caller has spoken, and is still being written down: nothing else has happened that is worth a save."""
    wire = call.node.wire()
    wire.say(type="input_audio_buffer.speech_started", item_id="spoken", audio_start_ms=0)
    wire.say(type="input_audio_buffer.speech_stopped", item_id="spoken", audio_end_ms=500)
    wire.say(type="input_audio_buffer.committed", item_id="spoken", previous_item_id=None)
    call.node.stage.advance(2.0)
    event = "conversation.item.input_audio_transcription.delta"
    wire.say(type=event, item_id="spoken", content_index=0, delta=f"{words} And I mean it, I do.")
    call.line.fish_for(Help)
    call.node.stage.advance(0.1)


def moved(fleet: FleetStage, call: FleetCall) -> Wire:
    """The call goes on at node b, which asks the first node for it; its connection to the model is there."""
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed), told
    wire = fleet.b.wire()
    wire.welcome()
    fleet.stage.advance(0.5)
    return wire


@pytest.mark.parametrize("seconds", [1.0, 4.0])
def test_a_disclosure_that_moves_in_the_middle_is_heard_to_its_end(stage: Stage, seconds: float) -> None:
    """Of it and of the greeting behind it exactly the rest is said, wherever the caller stopped hearing."""
    fleet = FleetStage(stage)
    call = FleetCall(fleet.a)
    call.connects(greeted=False)
    wire, tina = fleet.a.wire(), FOUR.get(TINA)
    begin(wire, "greeting", asked(wire))
    words = first_words(tina).split()
    for word in words[:-1]:
        give(wire, "greeting", f"{word} ", 0.5)
    for _ in range(round(2 * seconds)):
        stage.advance(0.5)
        call.acknowledge()
    stage.advance(8.0)  # nothing more is acknowledged: it stands
    call.goes()
    there = moved(fleet, call)
    (rest,), (heard,) = exactly(there), [said for role, said in there.texts() if role == "assistant"]
    assert f"{heard} {rest}".split() == words
    assert heard
    assert rest
    fleet.end()


def test_a_disclosure_that_was_not_begun_is_heard_elsewhere(stage: Stage) -> None:
    """With the greeting."""
    fleet = FleetStage(stage)
    call = FleetCall(fleet.a)
    call.connects(greeted=False)
    stage.advance(12.0)
    call.goes()
    assert exactly(moved(fleet, call)) == [first_words(FOUR.get(TINA))]
    fleet.end()


def test_help_that_moves_in_the_middle_is_said_again(stage: Stage) -> None:
    """All of it, and nobody greets."""
    fleet = FleetStage(stage)
    call = fleet.call()
    call.says(Typed(SIGN))
    wire = fleet.a.wire()
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "I hear you.")
    finish(wire, "answer")
    stage.advance(1.5)
    call.acknowledge()
    sentence = exactly(wire)[-1]
    assert "1 4 4 1 6" in sentence
    begin(wire, "help", asked(wire))
    give(wire, "help", " ".join(sentence.split()[:5]), 3.0)
    stage.advance(1.0)
    call.acknowledge()
    there = moved(fleet, call)
    assert exactly(there) == [sentence]
    fleet.end()


def test_who_moves_before_the_next_answer_hears_of_help_there(stage: Stage) -> None:
    """First of all; then comes the answer."""
    fleet = FleetStage(stage)
    call = fleet.call()
    call.says(Typed(SIGN))
    call.line.fish_for(Help)
    stage.advance(0.1)
    fleet.a.dies()
    there = moved(fleet, call)
    (sentence,) = exactly(there)
    assert "1 4 4 1 6" in sentence
    answered(call, sentence)
    assert there.texts()[-1] == ("user", SIGN)
    answered(call, "I hear you.")
    assert exactly(there) == [sentence]
    fleet.end()


def test_a_minor_in_danger_is_not_sent_away_elsewhere(stage: Stage) -> None:
    """Whoever talked to them here goes on, though a minor may not call them."""
    fleet = FleetStage(stage)
    call = fleet.call()
    call.says(Typed("I am 12 years old and I want to die."))
    call.line.fish_for(Help)
    stage.advance(0.1)
    there = moved(fleet, call)
    assert "\n\n# Care\n" in instructions(there)
    answered(call, "Please call Tele-MANAS on 1 4 4 1 6.")
    answered(call, "I hear you.")
    stage.advance(200.0)
    assert not [one for one in call.line.take() if isinstance(one, Close)]
    fleet.end()


def test_who_asks_elsewhere_for_a_call_that_ended_is_told_the_numbers(stage: Stage) -> None:
    """With the bill."""
    fleet = FleetStage(stage)
    call = in_danger(fleet)
    call.goes()
    stage.advance(60.0)
    told = call.tries(fleet.b)
    assert isinstance(told, NotResumed)
    assert (told.code, told.help[0].number) == ("ended", "14416")
    fleet.end()


def test_what_was_spoken_before_the_move_is_asked_before_what_is_said_now(stage: Stage) -> None:
    """The sentence with the helpline comes first; what is spoken meanwhile waits behind the question from before."""
    fleet = FleetStage(stage)
    call = fleet.call()
    for _ in range(50):
        call.says(Spoke(FRAME * b"\x01"))
    wire = fleet.a.wire()
    turn(wire, "one", 0)
    write_down(wire, "one", SIGN)
    call.line.fish_for(Help)
    stage.advance(1.0)
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(0.1)
    (sentence,) = exactly(wire)
    for _ in range(10):
        call.says(Spoke(FRAME * b"\x02"))
    begin(wire, "help", asked(wire))
    give(wire, "help", sentence)
    stage.settle()
    assert (("user", SIGN) in wire.texts(), heard(wire)) == (False, b"")
    finish(wire, "help")
    stage.settle()
    assert wire.texts()[-1] == ("user", SIGN)
    assert heard(wire).endswith(10 * FRAME * b"\x02")
    fleet.end()
