"""What a call takes along to another node: what was said and taken back, who calls and what they may, what it cost."""

from collections import Counter
from dataclasses import replace

import pytest

from actors.budgets.limits import Budgets
from actors.fleet.registrar import RegistrarActor
from actors.messages.admission import Drain, Resume
from actors.messages.caller import Chose, Close, Error, HungUp, Interrupted, Notice, Spoke, Summary, Typed
from actors.messages.identity import Identity
from actors.messages.persona import CloseBill, Recall, StopMeter
from actors.messages.resuming import Resumed
from actors.persona import PersonaActor, PersonaInbox
from actors.testing.fragile import FragileLine
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from care.ages import Age
from personas import Profile
from tests.actors.fleet.test_moving import moved
from tests.actors.fleet.test_register_away import comes, fleet_of, goes
from tests.actors.fleet.test_restoring import record_of
from tests.actors.test_minors import SOME_FREE
from tests.kit.fleet_stage import FleetCall, FleetStage
from tests.kit.four import FOUR, MOHIT, TINA
from tests.kit.streaming import asked, begin, finish, give
from tests.simulation.register import Trouble

WORDS = ("one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ")


@pytest.fixture
def fleet(stage: Stage) -> FleetStage:
    """Two nodes."""
    return FleetStage(stage)


def spends(wire: Wire, response: str, tokens: int) -> None:
    """A whole answer, which cost so many tokens."""
    begin(wire, response, asked(wire))
    give(wire, response, "Yes.")
    usage = {"output_token_details": {"audio_tokens": tokens}}
    wire.say(type="response.done", response={"id": response, "status": "completed", "usage": usage})


def test_a_question_that_was_taken_back_is_not_asked_again(fleet: FleetStage) -> None:
    """The caller interrupted before it was answered."""
    call = fleet.call()
    call.says(Typed("When?"))
    wire = fleet.a.wire()
    begin(wire, "answer", asked(wire))
    call.says(Interrupted())
    fleet.stage.advance(0.1)
    fleet.a.dies()
    told = moved(call, fleet)
    assert told.moved
    assert not told.moved.asked_again
    assert "response.create" not in fleet.b.wire().kinds
    fleet.end()


def test_an_answer_that_was_made_whole_goes_on_where_it_was_heard(fleet: FleetStage) -> None:
    """The model was done with it long before its caller had heard it."""
    call = fleet.call()
    call.says(Typed("Tell me."))
    wire = fleet.a.wire()
    begin(wire, "answer", asked(wire))
    for word in WORDS:
        give(wire, "answer", word)
    finish(wire, "answer")
    for _ in range(5):
        fleet.stage.advance(1.0)
        call.acknowledge()
    fleet.a.dies()
    told = moved(call, fleet)
    assert told.moved
    assert told.moved.asked_again
    role, heard = fleet.b.wire().texts()[-1]
    assert role == "assistant"
    assert heard.split()[0] == "one"
    assert "eight" not in heard
    fleet.end()


def test_who_the_caller_said_they_are_is_known(fleet: FleetStage) -> None:
    """The persona knows the name, and is not told it again."""
    call = fleet.call()
    call.says(Chose(TINA, "stream", resumable=True, profile=Profile(name="Meera")))
    fleet.stage.advance(6.0)
    fleet.a.dies()
    moved(call, fleet)
    assert "Meera" in str([event for event in fleet.b.wire().sent if event["type"] == "session.update"])
    fleet.end()


def test_what_the_call_has_spent_counts(stage: Stage) -> None:
    """Of its budget it has on the other node what was left."""
    fleet = FleetStage(stage, budgets=Budgets(budget_call_tokens=100))
    call = fleet.call()
    call.says(Typed("Is it true?"))
    spends(fleet.a.wire(), "first", 60)
    for _ in range(7):
        stage.advance(1.0)
        call.acknowledge()
    assert record_of(fleet).spent_tokens == 60
    fleet.a.dies()
    moved(call, fleet)
    call.says(Typed("And now?"))
    spends(fleet.b.wire(), "second", 60)
    for _ in range(12):
        stage.advance(1.0)
        call.acknowledge()
    assert call.line.fish_for(Close).code == 4402
    fleet.end()


