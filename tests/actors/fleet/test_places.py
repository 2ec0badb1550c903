"""Places of a persona over all servers of a fleet, with real supervisors and sessions."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from actors.fleet.limits import KEEP_SECONDS, PLACE_SECONDS
from actors.messages.admission import Leaving
from actors.messages.caller import Chose, Error, HungUp, SearchedPersona
from actors.messages.fleet import KeepPlaces
from actors.messages.moving import Claimed
from actors.messages.resuming import Resumed
from actors.runtime import Clock
from actors.testing.stage import Stage
from register import Claim, Epoch
from supervisor import SupervisorSnapshot
from tests.actors.test_places import limited
from tests.kit.fleet import Caller, Node, Nodes, fleet
from tests.kit.fleet_stage import FleetStage
from tests.kit.four import MOHIT, PRIYANKA, TINA
from tests.kit.insides import shown
from tests.simulation.register import CALM, Trouble

AWAY = Trouble(away=1.0, longest=2.0)


def claim_of(user: str, epoch: int) -> Claim:
    """A life of this user's that somewhere else has."""
    return Claim(user, Epoch(epoch), b"")


def held(*nodes: Node) -> list[str]:
    """With whom calls have a place, by what the supervisors of these nodes say."""
    return sorted(
        persona for node in nodes for of in shown(node.supervisor, SupervisorSnapshot).held.values() for persona in of
    )


@pytest.mark.parametrize("stage", range(3), indirect=True)
def test_fifty_who_choose_at_once_get_as_many_places_as_there_are(stage: Stage) -> None:
    """On two servers, in any order; the others are told whom to choose instead, and nobody is left without a word."""
    with fleet(stage, limited(**{TINA: 7})) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        callers = [(a, b)[number % 2].connects(f"user {number}") for number in range(50)]
        stage.advance(1)
        for caller in callers:
            caller.says(Chose(TINA))
        for _ in range(20):  # as the answers come
            stage.advance(0.001)
            assert len(nodes.places(TINA)) <= 7
        stage.advance(1)
        for node in (a, b):
            node.welcome()
        served = [caller for caller in callers if caller.personas == [TINA]]
        refused = [caller for caller in callers if caller.errors == ["busy"]]
        assert (len(served), len(refused)) == (7, 43)
        assert nodes.places(TINA) == {caller.user for caller in served}
        assert held(a, b) == [TINA] * 7
        assert sum(node.services.counters.fleet_refused["max_callers"] for node in (a, b)) > 0


def test_a_place_is_free_for_other_servers_when_its_call_ends(stage: Stage) -> None:
    """Or when it switches to somebody else; the caller has one place meanwhile, however often they choose."""
    with fleet(stage, limited(**{TINA: 1, MOHIT: 1})) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        one = a.calls("one", TINA)
        two = b.calls("two", TINA)
        assert two.errors == ["busy"]
        for persona in (MOHIT, TINA, MOHIT):
            one.says(Chose(persona))
            stage.advance(0.1)
            a.welcome()
            stage.advance(0.1)
        assert (nodes.places(TINA), nodes.places(MOHIT)) == (set(), {"one"})
        two.says(Chose(TINA))
        stage.advance(0.1)
        b.welcome()
        assert two.personas == [TINA]
        one.says(HungUp())
        stage.advance(0.1)
        assert nodes.places(MOHIT) == set()


def test_a_place_is_kept_as_long_as_its_call_lives(stage: Stage) -> None:
    """And that of a server that is no more is free soon after."""
    with fleet(stage, limited(**{TINA: 2})) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        dead = a.services.register
        assert dead
        a.calls("one", TINA)
        ghost = stage_task(nodes, dead.limits.occupy(TINA, claim_of("of the dead server", 1), 2, PLACE_SECONDS))
        assert ghost is True
        assert b.calls("two", TINA).errors == ["busy"]
        for _ in range(3):
            stage.advance(PLACE_SECONDS / 3 + 1)
            assert "one" in nodes.places(TINA)
        assert nodes.places(TINA) == {"one"}
        two = b.callers[0]
        two.says(Chose(TINA))
        stage.advance(0.1)
        assert nodes.places(TINA) == {"one", "two"}


