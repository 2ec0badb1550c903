"""The tables of supervision, without an actor."""

from collections.abc import Callable

import pytest

from actors.admission.breaker import BARRED_SECONDS, TRIAL_SECONDS, Breaker
from actors.runtime import Policy, Verdict

BRIDGE = Policy(Verdict.RESTART, limit=3, within=30.0, pause=0.5)
Step = Callable[[Breaker], Breaker]


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


@pytest.mark.parametrize(
    ("steps", "now", "admits"),
    [
        ([], 0.0, True),
        (["barred"], 0.0, False),
        (["barred"], BARRED_SECONDS - 1, False),
        (["barred"], BARRED_SECONDS, True),
        (["barred", "trial"], BARRED_SECONDS + 1, False),
        (["barred", "trial"], BARRED_SECONDS + TRIAL_SECONDS, True),  # it dawdles: the next one tries
        (["barred", "trial", "trial answered"], BARRED_SECONDS + 1, True),
        (["barred", "trial", "other answered"], BARRED_SECONDS + 1, False),  # that one was on the line before
        (["barred", "trial", "trial ended"], BARRED_SECONDS + 1, True),  # it never came to a verdict
        (["barred", "trial", "other ended"], BARRED_SECONDS + 1, False),
        (["barred", "trial", "barred again"], BARRED_SECONDS + 1, False),
        (["barred", "trial", "barred again"], 2 * BARRED_SECONDS, True),
        (["barred", "other answered"], 1.0, False),
        (["other admitted", "other answered"], 0.0, True),
    ],
)
def test_the_breaker(steps: list[str], now: float, admits: bool) -> None:
    """Open for 30 s, then one call tries, and its luck decides for all."""
    acts: dict[str, Step] = {
        "barred": lambda breaker: breaker.barred(0.0),
        "trial": lambda breaker: breaker.admitted("trial", BARRED_SECONDS),
        "barred again": lambda breaker: breaker.barred(BARRED_SECONDS),
        "trial answered": lambda breaker: breaker.answered("trial"),
        "trial ended": lambda breaker: breaker.ended("trial"),
        "other admitted": lambda breaker: breaker.admitted("other", 0.0),
        "other answered": lambda breaker: breaker.answered("other"),
        "other ended": lambda breaker: breaker.ended("other"),
    }
    breaker = Breaker()
    for step in steps:
        breaker = acts[step](breaker)
    assert breaker.admits(now) is admits
