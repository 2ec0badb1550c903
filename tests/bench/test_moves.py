"""Sixty callers are moved by the end of their server, as `bench.moves` measures it."""

import pytest
import uvloop

from actors.admission.draining import MOVES_A_SECOND
from actors.fleet.openings import MOST_SECONDS
from actors.messages.moving import MOVING
from bench.moves import OPENS_A_SECOND, PROGRAM, SLACK_SECONDS, measure
from tests.kit.story import run


@pytest.mark.thorough
@pytest.mark.skipif(not PROGRAM, reason="no redis-server: apt-get install redis-server")
def test_sixty_callers_move() -> None:
    """None is lost, cut or told twice; they are told one after another, and the model is asked in turn."""
    moves = run(measure(60), uvloop.new_event_loop)
    assert {caller.close for caller in moves.callers} == {(MOVING.code, MOVING.reason)}
    assert {(caller.moved, caller.resumed, caller.node) for caller in moves.callers} == {(1, 1, "b")}
    assert moves.strangers == []
    assert moves.cuts == []
    assert moves.wrong.total() == 0
    told = sorted(caller.told_at - moves.began for caller in moves.callers)
    assert all(at >= number / MOVES_A_SECOND - SLACK_SECONDS for number, at in enumerate(told))
    crowded = moves.most_waiting > MOST_SECONDS * OPENS_A_SECOND  # then some are opened at any time
    assert crowded or moves.early < SLACK_SECONDS
