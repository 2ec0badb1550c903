"""Calls of one user over all servers of a fleet, with real supervisors and a register between them."""

import logging
from typing import cast

import pytest

from actors.budgets.limits import Budgets
from actors.messages.admission import Admitted, Connected, Drain
from actors.messages.caller import Close, Error, Spoke
from actors.messages.identity import Identity
from actors.services import Limits, Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.stage import Stage
from actors.testing.wire import Wires
from audio import Pool
from personas import CurrentCatalogue
from register import BOUNDS
from supervisor import SupervisorActor
from tests.kit.fleet import fleet
from tests.kit.four import FOUR, TINA
from tests.simulation.register import CALM, Trouble

AWAY = Trouble(away=1.0, longest=2.0)
FEW = Limits(calls=3, takeovers=100)


def test_a_user_begins_so_many_calls_over_all_servers(stage: Stage) -> None:
    """More are refused with the limit and the time to wait, and do not count; other users are let in."""
    with fleet(stage, FOUR, limits=FEW) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        let_in = [a.connects("one"), b.connects("one"), a.connects("one")]
        stage.advance(0.1)
        refused = [b.connects("one") for _ in range(5)]
        other = b.connects("two")
        stage.advance(0.1)
        assert all(caller.session for caller in [*let_in, other])
        assert not any(caller.session for caller in refused)
        error = next(one for one in refused[0].heard if isinstance(one, Error))
        assert (error.code, error.limit, error.retry_after) == ("busy", "calls", 10)
        assert refused[0].closed == Close(4429, "you called too often: wait ten seconds, then call once")
        assert b.services.counters.fleet_refused == {"calls": 2}  # of the others this server knew it by itself
        assert b.services.counters.refused == {4429: 5}
        stage.advance(10)
        again = b.connects("one")
        stage.advance(0.1)
        assert again.session


def test_what_the_fleet_refuses_takes_nothing_here(stage: Stage) -> None:
    """Neither of the calls of the address nor of the user's own."""
    with fleet(stage, FOUR, limits=FEW) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        for _ in range(3):
            a.connects("one")
        stage.advance(0.1)
        for _ in range(20):
            assert not b.connects("one").session
            stage.advance(0.1)
        assert b.services.counters.fleet_refused == {"calls": 20}


def test_nobody_waits_for_the_question_of_another(stage: Stage) -> None:
    """The register does not answer for 300 ms: meanwhile the supervisor answers others, then the caller is let in."""
    with fleet(stage, FOUR, limits=FEW) as nodes:
        a = nodes.node("a")
        stage.advance(1)
        a.register.line.trouble = AWAY
        slow = a.connects("one")
        stage.advance(BOUNDS.answer / 2)
        assert not slow.heard
        a.register.line.trouble = CALM
        quick = a.connects("two")
        stage.advance(0.01)
        assert quick.session
        assert not slow.heard
        stage.advance(BOUNDS.answer / 2)
        assert slow.session
        stage.advance(3)


