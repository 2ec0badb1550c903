"""The table of what a caller waits for, and the watch that goes by it: no actors, no clock."""

import pytest

from actors.call.watch import Due, End, For, Row, Waiting, Watch, table
from actors.messages.caller import Close, Notice
from actors.services import Limits

LIMITS = Limits()
ROWS = table(LIMITS)
TURNS = (For.ANSWER, For.LATER, For.STALL, For.REST)


def walk(watch: Watch, waiting: list[Waiting], begins: float, ends: float) -> list[tuple[float, Due]]:
    """The call is in these states from then on: what comes due, and when, if the watch is asked only when it says."""
    came, now = [], begins
    while now <= ends:
        due, wait = watch.look(waiting, now)
        came += [(now, what) for what in due]
        if wait is None:
            break
        assert wait > 0.0
        now += wait
    return came


@pytest.mark.parametrize("wait", For)
def test_every_state_has_a_row_and_comes_to_its_end(wait: For) -> None:
    """At the times of its row, each thing once."""
    row = ROWS[wait]
    came = walk(Watch(LIMITS), [Waiting(wait)], 1000.0, 3000.0)
    expected: list[tuple[float, object]] = [(1000.0 + row.told, row.tells)] if row.tells and row.told else []
    expected += [(1000.0 + row.ends, row.end)] if row.end else []
    assert [what for _, what in came] == [what for _, what in expected]
    assert [at for at, _ in came] == pytest.approx([at for at, _ in expected])
    assert row.end or row.tells


def test_nobody_is_left_without_a_word_for_long() -> None:
    """What is told comes before the end, and a state in which nothing is told ends soon."""
    for wait, row in ROWS.items():
        told = row.told if row.tells else row.ends
        assert told <= row.ends
        if wait not in (For.CHOICE, For.NOBODY, For.CALLER, For.PARTING):  # there the server waits for the caller
            assert told <= 15.0


def test_the_figures_are_those_of_the_limits() -> None:
    """Those who wait for the caller are closed with 4408, with the time in the reason."""
    limits = Limits(idle_seconds=70, choose_seconds=3, upstream_patience=50, ready_seconds=4, notice_seconds=2)
    rows = table(limits)
    assert (rows[For.BACK].ends, rows[For.FIRST].ends, rows[For.SWITCH].told) == (50, 4, 2)
    assert (rows[For.CHOICE].ends, rows[For.NOBODY].ends, rows[For.CALLER].ends) == (3, 12, 70)
    for wait, seconds in ((For.CHOICE, "3 s"), (For.NOBODY, "3 s"), (For.CALLER, "70 s")):
        close = rows[wait].end
        assert isinstance(close, Close)
        assert close.code == 4408
        assert seconds in close.reason


def test_another_thing_to_wait_for_begins_its_time_anew() -> None:
    """The same does not, however often somebody looks."""
    watch = Watch(LIMITS)
    for now in range(9):
        assert watch.look([Waiting(For.ANSWER, "one")], now)[0] == []
    assert watch.look([Waiting(For.ANSWER, "two")], 9.0)[0] == []
    assert watch.look([Waiting(For.ANSWER, "two")], 18.9)[0] == []
    assert watch.look([Waiting(For.ANSWER, "two")], 19.0)[0] == [End.ASK_AGAIN]


def test_a_state_that_was_left_begins_anew() -> None:
    """A second loss is told its whole time again."""
    watch = Watch(LIMITS)
    watch.look([Waiting(For.BACK)], 0.0)
    watch.look([], 29.0)
    assert watch.look([Waiting(For.BACK)], 29.5)[0] == []
    assert watch.look([Waiting(For.BACK)], 59.0)[0] == []
    assert watch.look([Waiting(For.BACK)], 59.5)[0] == [End.GIVE_UP]


def test_a_time_that_is_known_counts() -> None:
    """Whenever the watch is told of it; when it is another, so is the end."""
    watch = Watch(LIMITS)
    assert watch.look([Waiting(For.CALLER, since=100.0)], 390.0)[1] == pytest.approx(10.0)
    assert watch.look([Waiting(For.CALLER, since=395.0)], 400.0)[1] == pytest.approx(295.0)


