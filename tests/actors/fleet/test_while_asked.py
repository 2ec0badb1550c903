"""What happens while the register is asked for a call: callers come back again, call anew, or are too many."""

from dataclasses import dataclass

from actors.fleet.registrar import RegistrarActor
from actors.messages.admission import Admitted, Connected, Resume
from actors.messages.caller import Close
from actors.messages.identity import Identity
from actors.messages.moving import YieldCall
from actors.messages.resuming import NotResumed, Resumed
from actors.testing.fragile import FragileLine
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from supervisor import SupervisorSnapshot
from tests.actors.fleet.test_register_away import comes, fleet_of, goes
from tests.kit.fleet_stage import USER, FleetCall, FleetStage, Node
from tests.kit.insides import shown
from tests.kit.slow_register import SlowRegisters

SAVED = 6.0  # seconds, in which a call is saved
YIELDED = 0.4  # in which a holder that is dead has not yielded it
LATE = 1.0


@dataclass
class Attempt:
    """Somebody who asks for a call, and is not told yet."""

    line: FragileLine
    verdict: Probe

    @property
    def told(self) -> list[type]:
        """What, in its order."""
        return [type(one) for one in self.verdict.take()]

    @property
    def closed(self) -> list[int]:
        """The codes with which their connection was closed."""
        return [one.code for one in self.line.take() if isinstance(one, Close)]


def attempt(call: FleetCall, node: Node) -> Attempt:
    """The caller asks this node for the call."""
    call.connection += 1
    made = Attempt(FragileLine(f"attempt {call.connection}"), Probe("verdict"))
    assert call.offer
    where = (call.offer.token, call.attach, call.line.received)
    node.supervisor.tell(Resume(call.user, call.connection, made.line, made.verdict, *where))
    node.stage.settle()
    return made


def lost(stage: Stage, *users: str, **limits: int) -> tuple[FleetStage, SlowRegisters, list[FleetCall]]:
    """Calls of these users whose node is dead."""
    slow = SlowRegisters()
    fleet = FleetStage(stage, slow, **limits)
    calls = [fleet.call(user=user) for user in users or (USER,)]
    stage.advance(SAVED)
    fleet.a.dies()
    return fleet, slow, calls


def test_the_newest_of_two_attempts_gets_the_call(stage: Stage) -> None:
    """The first was given up: whichever the register answers first, who is there is not closed for who is not."""
    fleet, slow, (call,) = lost(stage)
    slow.waits["take"] = [(LATE, 0.0), (0.0, 0.0)]
    first = attempt(call, fleet.b)
    stage.advance(0.5)
    again = attempt(call, fleet.b)
    stage.advance(3 * LATE)
    assert (first.told, first.closed) == ([NotResumed], [4410])
    assert (again.told, again.closed) == ([Admitted], [])
    assert len(shown(fleet.b.supervisor, SupervisorSnapshot).calls) == 1
    fleet.end()


def test_who_asks_late_waits_as_long_as_others(stage: Stage) -> None:
    """The register is away until the first attempt is given up; the second one is not."""
    fleet = fleet_of(stage)
    call = fleet.call()
    stage.advance(SAVED)
    fleet.a.dies()
    goes(fleet)
    first = attempt(call, fleet.b)
    stage.advance(3.0)
    again = attempt(call, fleet.b)
    stage.advance(1.5)
    assert (first.told, again.told) == ([NotResumed], [])
    comes(fleet)
    stage.advance(LATE)
    assert again.told == [Admitted]
    fleet.end()


def test_who_waits_is_answered_though_the_registrar_crashes(stage: Stage) -> None:
    """The next one is told whom to take."""
    fleet, slow, (call,) = lost(stage)
    slow.waits["take"] = [(0.0, LATE)]
    asks = attempt(call, fleet.b)
    stage.advance(0.5)
    next(ref for ref in fleet.b.actors() if ref.actor_class is RegistrarActor).tell("a bomb")
    stage.advance(LATE)
    assert asks.told == [Admitted]
    asks.line.fish_for(Resumed)
    fleet.end()


def test_no_more_calls_are_taken_than_there_is_room_for(stage: Stage) -> None:
    """All of them ask before the first is here."""
    fleet, slow, calls = lost(stage, "one", "two", "three", sessions=3)
    FleetCall(fleet.b, "other").connects()
    slow.waits["take"] = [(LATE, 0.0)] * 3
    asking = [attempt(call, fleet.b) for call in calls]
    stage.advance(3 * LATE)
    assert [one.told for one in asking] == [[Admitted], [Admitted], [NotResumed]]
    fleet.end()


def test_who_calls_anew_meanwhile_is_not_closed_for_the_call_before(stage: Stage) -> None:
    """From another device, perhaps: the newest of a user's calls counts, whenever the other one comes."""
    fleet, slow, (call,) = lost(stage)
    slow.waits["take"] = [(0.0, LATE)]
    asks = attempt(call, fleet.b)
    stage.advance(YIELDED)
    line = FragileLine("anew")
    fleet.b.supervisor.tell(Connected(Identity(USER), 99, line, "stream"))
    stage.advance(3 * LATE)
    assert [type(one) for one in line.take()] == [Admitted]
    assert (asks.told, asks.closed) == ([NotResumed], [4409])
    assert fleet.b.has()
    fleet.end()


def test_who_comes_back_as_the_call_moves_is_not_told_that_it_ended(stage: Stage) -> None:
    """It is asked for where it goes on."""
    fleet = FleetStage(stage)
    call = fleet.call()
    stage.advance(SAVED)
    call.goes()
    call.session.tell(YieldCall())
    asks = attempt(call, fleet.a)
    stage.advance(LATE)
    assert asks.told == [Admitted]
    asks.line.fish_for(Resumed)
    fleet.end()
