"""A call that moved, and its caller says something before it is known whether there is a place with the persona."""

import asyncio
from typing import Any

import pytest

from actors.messages.admission import Drain
from actors.messages.caller import Chose, ConfigAck, Error, Interrupted, Notice, Typed
from actors.messages.resuming import Resumed
from actors.testing.stage import Stage
from register import Memory, MemoryRegister, Register
from tests.actors.test_places import limited
from tests.kit.fleet_stage import FleetCall, FleetStage
from tests.kit.four import FOUR, MOHIT, TINA
from tests.kit.streaming import asked, begin, finish, give

SLOW = 2.0


def slow_places(name: str, memory: Memory) -> Register:
    """A register that takes its time over places of node b; `places` says yes or no."""
    register: Any = MemoryRegister(name, memory)
    register.places = True

    async def occupy(*_: object) -> bool:
        if name == "b":
            await asyncio.sleep(SLOW)
        return bool(register.places)

    register.limits.occupy = occupy
    return register  # type: ignore[no-any-return]


def asked_and_lost(stage: Stage) -> tuple[FleetStage, FleetCall]:
    """A question waits for its answer when the node dies."""
    fleet = FleetStage(stage, slow_places, catalogue=limited(**{TINA: 5}))
    call = fleet.call()
    call.says(Typed("When?"))
    stage.advance(0.5)
    call.line.take()
    fleet.a.dies()
    return fleet, call


def comes_back(fleet: FleetStage, call: FleetCall) -> None:
    """Nobody is called yet."""
    assert isinstance(call.tries(fleet.b, within=SLOW / 2), Resumed)
    assert fleet.b.wires.dialled == []


def test_what_is_said_then_comes_behind_what_was_asked_before(stage: Stage) -> None:
    """The model knows both in the order of the caller."""
    fleet, call = asked_and_lost(stage)
    comes_back(fleet, call)
    call.says(Typed("And where?"))
    stage.advance(SLOW)
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(0.1)
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "Soon, and here.")
    finish(wire, "answer")
    stage.advance(2.0)
    assert [text for role, text in wire.texts() if role == "user"] == ["When?", "And where?"]
    fleet.end()


def test_who_wants_no_answer_then_gets_none(stage: Stage) -> None:
    """The question of before is taken back."""
    fleet, call = asked_and_lost(stage)
    comes_back(fleet, call)
    call.says(Interrupted())
    stage.advance(SLOW)
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(1.0)
    assert "response.create" not in wire.kinds
    fleet.end()


def test_without_a_place_it_is_said_once_that_the_question_is_lost(stage: Stage) -> None:
    """Somebody who is like the persona is called, who does not answer it."""
    fleet, call = asked_and_lost(stage)
    fleet.b.register.places = False  # type: ignore[attr-defined]
    comes_back(fleet, call)
    stage.advance(2 * SLOW)
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(0.1)
    told = call.line.take()
    assert [one.code for one in told if isinstance(one, Notice)] == ["say_again"]
    assert [one.code for one in told if isinstance(one, Error)] == ["busy"]
    assert [one.astrologer_id for one in told if isinstance(one, ConfigAck)] not in ([], [TINA])
    assert ("user", "When?") not in wire.texts()
    fleet.end()


def test_who_chooses_then_has_chosen(stage: Stage) -> None:
    """Nobody who is like the persona takes the place of whom the caller wants now."""
    fleet, call = asked_and_lost(stage)
    fleet.b.register.places = False  # type: ignore[attr-defined]
    comes_back(fleet, call)
    call.says(Chose(MOHIT))
    stage.advance(2 * SLOW)
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(0.1)
    assert [one.astrologer_id for one in call.line.take() if isinstance(one, ConfigAck)] == [MOHIT]
    fleet.end()


def test_who_chooses_the_same_then_is_told_who_is_on_the_line(stage: Stage) -> None:
    """They need not be told, as they talked to them before; but each `config` has its `config_ack`."""
    fleet, call = asked_and_lost(stage)
    comes_back(fleet, call)
    call.says(Chose(TINA))
    stage.advance(SLOW)
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(0.1)
    assert [one.astrologer_id for one in call.line.take() if isinstance(one, ConfigAck)] == [TINA]
    fleet.end()


@pytest.mark.parametrize("away", [False, True])
def test_a_call_moves_once_its_caller_has_who_they_chose(stage: Stage, away: bool) -> None:
    """Or they would have whoever was on the line before, elsewhere, and not be told."""
    fleet = FleetStage(stage, slow_places, catalogue=limited(**{MOHIT: 5}))
    call = FleetCall(fleet.b)
    call.connects()
    call.says(Chose(MOHIT))
    call.says(Typed("And you?"))
    if away:
        call.goes()
    fleet.b.supervisor.tell(Drain(60.0))
    stage.advance(SLOW / 2)
    assert fleet.b.has()
    stage.advance(12.0)
    stage.expect_terminated(fleet.b.supervisor)
    fleet.b.dead = True
    assert isinstance(call.tries(fleet.a), Resumed)
    wire = fleet.a.wire()
    wire.welcome()
    stage.advance(0.1)
    assert wire.last("session.update")["session"]["audio"]["output"]["voice"] == FOUR.get(MOHIT).voice
    fleet.end()
