"""A user calls anew where their call before is: which of the two is known, and what becomes of the other's bill."""

import logging
from collections import Counter

import pytest

from actors.messages.admission import Connected
from actors.messages.caller import Close, HungUp
from actors.messages.identity import Identity
from actors.messages.resuming import Resumed
from actors.testing.fragile import FragileLine
from actors.testing.stage import Stage
from tests.kit.fleet_stage import USER, FleetCall, FleetStage
from tests.kit.slow_register import SlowRegisters

SAVED = 6.0  # seconds, in which a call is saved
LATE = 1.0


def test_the_newest_of_two_calls_is_the_one_that_is_kept(stage: Stage) -> None:
    """The register is slow to know the first: it must not come after the second."""
    slow = SlowRegisters()
    fleet = FleetStage(stage, slow)
    slow.waits["claim"] = [(2 * LATE, 0.0), (0.0, 0.0)]
    fleet.a.supervisor.tell(Connected(Identity(USER), 99, FragileLine("first"), "stream"))
    stage.advance(0.1)
    call = fleet.call()
    stage.advance(SAVED)
    assert fleet.a.has()
    assert not [one for one in call.line.take() if isinstance(one, Close)]
    fleet.a.dies()
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.end()


@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_call_that_a_newer_one_replaced_here_is_billed(
    stage: Stage, caplog: pytest.LogCaptureFixture, hangs_up: bool
) -> None:
    """Nobody goes on with it: that its last record comes after the newer call is no move."""
    slow = SlowRegisters()
    fleet = FleetStage(stage, slow)
    call = fleet.call()
    stage.advance(3.0)
    with caplog.at_level(logging.INFO):
        if hangs_up:
            slow.waits["end"] = [(LATE, 0.0)]
            call.says(HungUp())
        FleetCall(fleet.a, connection=99).connects()
        stage.advance(3.0)
    ended = next(line for line in caplog.messages if line.startswith("ended"))
    assert "price=" in ended
    assert "unbilled" not in ended
    assert fleet.a.services.counters.calls_moved == Counter()
    fleet.end()
