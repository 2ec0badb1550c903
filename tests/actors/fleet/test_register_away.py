"""A register that does not answer, or has lost its data: calls go on, and never do two of one user save in the end."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import cast

import pytest

from actors.messages.caller import Close, Typed
from actors.messages.resuming import NotResumed, Resumed
from actors.testing.stage import Stage
from register import Claim, Memory, MemoryRegister, Register, RegisterAway
from register.record import decode
from tests.kit.fleet_stage import USER, FleetCall, FleetStage
from tests.simulation.register import TroubledRegister


def fleet_of(stage: Stage) -> FleetStage:
    """Two nodes, whose register can go."""
    return FleetStage(stage, _register())


def _register() -> Callable[[str, Memory], Register]:
    return lambda name, memory: TroubledRegister(name, memory, Random(1))


def goes(fleet: FleetStage) -> None:
    """The register is away for both."""
    for node in (fleet.a, fleet.b):
        node.register.presence.went("it does not answer")


def comes(fleet: FleetStage) -> None:
    """It is back."""
    for node in (fleet.a, fleet.b):
        node.register.presence.came()
    fleet.stage.advance(0.5)


def test_a_call_goes_on_while_the_register_is_away(stage: Stage) -> None:
    """It is resumed on its own node, and at another one its caller is told the truth; then it is saved again."""
    fleet = fleet_of(stage)
    call = fleet.call()
    goes(fleet)
    call.goes()
    assert isinstance(call.tries(fleet.a), Resumed)
    call.says(Typed("Hello?"))
    stage.advance(6.0)
    assert fleet.a.services.counters.saves_lost > 0
    other = FleetCall(fleet.a, offer=call.offer, attach=call.attach)
    told = other.tries(fleet.b, within=4.0)
    assert isinstance(told, NotResumed)
    assert told.code == "unavailable"
    comes(fleet)
    fleet.a.dies()
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed)
    assert told.moved
    assert told.moved.asked_again
    fleet.end()


def test_a_call_that_began_while_it_was_away_is_known_when_it_is_back(stage: Stage) -> None:
    """Its first save makes it known, and replaces one that is older."""
    fleet = fleet_of(stage)
    old = fleet.call()
    goes(fleet)
    new = FleetCall(fleet.b)
    new.connects()
    assert fleet.a.has()
    comes(fleet)
    stage.advance(6.0)
    assert old.line.fish_for(Close).code in (4409, 4410)  # by whether it hears of the other or saves first
    assert not fleet.a.has()
    assert fleet.b.has()
    fleet.b.dies()
    fleet.end()


def test_of_two_that_began_while_it_was_away_the_newer_one_stays(stage: Stage) -> None:
    """Whichever saves first when it is back."""
    for first in (0, 1):
        fleet = fleet_of(stage)
        goes(fleet)
        old, new = FleetCall(fleet.a), FleetCall(fleet.b)
        old.connects()
        new.connects()
        for node in ((fleet.a, fleet.b), (fleet.b, fleet.a))[first]:
            node.register.presence.came()
            stage.advance(0.2)
        stage.advance(6.0)
        assert (fleet.a.has(), fleet.b.has()) == (False, True)
        assert old.line.fish_for(Close).code in (4409, 4410)
        fleet.end()


def test_data_that_are_lost_are_there_again_after_a_save(stage: Stage) -> None:
    """Until then nobody else can take the call."""
    fleet = fleet_of(stage)
    call = fleet.call()
    fleet.memory.forget()
    stage.advance(6.0)
    call.goes()
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.end()


def test_an_end_that_was_not_answered_is_told_later(stage: Stage) -> None:
    """So that nobody takes a call that was hung up."""
    fleet = fleet_of(stage)
    call = fleet.call()
    goes(fleet)
    call.goes()
    stage.advance(35.0)
    assert not fleet.a.has()
    comes(fleet)
    known = fleet.memory.calls.get(USER)
    assert known
    assert known.ended
    fleet.end()


@pytest.mark.parametrize("seconds", [40.0, 500.0])
def test_a_call_that_ended_on_an_island_is_billed_once(
    stage: Stage, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    """Its server did not know that it had gone on elsewhere; it says so, and takes the price back when it knows."""
    caplog.set_level(logging.INFO)
    fleet = fleet_of(stage)
    call = fleet.call()
    stage.advance(2.0)
    fleet.a.register.presence.went("it does not answer")
    call.goes()
    assert isinstance(call.tries(fleet.b), Resumed)
    stage.advance(seconds)
    (line,) = (line for line in caplog.messages if line.startswith("ended session=") and "code=1006" in line)
    assert "price=" in line
    assert "unconfirmed=1" in line
    assert fleet.a.services.counters.unbilled_seconds == 0
    fleet.a.register.presence.came()
    stage.advance(1.0)
    session = line.split()[1]
    (void,) = (line for line in caplog.messages if line.startswith(f"{session} had gone on elsewhere"))
    assert "moved=1 carried=10.0 unbilled=2.0" in void
    assert fleet.a.services.counters.unbilled_seconds == 2.0
    assert fleet.a.services.counters.calls_moved == Counter({"out": 1})
    fleet.end()


def test_who_is_back_on_an_island_where_their_call_ended_goes_on_with_it(stage: Stage) -> None:
    """It lives elsewhere, as the register knows: what is remembered here of its end counts only if nobody has it."""
    fleet = fleet_of(stage)
    call = fleet.call()
    stage.advance(2.0)
    fleet.a.register.presence.went("it does not answer")
    call.goes()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.b.wire().welcome()
    stage.advance(40.0)
    assert not fleet.a.has()
    on_the_island = replace(call).tries(fleet.a)
    assert isinstance(on_the_island, NotResumed)
    assert (on_the_island.code, on_the_island.bill is None) == ("ended", False)
    fleet.a.register.presence.came()
    stage.advance(1.0)
    assert isinstance(call.tries(fleet.a), Resumed)
    fleet.end()


def test_a_call_that_ended_here_is_billed_once_the_register_says_so(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody went on with it: there is nothing to take back. Of the next call it is known at once."""
    caplog.set_level(logging.INFO)
    fleet = fleet_of(stage)
    call = fleet.call()
    goes(fleet)
    call.goes()
    stage.advance(35.0)
    (line,) = (line for line in caplog.messages if line.startswith("ended session="))
    assert "unconfirmed=1" in line
    comes(fleet)
    assert not [line for line in caplog.messages if "void" in line]
    fleet.call().goes()
    stage.advance(35.0)
    assert ["unconfirmed" in line for line in caplog.messages if line.startswith("ended session=")] == [True, False]
    fleet.end()