def test_who_has_no_time_is_given_as_long_as_they_said() -> None:
    """Put off again, it is as much longer; the caller is told once."""
    watch, about = Watch(LIMITS), (1, 4)
    assert watch.look([Waiting(For.LATER, about, longer=8.0)], 0.0)[0] == []
    told = watch.look([Waiting(For.LATER, about, longer=8.0)], 5.0)[0]
    assert [notice.code for notice in told if isinstance(notice, Notice)] == ["waiting"]
    assert watch.look([Waiting(For.LATER, about, longer=12.0)], 8.0)[0] == []
    assert watch.look([Waiting(For.LATER, about, longer=12.0)], 21.9)[0] == []
    assert watch.look([Waiting(For.LATER, about, longer=12.0)], 22.0)[0] == [End.ASK_AGAIN]


@pytest.mark.parametrize("second", TURNS)
@pytest.mark.parametrize("first", TURNS)
def test_nothing_is_asked_again_twice_before_an_answer_has_come(first: For, second: For) -> None:
    """Then the turn fails; the next one is asked again as well."""
    watch, now = Watch(LIMITS), 0.0

    def ends(wait: For, about: str, answers: int) -> list[Due]:
        nonlocal now
        came = walk(watch, [Waiting(wait, about, answers=answers)], now, now + 60)
        now += 100
        return [what for _, what in came if isinstance(what, End)]

    assert ends(first, "asked", 3) == [ROWS[first].end]
    assert ends(second, "asked over another connection", 3) == [End.FAIL]
    assert ends(first, "the next", 3) == [ROWS[first].end]
    assert ends(second, "after an answer", 4) == [ROWS[second].end]


def test_what_goes_on_unseen_is_looked_at() -> None:
    """Sound tells nobody that it comes: while it does, what it is about is another at each look."""
    watch, now, come = Watch(LIMITS), 0.0, 0
    while now < 100:
        due, wait = watch.look([Waiting(For.REST, come)], now)
        assert due == []
        assert wait
        now, come = now + wait, come + 1
    came = walk(watch, [Waiting(For.REST, come)], now, now + 60)
    assert [what for _, what in came] == [End.ASK_AGAIN]


def test_a_stall_is_due_when_nothing_has_come_and_little_is_left_to_play() -> None:
    """Whichever is later; once for each time that something had come."""
    watch = Watch(LIMITS)
    near, far = -10.0, 9.0  # when 2 s are left to play: long ago, and after nothing has come for a while

    def due(came: float, earliest: float) -> list[tuple[float, Due]]:
        states = [Waiting(wait, 1, came, earliest=earliest) for wait in (For.FALTER, For.STALL)]
        return walk(watch, states, came, came + 60)

    assert due(0.0, near) == [(2.0, End.STAND_BY), (4.0, End.GO_ON)]
    assert due(100.0, 100.0 + far) == [(109.0, End.STAND_BY), (109.0, End.FAIL)]
    assert due(200.0, 203.0) == [(203.0, End.STAND_BY), (204.0, End.GO_ON)]


def test_an_answer_of_which_more_comes_has_not_stalled() -> None:
    """Its time begins anew with whatever comes; rounding of how much is left to play makes nothing due twice."""
    watch, due = Watch(LIMITS), []
    for tick in range(100):
        now, came = tick / 2, float(tick // 5 * 2.5)
        states = [Waiting(wait, 1, came, earliest=came - 1.0 + 1e-9 * tick) for wait in (For.FALTER, For.STALL)]
        due += watch.look(states, now)[0]
    assert due == [End.STAND_BY] * 20


def test_several_states_are_watched_at_once() -> None:
    """The first that is due says when to look."""
    watch = Watch(LIMITS)
    waiting = [Waiting(For.CALLER, since=0.0), Waiting(For.SWITCH, 2)]
    assert watch.look(waiting, 290.0)[1] == pytest.approx(5.0)
    assert [type(what) for what in watch.look(waiting, 300.0)[0]] == [Close, Notice]


def test_nothing_to_wait_for_is_nothing_to_look_for() -> None:
    assert Watch(LIMITS).look([], 5.0) == ([], None)
    assert Row().end is None
