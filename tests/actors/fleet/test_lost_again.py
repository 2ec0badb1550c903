"""A call that moved is lost again soon: whether its caller may come back is known from all of the call."""

from actors.call.resume.absence import WORTH_SECONDS
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
