"""The one pure function that says which upstream connection comes next."""

from dataclasses import replace
from typing import Any, cast

import pytest

from actors.call.line import (
    LOOK_SECONDS,
    SESSION_CHILDREN,
    Discard,
    GiveUp,
    Leg,
    Line,
    Look,
    Open,
    Retune,
    Selection,
    Swap,
    Wait,
    steer,
)
from actors.messages.ids import ChoiceId, Generation
from actors.runtime import Policy, Verdict
from actors.testing.probe import Probe
from tests.kit.four import FOUR
from upstream.models import Capabilities

ALL = FOUR.all()
TINA, MOHIT = Selection(ChoiceId(1), ALL[0]), Selection(ChoiceId(2), ALL[1])
ENDS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)  # one more than the table allows

COMING = Leg(Generation(2), MOHIT)
LIVE = Leg(Generation(1), TINA, ready=True, empty=False)
DIALLED = replace(COMING, bridge=cast(Any, Probe("bridge")))
OLD = replace(LIVE, due=4.0)
NEXT = Leg(Generation(2), TINA, empty=False, seeded=7)
READY_BY = replace(NEXT, ready=True, stands_by=True)
FIXED = Capabilities(mutable_voice=False, mutable_instructions=False)
VOICE_FIXED = Capabilities(mutable_voice=False)
TINAS_VOICE = Selection(ChoiceId(3), replace(ALL[1], voice=ALL[0].voice))


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
        (Line(wanted=TINA, coming=replace(COMING, empty=False)), Discard(replace(COMING, empty=False))),
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
        # What a model can do.
        (Line(wanted=TINA, coming=DIALLED), Retune(replace(DIALLED, selection=TINA))),
        (Line(wanted=TINA, coming=DIALLED, can=FIXED), Discard(DIALLED)),
        (Line(wanted=TINA, coming=DIALLED, can=VOICE_FIXED), Discard(DIALLED)),
        (Line(wanted=TINA, coming=COMING, can=FIXED), Retune(replace(COMING, selection=TINA))),
        (
            Line(wanted=TINA, coming=replace(DIALLED, selection=TINAS_VOICE), can=VOICE_FIXED),
            Retune(replace(DIALLED, selection=TINA)),
        ),
        (
            Line(wanted=TINA, coming=replace(DIALLED, selection=TINAS_VOICE), can=FIXED),
            Discard(replace(DIALLED, selection=TINAS_VOICE)),
        ),
        # Before the end of a session.
        (Line(wanted=TINA, live=replace(LIVE, due=9.0), silent=True), Look(4.0)),
        (Line(wanted=TINA, live=OLD), Look(LOOK_SECONDS)),
        (Line(wanted=TINA, live=OLD, silent=True, said=7), Open(TINA, 7)),
        (Line(wanted=TINA, live=replace(OLD, ready=False), silent=True), Look(LOOK_SECONDS)),
        (Line(wanted=TINA, live=OLD, silent=True, rested=6.0), Look(1.0)),
        (Line(wanted=TINA, live=OLD, coming=NEXT, said=7, silent=True), None),
        (Line(wanted=TINA, live=OLD, coming=NEXT, said=8, silent=True), Discard(NEXT)),
        (Line(wanted=TINA, live=OLD, coming=replace(NEXT, ready=True), said=7, silent=True), Swap()),
        (Line(wanted=TINA, live=OLD, coming=replace(NEXT, ready=True), said=7), Look(LOOK_SECONDS)),
        (Line(wanted=TINA, coming=replace(NEXT, ready=True), said=7), Swap()),
        (Line(wanted=MOHIT, live=OLD, coming=NEXT, said=7, silent=True), Discard(NEXT)),
        (Line(wanted=MOHIT, live=OLD, silent=True), Open(MOHIT)),
        # When an answer falters.
        (Line(wanted=TINA, live=LIVE, coming=READY_BY, said=7), Look(LOOK_SECONDS)),
        (Line(wanted=TINA, live=LIVE, coming=READY_BY, said=7, silent=True), Discard(READY_BY)),
        (Line(wanted=TINA, live=LIVE, coming=READY_BY, said=8), Discard(READY_BY)),
        (Line(wanted=TINA, coming=READY_BY, said=7), Swap()),
        (Line(wanted=MOHIT, live=LIVE, coming=READY_BY, said=7), Discard(READY_BY)),
        # When many were lost.
        (Line(wanted=TINA, ends=(5.0,), rested=6.5), Look(1.5)),
    ],
)
def test_every_state_has_its_next_move(line: Line, move: Any) -> None:
    """Wanted, live and coming decide, whatever happened before."""
    assert steer(line, now=5.0) == move


def test_ends_are_forgotten_in_time() -> None:
    """The budget is of so many ends within so many seconds."""
    assert steer(Line(wanted=TINA, ends=ENDS), now=100.0) == Open(TINA)


def test_one_that_was_to_take_over_knows_enough_when_the_live_one_goes_first() -> None:
    """What is said from then on waits for it; what was said before, and it does not know, it never will."""
    line = Line(TINA, OLD, NEXT, said=7)
    assert steer(replace(line.without(Generation(1)), said=9), now=5.0) is None
    assert steer(replace(line, said=8).without(Generation(1)), now=5.0) == Discard(NEXT)


def test_a_leg_that_consents_again_is_replaced_no_later() -> None:
    """It says anew how long it lasts, each time it was told something."""
    line = Line(TINA, replace(LIVE, configured=True, due=100.0))
    assert line.tuned(True).live == replace(LIVE, configured=True, due=100.0, listens=True, ready=False)
    assert line.tuned(True).readied(Generation(1), ChoiceId(1), due=120.0, listens=True).live == replace(
        LIVE, configured=True, due=100.0, listens=True
    )


def test_only_whoever_is_wanted_is_told_how_the_caller_speaks() -> None:
    """And of them those that are told already and otherwise: what another is called for does not concern the others."""
    tina, mohit = replace(LIVE, configured=True), replace(DIALLED, configured=True)
    line = Line(MOHIT, tina, mohit)
    assert line.untuned(True) == (mohit,)
    assert line.tuned(True).live == tina
    assert line.untuned(False) == line.tuned(True).untuned(True) == ()
    assert replace(line, coming=DIALLED).untuned(True) == ()
    assert len(Line(TINA, tina, replace(NEXT, configured=True)).untuned(True)) == 2


def test_a_leg_that_is_gone_is_gone_from_every_place() -> None:
    """By its generation."""
    line = Line(TINA, LIVE, COMING, (Leg(Generation(3), TINA),))
    assert line.without(Generation(1)).live is None
    assert line.without(Generation(2)).coming is None
    assert line.without(Generation(3)).retiring == ()
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


def test_the_pause_between_tries_grows_to_four_seconds() -> None:
    """However many there were; no more of them are remembered than that takes."""
    line, waits = Line(wanted=TINA), []
    for _ in range(20):
        line = line.failed(COMING, 0.0)
        move = steer(line, 0.0)
        waits.append(move.seconds if isinstance(move, Wait) else 0.0)
    assert waits == [0.0, 0.5, 1.0, 2.0, *[4.0] * 16]
    assert len(line.misses) <= 8