def test_what_a_token_locked_in_holds(fleet: FleetStage) -> None:
    """Its persona, its mode, and its longest time."""
    call = FleetCall(fleet.a, identity=Identity("somebody", frozenset({TINA}), "stream", seconds=60.0))
    call.connects()
    fleet.stage.advance(6.0)
    fleet.a.dies()
    moved(call, fleet)
    for wish in (Chose(MOHIT), Chose(TINA, "clip")):
        call.says(wish)
        assert call.line.fish_for(Error).code == "not_allowed"
    fleet.stage.advance(45.0)
    assert call.line.fish_for(Close).code == 1000
    fleet.end()


def test_the_price_is_that_of_the_choice(fleet: FleetStage) -> None:
    """Also where the other node has the persona at another price: the seconds from before cost what was said then."""
    tina = FOUR.get(TINA)
    assert tina.behaviour.pricing
    dear = replace(tina.behaviour.pricing, per_minute=100 * tina.behaviour.pricing.per_minute)
    other = replace(tina, version="dear", behaviour=replace(tina.behaviour, pricing=dear))
    fleet.b.services.current.catalogue = replace(FOUR, personas={**FOUR.personas, TINA: other})
    call = fleet.call()
    fleet.stage.advance(6.0)
    fleet.a.dies()
    moved(call, fleet)
    fleet.end()
    before = call.line.fish_for(Summary).bill.stays[0]
    assert before.persona.behaviour.pricing == tina.behaviour.pricing
    assert before.seconds >= 10


def test_words_of_a_minor_are_not_kept(stage: Stage) -> None:
    """Nowhere: the record has what the call needs, and none of what was said."""
    fleet = FleetStage(stage, catalogue=SOME_FREE)
    call = FleetCall(fleet.a, identity=Identity("somebody", age=Age(0, 18)), persona=MOHIT)
    call.connects()
    call.says(Typed("A secret."))
    stage.advance(6.0)
    record = record_of(fleet)
    assert (record.words, record.turns, dict(record.profile)) == (False, (), {})
    assert not record.question or not record.question.text
    fleet.a.dies()
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed)
    assert told.moved
    assert told.moved.forgotten
    fleet.end()


def test_who_asked_somebody_who_is_not_there_is_told_to_ask_again(fleet: FleetStage) -> None:
    """The question was for the persona before."""
    fleet.b.services.current.catalogue = replace(
        FOUR, personas={id_: one for id_, one in FOUR.personas.items() if id_ != TINA}
    )
    call = fleet.call()
    call.says(Typed("When?"))
    fleet.stage.advance(0.5)
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.b.wire().welcome()
    fleet.stage.advance(0.5)
    assert [one.code for one in call.line.heard if isinstance(one, Notice)].count("say_again") == 1
    fleet.end()


def test_no_number_of_a_reply_comes_twice(fleet: FleetStage) -> None:
    """Not even where the node that died had another connection to the model after its last save."""
    call = fleet.call()
    before = record_of(fleet).generations
    fleet.a.wire().lose()
    fleet.stage.advance(0.5)
    fleet.a.wire().welcome()
    fleet.stage.advance(0.5)
    assert record_of(fleet).generations == before
    lost = fleet.a.wires.dialled.index(fleet.a.wire()) + 1
    fleet.a.dies()
    moved(call, fleet)
    fleet.stage.advance(1.0)
    assert record_of(fleet).generations > lost
    fleet.end()


@pytest.mark.parametrize("where", ["a", "b"])
def test_who_came_back_is_told_when_their_call_fails(fleet: FleetStage, where: str) -> None:
    """Over the connection that they have now, here or on another node."""
    call = fleet.call()
    call.goes()
    old = call.line
    assert isinstance(call.tries(fleet.a if where == "a" else fleet.b), Resumed)
    old.take()
    call.session.tell("a bomb")
    fleet.stage.advance(1.0)
    assert call.line.fish_for(Close).code == 4500
    assert not [one for one in old.take() if isinstance(one, Error)]
    fleet.end()