def test_the_next_who_fits_is_found_where_the_best_is_taken_elsewhere(stage: Stage) -> None:
    """By words; and if all who fit are taken, that is what the caller is told."""
    wish = SearchedPersona("will my husband love me in marriage", "English")
    with fleet(stage, limited(**{TINA: 1, MOHIT: 1, PRIYANKA: 1})) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        served = [searched(node, user, wish).personas for node, user in ((a, "one"), (b, "two"))]
        assert len({persona for personas in served for persona in personas}) == len(served) == 2
        for node, user in ((a, "three"), (b, "four")):
            last = searched(node, user, wish)
            assert (last.personas, last.errors) == ([], ["busy"])


def searched(node: Node, user: str, wish: SearchedPersona) -> Caller:
    """Somebody connects and searches."""
    caller = node.connects(user)
    node._stage.advance(0.1)
    caller.says(wish)
    node._stage.advance(0.1)
    node.welcome()
    return caller


def test_the_last_choice_wins_however_long_the_first_one_takes(stage: Stage) -> None:
    """The first is limited and asks the fleet, the second asks nobody: they are answered in their order."""
    with fleet(stage, limited(**{TINA: 1})) as nodes:
        a = nodes.node("a")
        caller = a.connects("one")
        stage.advance(1)
        caller.says(Chose(TINA))
        caller.says(Chose(MOHIT))
        stage.advance(0.1)
        a.welcome()
        assert caller.personas == [MOHIT]
        assert held(a) == [MOHIT]
        assert nodes.places(TINA) == set()


def test_each_choice_is_asked_once(stage: Stage) -> None:
    """However many come while the first is on its way, and though it is the time to keep places."""
    with fleet(stage, limited(**{TINA: 1, MOHIT: 1})) as nodes:
        a = nodes.node("a")
        caller = a.connects("one")
        stage.advance(1)
        for persona in (MOHIT, TINA):
            caller.says(Chose(persona))
        stage.settle()
        a.supervisor.tell(KeepPlaces())
        stage.settle()
        assert a.register.presence.asked["occupy"] == 1
        stage.advance(0.1)
        a.welcome()
        stage.advance(0.1)
        assert a.register.presence.asked["occupy"] == 2
        assert caller.personas == [TINA]
        assert (nodes.places(MOHIT), nodes.places(TINA)) == (set(), {"one"})


@pytest.mark.parametrize("moment", [0.0, 0.0005, 0.002, 0.01])
def test_who_hangs_up_while_the_fleet_is_asked_keeps_no_place(stage: Stage, moment: float) -> None:
    """Whenever that is."""
    with fleet(stage, limited(**{TINA: 1})) as nodes:
        a = nodes.node("a")
        caller = a.connects("one")
        stage.advance(1)
        caller.says(Chose(TINA))
        stage.advance(moment)
        caller.hangs_up()
        stage.advance(0.1)
        assert nodes.places(TINA) == set()
        assert held(a) == []


def test_without_the_register_each_server_counts_its_own_places(stage: Stage) -> None:
    """Calls that were let in meanwhile go on when it is back, and count: nobody else gets a place before."""
    with fleet(stage, limited(**{TINA: 1})) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        stage.advance(1)
        for node in (a, b):
            node.register.line.trouble = AWAY
        one, two, three = a.calls("one", TINA), b.calls("two", TINA), b.calls("three", TINA)
        assert (one.personas, two.personas, three.personas) == ([TINA], [TINA], [])
        for node in (a, b):
            node.register.line.trouble = CALM
        stage.advance(3)
        assert len(nodes.places(TINA)) == 1
        last = nodes.places(TINA).pop()
        (one if last == "one" else two).says(HungUp())
        stage.advance(KEEP_SECONDS + 1)
        assert nodes.places(TINA) == {"one", "two"} - {last}
        three.says(Chose(TINA))
        stage.advance(1)
        assert three.personas == []


def test_a_register_that_lost_its_data_learns_them_again(stage: Stage) -> None:
    """Within the time between two times that places are kept."""
    with fleet(stage, limited(**{TINA: 2})) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        a.calls("one", TINA)
        b.calls("two", TINA)
        nodes.memory.forget()
        assert nodes.places(TINA) == set()
        stage.advance(KEEP_SECONDS + 0.1)
        assert nodes.places(TINA) == {"one", "two"}


