"""When calls are let in while the upstream refuses us, without an actor."""

from collections.abc import Callable

import pytest

from actors.admission.breaker import BARRED_SECONDS, TRIAL_SECONDS, Breaker

Step = Callable[[Breaker], Breaker]


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
