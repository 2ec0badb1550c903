"""A call that moved is lost again soon: whether its caller may come back is known from all of the call."""

import pytest

from actors.call.resume.absence import WORTH_SECONDS
from actors.messages.caller import Typed
from actors.messages.resuming import NotResumed, Resumed
from actors.testing.stage import Stage
from tests.actors.fleet.test_moving import answers, moved
from tests.kit.fleet_stage import FleetCall, FleetStage, greet


def greeted(fleet: FleetStage) -> FleetCall:
    """A call that is three seconds old: its caller has heard the greeting."""
    call = FleetCall(fleet.a)
    call.connects(greeted=False)
    greet(fleet.a.wire())
    fleet.stage.advance(2.0)
    call.acknowledge()
    call.line.take()
    return call


def lost_again(call: FleetCall, fleet: FleetStage) -> Resumed | NotResumed:
    """Its server has died, and two seconds after it moved the connection is lost; what the caller is told then."""
    fleet.a.dies()
    moved(call, fleet)
    fleet.stage.advance(2.0)
    call.goes()
    fleet.stage.advance(0.5)
    return call.tries(fleet.b)


def test_a_call_that_was_answered_elsewhere_is_kept(stage: Stage) -> None:
    """It had its answer on the server before, and is not ten seconds old."""
    fleet = FleetStage(stage)
    began = stage.now
    call = greeted(fleet)
    answers(call, "Is it true?", "It is.")
    told = lost_again(call, fleet)
    assert stage.now - began < WORTH_SECONDS
    assert isinstance(told, Resumed)
    assert told.moved is None
    assert fleet.b.services.counters.resumed == 1
    answers(call, "And now?", "It still is.")
    fleet.end()


def test_it_is_kept_by_each_server_that_it_moves_to(stage: Stage) -> None:
    """Also where no words are kept: the number of answers is none."""
    fleet = FleetStage(stage, register_words=False)
    began = stage.now
    call = greeted(fleet)
    answers(call, "Is it true?", "It is.")
    assert isinstance(call.tries(fleet.b, within=0.5), Resumed)
    fleet.b.wire().welcome()
    stage.advance(0.1)
    assert isinstance(call.tries(fleet.a, within=0.5), Resumed)
    fleet.a.wire().welcome()
    stage.advance(0.1)
    call.goes()
    assert stage.now - began < WORTH_SECONDS
    assert isinstance(call.tries(fleet.a), Resumed)
    fleet.end()


def test_a_call_without_an_answer_is_not_kept(stage: Stage) -> None:
    """It had its greeting alone, wherever that was."""
    fleet = FleetStage(stage)
    began = stage.now
    call = greeted(fleet)
    told = lost_again(call, fleet)
    assert stage.now - began < WORTH_SECONDS
    assert isinstance(told, NotResumed)
    assert not fleet.b.has()
    fleet.end()


@pytest.mark.parametrize("back", [0, 1])
def test_who_was_never_told_that_it_moved_sends_nothing_twice(stage: Stage, back: int) -> None:
    """Their `resumed` is lost, so often as they come `back` to the second server as well, which dies too."""
    fleet = FleetStage(stage)
    call = fleet.call()
    call.says(Typed("Is it true?"))
    stage.advance(1.0)
    fleet.a.dies()
    told, received = [], call.line.received
    for node in (*[fleet.b] * (1 + back), fleet.node("c")):
        call.attach, call.line.received = 0, received  # as they know it
        resumed = call.tries(node)
        assert isinstance(resumed, Resumed)
        told.append(resumed.received)
        if node is fleet.b:
            node.wire().welcome()
            stage.advance(0.5)
            if len(told) == 1 + back:
                node.dies()
    assert told[0] > 1
    assert set(told) == {told[0]}
    fleet.end()