def test_a_later_life_of_the_call_finds_its_place_elsewhere(stage: Stage) -> None:
    """And what the earlier one does then changes nothing: it neither keeps the place nor lets it go."""
    with fleet(stage, limited(**{TINA: 1})) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        one = a.calls("one", TINA)
        epoch = int(stage.clock.wall().timestamp() * 1e6)
        a.supervisor.tell(Claimed(one.session, claim_of("one", epoch)))
        again = b.connects("one")
        stage.advance(0.1)
        b.supervisor.tell(Claimed(again.session, claim_of("one", epoch + 10**8)))
        again.says(Chose(TINA))
        stage.advance(0.1)
        b.welcome()
        assert again.personas == [TINA]
        one.says(HungUp())
        stage.advance(KEEP_SECONDS + 1)
        assert nodes.places(TINA) == {"one"}
        assert b.calls("two", TINA).errors == ["busy"]


@pytest.mark.parametrize("code", [1012, 4410])
def test_a_call_that_moves_finds_its_place_however_long_it_is_on_its_way(stage: Stage, code: int) -> None:
    """Nobody else gets it meanwhile; and if the call goes on nowhere, the place is free after a while."""
    with fleet(stage, limited(**{TINA: 1})) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        one = a.calls("one", TINA)
        a.supervisor.tell(Leaving(one.session, code))
        stage.advance(PLACE_SECONDS - KEEP_SECONDS - 5)
        assert held(a) == []
        assert b.calls("two", TINA).errors == ["busy"]
        again = b.calls("one", TINA)
        assert again.personas == [TINA]
        b.supervisor.tell(Leaving(again.session, code))
        stage.advance(PLACE_SECONDS + 1)
        assert nodes.places(TINA) == set()


def test_a_call_that_is_taken_finds_its_place_by_a_clock_that_is_behind(stage: Stage) -> None:
    """Its node knows the claim, and does not ask for the place with one of its own making."""
    fleet = FleetStage(stage, catalogue=limited(**{TINA: 1}))
    behind = Clock(stage.clock.now, lambda: stage.clock.wall() - timedelta(seconds=100))
    object.__setattr__(fleet.b.services, "clock", behind)
    call = fleet.call()
    stage.advance(6.0)
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.b.wire().welcome()
    stage.advance(1.0)
    assert not [one for one in call.line.take() if isinstance(one, Error)]
    fleet.end()


def test_a_claim_that_comes_late_is_no_harm(stage: Stage) -> None:
    """By a clock that is behind ours, or after the call: the place is the call's, and is let go with it."""
    with fleet(stage, limited(**{TINA: 1})) as nodes:
        a = nodes.node("a")
        one = a.calls("one", TINA)
        a.supervisor.tell(Claimed(one.session, claim_of("one", 1)))
        for _ in range(int(PLACE_SECONDS + KEEP_SECONDS)):
            stage.advance(1)
            assert nodes.places(TINA) == {"one"}
        session: Any = one.session
        one.says(HungUp())
        stage.advance(5)
        a.supervisor.tell(Claimed(session, claim_of("one", 10**18)))
        stage.advance(2 * KEEP_SECONDS)
        assert nodes.places(TINA) == set()


@pytest.mark.parametrize("seed", range(12))
def test_a_storm_of_choices_leaves_nothing(stage: Stage, seed: int) -> None:
    """The register is late, away and forgetful: each choice is answered, and when all is over no place is taken."""
    draw = random.Random(seed)
    storm = Trouble(late=0.1, away=0.02, forgetful=0.01, longest=2.0)
    with fleet(stage, limited(**{TINA: 2, MOHIT: 1}), trouble=storm, seed=seed) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        for step in range(150):
            node, user = draw.choice((a, b)), f"user {draw.randrange(6)}"
            caller = node.connects(user)
            stage.advance(draw.uniform(0.0, 0.7))
            for persona in draw.choices((TINA, MOHIT, PRIYANKA), k=draw.randrange(3)):
                if caller.session:
                    caller.says(Chose(persona))
                stage.advance(draw.choice((0.0, 0.001, 0.4)))
            if step % 3:
                caller.hangs_up()
            node.welcome()
        for node in (a, b):
            node.register.line.trouble = CALM
        stage.advance(5)
        for node in (a, b):
            assert all(caller.session or caller.closed for caller in node.callers)
            for caller in node.callers:
                caller.hangs_up()
        stage.advance(PLACE_SECONDS + 5)
        assert held(a, b) == []
        assert nodes.places(TINA) == nodes.places(MOHIT) == set()


def stage_task(nodes: Nodes, asked: Any) -> Any:
    """The answer to a question of ours."""
    task = asyncio.get_running_loop().create_task(asked)
    nodes.stage.advance(0.1)
    return task.result()
