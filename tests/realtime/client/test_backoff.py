"""How long an ask is deferred: as the upstream says, else until its limit is reset, else longer each time."""

import pytest

from realtime.client.backoff import LONGEST_DELAY, TRIES, Backoff
from realtime.client.gate import Ask
from upstream.facts import Allowance, TurnId


@pytest.mark.parametrize(
    ("message", "seconds"),
    [("Please try again in 2s.", 2.0), ("try again in 1.5 s", 1.5), ("try again in 250ms", 0.25), ("later", 1.0)],
)
def test_the_upstream_says_how_long(message: str, seconds: float) -> None:
    """In any unit; what says nothing waits a second at first."""
    assert Backoff().delay(Ask(TurnId(1), []), message) == seconds


def test_a_limit_that_is_used_up_says_how_long() -> None:
    """The one that is reset last; what has some left does not count, and the newest report does."""
    backoff = Backoff()
    backoff.learn((Allowance("requests", 0, 3.0), Allowance("tokens", 0, 5.0)))
    assert backoff.learn((Allowance("tokens", 7, 9.0),)) == [Allowance("requests", 0, 3.0), Allowance("tokens", 7, 9.0)]
    assert backoff.delay(Ask(TurnId(1), []), "later") == 3.0


def test_an_ask_is_tried_only_so_often() -> None:
    """Each delay is twice the one before."""
    backoff, ask = Backoff(), Ask(TurnId(1), [])
    assert [backoff.delay(ask, "later") for _ in range(TRIES + 1)] == [1.0, 2.0, 4.0, None]


def test_an_ask_waits_only_so_long() -> None:
    """In all, also when the upstream asks for more."""
    backoff, ask = Backoff(), Ask(TurnId(1), [])
    assert backoff.delay(ask, f"try again in {LONGEST_DELAY:g}s") == LONGEST_DELAY
    assert backoff.delay(ask, "try again in 1s") is None
    assert ask.tries == 1