class LateClaims(MemoryRegister):
    """Claims are carried out a second after nobody waits for the answer any more, until it is `calm`."""

    calm = False

    async def claim(self, user: str, token: bytes, seconds: float) -> Claim:
        if self.calm:
            return await super().claim(user, token, seconds)
        asyncio.get_running_loop().create_task(self._late(user, token, seconds))
        raise RegisterAway("it is late")

    async def _late(self, user: str, token: bytes, seconds: float) -> None:
        await asyncio.sleep(1.0)
        await super().claim(user, token, seconds)


def test_a_claim_that_is_carried_out_late_is_the_calls_own(stage: Stage) -> None:
    """Its epoch is higher than that of the claim that was made here: the call is saved with it, and can be taken."""
    fleet = FleetStage(stage, LateClaims)
    call = fleet.call()
    stage.advance(6.0)
    assert fleet.a.has()
    assert not any(isinstance(one, Close) for one in call.line.heard)
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed)
    assert told.moved
    assert told.moved.lost_ms == 0  # its holder knew by which number it was asked
    assert not fleet.a.has()
    fleet.end()


def test_a_newer_call_is_not_taken_for_a_late_claim(stage: Stage) -> None:
    """The user calls elsewhere before the first save: that one stays."""
    fleet = FleetStage(stage, LateClaims)
    call = FleetCall(fleet.a)
    call.connects(greeted=False)
    stage.advance(2.0)
    cast(LateClaims, fleet.b.register).calm = True
    FleetCall(fleet.b).connects()
    stage.advance(6.0)
    assert (fleet.a.has(), fleet.b.has()) == (False, True)
    fleet.end()


def test_what_was_handled_counts_for_its_own_connection(stage: Stage) -> None:
    """The caller came back here while the register was away: the record has the count of the connection before."""
    fleet = fleet_of(stage)
    call = fleet.call()
    call.says(Typed("Is it true?"))
    stage.advance(1.0)
    fleet.a.register.presence.went("it does not answer")
    call.goes()
    assert isinstance(call.tries(fleet.a), Resumed)
    fleet.a.dies()
    kept = fleet.memory.records.get(USER)
    assert kept
    record = decode(kept)
    assert record.attach == 0
    assert record.handled > 0
    assert call.attach == 1
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed)
    assert (told.attach, told.received) == (2, 0)
    fleet.end()
