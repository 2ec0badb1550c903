"""What goes on with a call at another node: limits, mode, bill, persona; and what is forgotten."""

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from actors.fleet.registrar import RegistrarActor
from actors.messages.caller import Chose, Close, ConfigAck, Error, Summary, Typed
from actors.messages.resuming import NotResumed, Resumed
from actors.testing.stage import Stage
from personas import SHIPPED, Catalogue
from register.record import VERSION, Record, decode
from tests.actors.fleet.test_moving import answers, moved
from tests.actors.fleet.test_register_away import comes, fleet_of, goes
from tests.kit.fleet_stage import USER, FleetCall, FleetStage, Node
from tests.kit.four import FOUR, MOHIT, TINA


def record_of(fleet: FleetStage) -> Record:
    """As it was saved last."""
    kept = fleet.memory.records.get(USER)
    assert kept
    return decode(kept)


def test_nothing_is_said_of_words_that_are_not_kept(stage: Stage) -> None:
    """The record has none, and the caller is told that the persona does not know them."""
    fleet = FleetStage(stage, register_words=False)
    call = fleet.call()
    call.says(Typed("A secret."))
    stage.advance(1.0)
    kept = fleet.memory.records.get(USER)
    assert kept
    assert b"secret" not in kept
    assert b"Namaste" not in kept
    fleet.a.dies()
    told = moved(call, fleet)
    assert told.moved
    assert told.moved.forgotten
    assert not told.moved.asked_again
    assert fleet.b.wire().texts() == []
    fleet.end()


def test_what_a_newer_node_added_is_saved_again(stage: Stage) -> None:
    """By a node that does not know it, with each of its own saves."""
    fleet = FleetStage(stage)
    call = fleet.call()
    stage.advance(1.0)
    fleet.a.dies()
    value = json.loads(cast(bytes, fleet.memory.records.get(USER)))
    newer = {"version": VERSION + 1, "first": "c", "turns": [{**turn, "letters": 8} for turn in value["turns"]]}
    fleet.memory.records.put(USER, json.dumps({**value, **newer}).encode(), 60.0)
    moved(call, fleet)
    answers(call, "And now?", "It still is.")
    stage.advance(6.0)
    record = record_of(fleet)
    assert record.other == {"first": "c"}
    assert [one.other for one in record.turns] == [{"letters": 8}, {}, {}]
    fleet.end()


def test_a_call_whose_record_cannot_be_read_stays_where_it_is(stage: Stage) -> None:
    """Two versions apart: its caller is told so, its server is asked for nothing, and they may go on there."""
    fleet = FleetStage(stage)
    call = fleet.call()
    stage.advance(1.0)
    value = json.loads(cast(bytes, fleet.memory.records.get(USER)))
    fleet.memory.records.put(USER, json.dumps({**value, "version": VERSION + 2}).encode(), 60.0)
    told = call.tries(fleet.b)
    assert isinstance(told, NotResumed)
    assert told.code == "unknown"
    assert fleet.b.register.presence.asked["ask"] == 0
    assert fleet.a.has()
    call.line.expect_nothing()
    answers(call, "And now?", "It is.")
    call.goes()
    assert isinstance(call.tries(fleet.a), Resumed)
    fleet.end()


def test_a_call_that_was_never_saved_is_asked_for(stage: Stage) -> None:
    """The register knows of it, and has no record: its server is asked, which saves it and lets it go."""
    fleet = FleetStage(stage)
    call = fleet.call()
    fleet.memory.records.drop(USER)
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.end()


def test_a_call_lasts_no_longer_for_having_moved(stage: Stage) -> None:
    """Its longest time counts from its beginning."""
    fleet = FleetStage(stage, call_seconds=60.0)
    call = fleet.call()
    stage.advance(25.0)
    fleet.a.dies()
    moved(call, fleet)
    began = stage.now
    while not any(isinstance(one, Close) for one in call.line.heard):
        stage.advance(1.0)
        assert stage.now < began + 60
    assert call.line.heard[-1].code == 1000
    assert stage.now - began < 30.0
    fleet.end()


def test_switches_count_from_before(stage: Stage) -> None:
    """A caller who has switched as often as they may does not begin anew elsewhere."""
    fleet = FleetStage(stage, switches=2)
    call = fleet.call()
    for wanted in (MOHIT, TINA):
        call.says(Chose(wanted))
        fleet.a.wire().welcome()
        stage.advance(1.0)
    stage.advance(1.0)
    assert len(record_of(fleet).switches) == 2
    fleet.a.dies()
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed)
    call.says(Chose(MOHIT))
    assert call.line.fish_for(Error).code == "switch_too_often"
    fleet.end()


