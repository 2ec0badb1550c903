"""A call moves, and what its caller said last was not written down."""

import pytest

from actors.messages.admission import Drain
from actors.messages.caller import Notice, Recorded, Spoke, Typed
from actors.messages.resuming import Resumed
from actors.testing.stage import Stage
from realtime.contract import GO_ON
from tests.kit.fleet_stage import FleetCall, FleetStage, Node
from tests.kit.four import FOUR, TINA, first_words
from tests.kit.streaming import LOUD_FRAME, asked, begin, finish, give, turn


def ends(fleet: FleetStage, drains: bool) -> None:
    """The first node goes."""
    if drains:
        fleet.a.supervisor.tell(Drain(60.0))
        fleet.stage.advance(3.0)
        fleet.stage.expect_terminated(fleet.a.supervisor)
        fleet.a.dead = True
    else:
        fleet.a.dies()


def told(call: FleetCall, node: Node) -> list[str]:
    """The notices that come with the move."""
    assert isinstance(call.tries(node), Resumed)
    node.wire().welcome()
    node.stage.advance(1.0)
    return [one.code for one in call.line.take() if isinstance(one, Notice)]


@pytest.mark.parametrize("drains", [False, True])
def test_who_waits_for_an_answer_is_told_to_say_it_again(stage: Stage, drains: bool) -> None:
    """Nobody knows what it was: their clip was handled, and is not sent once more."""
    fleet = FleetStage(stage)
    call = fleet.call("clip")
    call.says(Recorded(bytes(48_000)))
    stage.advance(0.3)
    ends(fleet, drains)
    assert told(call, fleet.b) == ["say_again", "resumed"]
    fleet.end()


@pytest.mark.parametrize("dies", [False, True])
def test_who_speaks_is_told_to_say_it_again(stage: Stage, dies: bool) -> None:
    """The first node has what they have said of it, and the second one hears but the rest."""
    fleet = FleetStage(stage)
    call = fleet.call()
    fleet.a.wire().say(type="input_audio_buffer.speech_started", item_id="spoken", audio_start_ms=0)
    for _ in range(250):
        call.says(Spoke(LOUD_FRAME))
        stage.advance(0.02)
    stage.advance(0.5)
    if dies:
        fleet.a.dies()
    assert told(call, fleet.b) == ["say_again", "resumed"]
    fleet.end()


def test_who_hears_the_answer_hears_the_rest_of_it(stage: Stage) -> None:
    """And not that of a greeting, as if nobody had asked."""
    fleet = FleetStage(stage)
    call = fleet.call()
    wire = fleet.a.wire()
    turn(wire, "spoken", 0)
    begin(wire, "answer")
    give(wire, "answer", "Saturn is strong in your house. ", 4.0)
    give(wire, "answer", "So wait until May.", 4.0)
    finish(wire, "answer")
    for _ in range(6):
        stage.advance(1.0)
        call.acknowledge()
    ends(fleet, drains=False)
    assert told(call, fleet.b) == ["resumed"]
    assert GO_ON in fleet.b.wire().last("response.create")["response"]["instructions"]
    assert fleet.b.wire().texts()[-1][1].startswith("Saturn is strong in your house. So")
    fleet.end()


def test_what_was_typed_before_the_greeting_is_asked_after_it(stage: Stage) -> None:
    """The greeting plays, and the answer is being made, as the node dies."""
    fleet = FleetStage(stage)
    call = FleetCall(fleet.a)
    call.connects(greeted=False)
    wire = fleet.a.wire()
    said = asked(wire)
    call.says(Typed("When shall I marry?"))
    stage.advance(0.1)
    begin(wire, "greeting", said)
    give(wire, "greeting", first_words(FOUR.get(TINA)), 20.0)
    finish(wire, "greeting")
    stage.advance(11.0)
    call.acknowledge()
    ends(fleet, drains=False)
    resumed = call.tries(fleet.b)
    assert isinstance(resumed, Resumed)
    assert resumed.moved
    assert resumed.moved.asked_again
    wire = fleet.b.wire()
    wire.welcome()
    stage.advance(0.5)
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", "the rest of it")
    finish(wire, "greeting")
    stage.advance(1.0)
    assert wire.kinds.count("response.create") == 2
    assert wire.texts()[-1] == ("user", "When shall I marry?")
    fleet.end()
