"""The one pure function that says which upstream connection comes next."""

from dataclasses import replace
from typing import Any

import pytest

from actors.line import Discard, GiveUp, Leg, Line, Open, Retune, Selection, Swap, Wait, steer
from actors.supervision import SESSION_CHILDREN, Policy, Verdict
from tests.kit.four import FOUR

ALL = FOUR.all()
TINA, MOHIT = Selection(1, ALL[0]), Selection(2, ALL[1])
ENDS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)  # one more than the table allows

COMING = Leg(2, MOHIT)
LIVE = Leg(1, TINA, ready=True, fresh=False)


@pytest.mark.parametrize(
    ("line", "move"),
    [
        (Line(), None),
        (Line(wanted=TINA), Open(TINA)),
        (Line(wanted=TINA, live=LIVE), None),
        (Line(wanted=MOHIT, live=LIVE), Open(MOHIT)),
        (Line(wanted=MOHIT, live=LIVE, coming=COMING), None),
        (Line(wanted=MOHIT, coming=COMING), None),
        (Line(wanted=MOHIT, live=LIVE, coming=replace(COMING, ready=True)), Swap()),
        (Line(wanted=TINA, coming=COMING), Retune(replace(COMING, selection=TINA))),
        (Line(wanted=TINA, coming=replace(COMING, ready=True)), Retune(replace(COMING, selection=TINA))),
        (Line(wanted=TINA, coming=replace(COMING, fresh=False)), Discard(replace(COMING, fresh=False))),
        (Line(wanted=TINA, ends=ENDS), GiveUp()),
        (Line(wanted=TINA, ends=(5.0,)), Open(TINA)),
        (Line(wanted=TINA, ends=(4.9, 5.0)), Wait(0.5)),
        (Line(wanted=TINA, ends=(4.0, 4.5)), Open(TINA)),
        (Line(wanted=TINA, ends=(4.8, 4.9, 5.0)), Wait(1.0)),
        (Line(wanted=TINA, ends=(*ENDS[:4], 5.0)), Wait(4.0)),
        (Line(wanted=TINA, live=LIVE, ends=(5.0, 5.0)), None),
        (Line(wanted=TINA, fatal=True), GiveUp()),
        (Line(wanted=TINA, live=LIVE, fatal=True), None),
        (Line(wanted=MOHIT, coming=COMING, fatal=True), None),
    ],
)
def test_every_state_has_its_next_move(line: Line, move: Any) -> None:
    """Wanted, live and coming decide, whatever happened before."""
    assert steer(line, now=5.0) == move


def test_ends_are_forgotten_in_time() -> None:
    """The budget is of so many ends within so many seconds."""
    assert steer(Line(wanted=TINA, ends=ENDS), now=100.0) == Open(TINA)


def test_a_leg_that_is_gone_is_gone_from_every_place() -> None:
    """By its generation."""
    line = Line(TINA, LIVE, COMING, (Leg(3, TINA),))
    assert line.without(1).live is None
    assert line.without(2).coming is None
    assert line.without(3).retiring == ()
    assert [leg.generation for leg in line.legs()] == [1, 2, 3]


def test_the_table_says_who_is_restarted() -> None:
    """A bridge five times in a minute, waiting longer each time; a persona never."""
    assert SESSION_CHILDREN["persona"].judge([], 0.0) is Verdict.ESCALATE
    bridge = SESSION_CHILDREN["bridge"]
    assert bridge.judge([0.0, 1.0, 2.0, 3.0, 4.0], 5.0) is Verdict.RESTART
    assert bridge.judge([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 5.0) is Verdict.ESCALATE
    assert bridge.judge([0.0, 1.0, 2.0, 3.0, 4.0, 65.0], 65.0) is Verdict.RESTART
    assert [bridge.wait([9.0] * ends, 9.0) for ends in range(6)] == [0.0, 0.0, 0.5, 1.0, 2.0, 4.0]
    assert Policy(Verdict.RESTART).judge([1.0], 1.0) is Verdict.ESCALATE
