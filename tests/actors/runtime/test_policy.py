"""What a parent does about a child that ended, without an actor."""

import pytest

from actors.runtime import Policy, Verdict

BRIDGE = Policy(Verdict.RESTART, limit=3, within=30.0, pause=0.5)


@pytest.mark.parametrize(
    ("ends", "now", "verdict", "wait"),
    [
        ((100.0,), 100.0, Verdict.RESTART, 0.0),
        ((100.0, 101.0), 101.0, Verdict.RESTART, 0.5),
        ((100.0, 101.0), 101.3, Verdict.RESTART, 0.2),
        ((100.0, 101.0, 102.0), 102.0, Verdict.RESTART, 1.0),
        ((100.0, 101.0, 102.0, 103.0), 103.0, Verdict.ESCALATE, 2.0),
        ((60.0, 101.0, 102.0, 103.0), 103.0, Verdict.RESTART, 1.0),  # the first is long ago
    ],
)
def test_a_restart_is_judged_by_the_table(ends: tuple[float, ...], now: float, verdict: Verdict, wait: float) -> None:
    """The first at once, then with doubled pauses, until it is too often."""
    assert BRIDGE.judge(ends, now) is verdict
    assert BRIDGE.wait(ends, now) == pytest.approx(wait)


def test_who_escalates_is_never_restarted() -> None:
    """Whatever it ended of, and however seldom."""
    assert Policy(Verdict.ESCALATE).judge((1.0,), 1.0) is Verdict.ESCALATE