def test_without_the_register_each_server_counts_its_own(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """It goes away once, which is logged with what holds meanwhile; nobody is refused for it."""
    with caplog.at_level(logging.WARNING), fleet(stage, FOUR, limits=FEW) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        for node in (a, b):
            node.register.line.trouble = AWAY
        callers = [node.connects("one") for _ in range(4) for node in (a, b)]
        stage.advance(1)
        assert [sum(1 for one in node.callers if one.session) for node in (a, b)] == [3, 3]
        assert sum(1 for one in callers if one.closed and one.closed.code == 4429) == 2
        assert a.services.counters.fleet_refused == {}
        assert a.register.presence.unanswered["begins"] == 3
        for node in (a, b):
            node.register.line.trouble = CALM
        stage.advance(3)
        said = [record.getMessage() for record in caplog.records if record.name == "fleet"]
        assert len(said) == 2  # one of each server
        assert said[0].startswith("while the register is away: calls of a user, places of personas, budgets")


def test_calls_of_one_user_are_let_in_in_their_order(stage: Stage) -> None:
    """However late the register answers for the first of them: the last one has the call."""
    with fleet(stage, FOUR, trouble=Trouble(late=0.9, longest=0.3), seed=3) as nodes:
        a = nodes.node("a")
        callers = [a.connects("one") for _ in range(4)]
        stage.advance(2)
        assert all(caller.session for caller in callers)
        assert [caller.closed.code if caller.closed else 0 for caller in callers] == [4409, 4409, 4409, 0]
        nodes.nodes[0].register.line.trouble = CALM
        stage.advance(1)


def test_who_is_asked_about_counts_as_a_call_that_is_replaced(stage: Stage) -> None:
    """A user who calls from many places at once replaces their own call as seldom as before."""
    with fleet(stage, FOUR, limits=Limits(takeovers=1)) as nodes:
        callers = [nodes.node("a").connects("one")]
        callers += [nodes.nodes[0].connects("one") for _ in range(3)]
        stage.advance(0.1)
        assert [bool(caller.session) for caller in callers] == [True, True, False, False]
        assert [caller.closed.code if caller.closed else 0 for caller in callers] == [4409, 0, 4429, 4429]


def test_a_server_that_drains_tells_those_of_whom_the_fleet_is_asked(stage: Stage) -> None:
    """And ends when it has told them."""
    with fleet(stage, FOUR) as nodes:
        a = nodes.node("a")
        stage.advance(1)
        a.register.line.trouble = AWAY
        caller = a.connects("one")
        stage.settle()
        a.supervisor.tell(Drain(60.0))
        stage.settle()
        assert a.supervisor.is_alive()
        stage.advance(BOUNDS.answer + 0.01)
        assert caller.closed == Close(1001, "the server is restarting: call again in a moment")
        stage.expect_terminated(a.supervisor)
        a.register.line.trouble = CALM
        stage.advance(3)


def test_the_last_free_line_is_given_once(stage: Stage) -> None:
    """Those of whom the fleet is asked count as calls."""
    with fleet(stage, FOUR, limits=Limits(sessions=1)) as nodes:
        a = nodes.node("a")
        callers = [a.connects(user) for user in ("one", "two", "three")]
        stage.advance(0.1)
        assert [bool(caller.session) for caller in callers] == [True, False, False]


def test_what_was_spent_elsewhere_is_known_before_a_call_begins(stage: Stage) -> None:
    """The day of this user was spent on another server, moments ago."""
    with fleet(stage, FOUR, budgets=Budgets(budget_user_tokens=100)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        a.services.spending.call("one").book(100, 0)
        stage.advance(1.1)
        caller, other = b.connects("one"), b.connects("two")
        stage.advance(0.1)
        assert caller.closed
        assert caller.closed.code == 4402
        assert caller.errors == ["budget"]
        assert other.session
        assert b.services.spending.stopped == {"user_tokens": 1}


def test_sound_asks_nobody(stage: Stage) -> None:
    """What a caller says is no question to the register, however much it is."""
    with fleet(stage, FOUR) as nodes:
        a = nodes.node("a")
        caller = a.calls("one", TINA)
        stage.advance(1)
        before = a.register.presence.asked.copy()
        for _ in range(100):
            caller.says(Spoke(bytes(960)))
            stage.advance(0.02)
        assert a.register.presence.asked == before


def test_a_server_that_is_alone_asks_nobody(stage: Stage) -> None:
    """It makes no task and takes no time: a caller is let in in the same turn."""
    services = Services(CurrentCatalogue(FOUR), Wires(), cast(Pool, Decoders()), clock=stage.clock)
    assert services.fleet_sums is None
    supervisor = stage.launch(SupervisorActor, services)
    caller = Probe("one")
    supervisor.tell(Connected(Identity("one"), 1, caller))
    stage.settle()
    caller.fish_for(Admitted)
    supervisor.stop(block=False)
    stage.advance(3)