def test_a_persona_who_is_not_there_is_replaced_by_one_like_them(stage: Stage) -> None:
    """They say who they are, and greet; the bill keeps the one before."""
    fleet = FleetStage(stage)
    data = json.loads(SHIPPED.read_bytes())
    rows = [row for row in data["astrologers"] if row["astrologer_id"] != TINA]
    fleet.b.services.current.catalogue = Catalogue.from_data({**data, "astrologers": rows})
    call = fleet.call()
    stage.advance(6.0)
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.b.wire().welcome()
    stage.advance(0.5)
    ack = call.line.fish_for(ConfigAck)
    assert ack.astrologer_id != TINA
    assert "response.create" in fleet.b.wire().kinds
    fleet.end()
    stays = call.line.fish_for(Summary).bill.stays
    assert stays[0].persona.id == TINA
    assert stays[0].seconds >= 10


def test_an_edited_persona_says_so_and_does_not_greet(stage: Stage) -> None:
    """A config_ack comes, as who is on the line is not quite who was."""
    fleet = FleetStage(stage)
    tina = replace(FOUR.get(TINA), version="another")
    fleet.b.services.current.catalogue = replace(FOUR, personas={**FOUR.personas, TINA: tina})
    call = fleet.call()
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.b.wire().welcome()
    stage.advance(0.5)
    assert call.line.fish_for(ConfigAck).astrologer_id == TINA
    assert "response.create" not in fleet.b.wire().kinds
    fleet.end()


def test_a_greeting_that_was_cut_goes_on(stage: Stage) -> None:
    """It is owed until it is heard, also elsewhere."""
    fleet = FleetStage(stage)
    call = FleetCall(fleet.a)
    call.connects(greeted=False)
    stage.advance(1.0)
    fleet.a.dies()
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed)
    fleet.b.wire().welcome()
    stage.advance(0.5)
    assert FOUR.get(TINA).greeting.split()[-1] in str(fleet.b.wire().last("response.create"))
    fleet.end()


def test_a_registrar_that_crashed_is_replaced(stage: Stage) -> None:
    """The calls that there are go on, and are saved by the next one."""
    fleet = FleetStage(stage)
    call = fleet.call()
    registrar = next(ref for ref in fleet.a.actors() if ref.actor_class is RegistrarActor)
    registrar.tell("a bomb")
    stage.settle()
    assert not registrar.is_alive()
    answers(call, "Still there?", "I am. ")
    stage.advance(5.0)
    assert [one.text for one in record_of(fleet).turns][-2:] == ["Still there?", "I am."]
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.end()


def test_a_full_server_takes_nobody(stage: Stage) -> None:
    """The call stays where it is, or in the register."""
    fleet = FleetStage(stage, sessions=1)
    call = fleet.call()
    other = FleetCall(fleet.b, "other")
    other.connects()
    told = call.tries(fleet.b)
    assert isinstance(told, NotResumed)
    assert told.code == "unavailable"
    assert fleet.a.has()
    fleet.end()


def test_the_same_attempt_is_answered_again(stage: Stage) -> None:
    """`resumed` was lost: the second says the same of what was lost, or the client would send its sound twice."""
    fleet = FleetStage(stage)
    call = fleet.call()
    fleet.a.dies()
    before = replace(call)
    first, again = call.tries(fleet.b), before.tries(fleet.b)
    assert isinstance(first, Resumed)
    assert isinstance(again, Resumed)
    assert again.moved == first.moved
    assert (first.attach, again.attach) == (1, 2)
    assert again.received == first.received
    fleet.end()


def test_a_node_that_woke_ends_what_is_elsewhere(stage: Stage) -> None:
    """It asks the register once; the other calls go on."""
    fleet = FleetStage(stage)
    call = fleet.call()
    fleet.call(user="stays")
    waking = _registrar(fleet.a)._waking
    fleet.a.stops()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.a.goes_on()
    waking.slept(5.0)
    assert fleet.a.services.gate.is_shut
    stage.advance(1.0)
    assert fleet.a.register.presence.asked["epochs"] == 1
    assert (fleet.a.has(), fleet.a.has("stays")) == (False, True)
    fleet.end()


@pytest.mark.parametrize("back", [0.5, 9.0])
def test_a_node_that_woke_saves_nothing_before_it_knows(stage: Stage, back: float) -> None:
    """Nor is anything written; it waits two seconds for a register that is away, and no longer."""
    fleet = fleet_of(stage)
    call = fleet.call()
    goes(fleet)
    _registrar(fleet.a)._waking.slept(5.0)
    presence = fleet.a.register.presence
    saves = presence.asked["save"]
    call.says(Typed("Hello?"))
    stage.advance(min(back, 1.9))
    assert is_shut(fleet.a)
    assert presence.asked["save"] == saves
    if back < 1.9:
        comes(fleet)  # it is asked again at once, and not given up first
    stage.advance(0.5 if back < 1.9 else 1.0)
    assert not is_shut(fleet.a)
    assert presence.asked["save"] > saves
    if back > 1.9:
        comes(fleet)
    fleet.end()


def is_shut(node: Node) -> bool:
    """True if nothing is written to callers."""
    return node.services.gate.is_shut


def _registrar(node: Node) -> RegistrarActor:
    node.stage.settle()
    ref = next(ref for ref in node.actors() if ref.actor_class is RegistrarActor)
    return cast(RegistrarActor, cast(Any, ref.actor_inbox.turn).__self__)