# What is saved, and when.


def test_a_call_that_a_new_one_replaced_has_not_moved(fleet: FleetStage) -> None:
    """It is counted as no move, and its bill is told where it ended."""
    call = fleet.call()
    FleetCall(fleet.b).connects()
    fleet.stage.advance(3.0)
    assert fleet.a.services.counters.calls_moved == Counter()
    assert call.line.fish_for(Close).code == 4409
    fleet.end()


def test_the_meter_stands_before_the_last_record_is_made(fleet: FleetStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record and bill have the same time, however long it takes to make them up."""
    told, receive = list[object](), PersonaActor.on_receive

    def on_receive(persona: PersonaActor, message: PersonaInbox) -> None:
        told.append(message)
        receive(persona, message)

    call = fleet.call()
    monkeypatch.setattr(PersonaActor, "on_receive", on_receive)
    call.says(HungUp())
    fleet.stage.advance(1.0)
    assert [one for one in told if isinstance(one, StopMeter | Recall | CloseBill)] == [
        StopMeter(),
        Recall(),
        CloseBill(),
    ]
    fleet.end()


def test_sound_is_no_reason_to_save(fleet: FleetStage) -> None:
    """A frame asks nobody: what is saved is saved every five seconds, or when something is asked or answered."""
    call = fleet.call()
    fleet.stage.advance(5.0)
    asked_of = fleet.a.register.presence.asked
    before = asked_of["save"]
    for _ in range(200):
        call.says(Spoke(bytes(960)))
        fleet.stage.advance(0.02)
    assert asked_of["save"] - before <= 1
    fleet.end()


def test_while_a_caller_is_away_nothing_is_saved(fleet: FleetStage) -> None:
    """Nothing happens that another node would need to know."""
    call = fleet.call()
    call.goes()
    fleet.stage.advance(6.0)
    before = fleet.a.register.presence.asked["save"]
    fleet.stage.advance(20.0)
    assert fleet.a.register.presence.asked["save"] == before
    fleet.end()


def test_a_registrar_that_crashed_keeps_no_call_from_ending(stage: Stage) -> None:
    """It had the last record, and will not answer: two seconds are waited for it."""
    fleet = fleet_of(stage)
    call = fleet.call()
    fleet.a.register.line.trouble = Trouble(away=1.0)  # type: ignore[attr-defined]
    registrar = next(ref for ref in fleet.a.actors() if ref.actor_class is RegistrarActor)
    call.says(HungUp())
    stage.advance(0.1)
    registrar.tell("a bomb")
    stage.advance(5.0)
    assert not fleet.a.has()
    assert not call.session.is_alive()
    fleet.a.register.line.trouble = Trouble()  # type: ignore[attr-defined]
    stage.advance(5.0)
    fleet.end()


# A register that is away.


def test_who_comes_while_the_register_is_away_waits_for_it(stage: Stage) -> None:
    """For a second and a half; then they are where they were."""
    fleet = fleet_of(stage)
    call = fleet.call()
    stage.advance(6.0)
    fleet.a.dies()
    goes(fleet)
    line, verdict = FragileLine("caller, back"), Probe("verdict")
    assert call.offer
    fleet.b.supervisor.tell(Resume(call.user, 9, line, verdict, call.offer.token, call.attach, call.line.received))
    stage.advance(1.0)
    verdict.expect_nothing()
    comes(fleet)
    stage.advance(1.0)
    line.fish_for(Resumed)
    fleet.end()


def test_nobody_is_moved_while_the_register_is_away(stage: Stage) -> None:
    """There is nowhere to move to: a drain lets the call end as on a server that is alone."""
    fleet = fleet_of(stage)
    call = fleet.call()
    goes(fleet)
    call.line.take()
    fleet.a.supervisor.tell(Drain(60.0))
    stage.advance(5.0)
    assert not [one for one in call.line.take() if isinstance(one, Close)]
    assert fleet.a.has()
    stage.advance(70.0)
    assert call.line.fish_for(Close).code == 1001
    fleet.a.dead = True
    comes(fleet)
    fleet.end()
