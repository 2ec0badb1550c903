"""Losses of many calls in one moment are told from those that happen to come one after another."""

from actors.admission.losses import MANY, MOMENT, SPREAD_SECONDS, Losses


def test_the_first_of_many_try_at_once_and_the_others_are_spread() -> None:
    """As many as handshakes are made at once."""
    losses = Losses()
    spread = [losses.spread(0.0) for _ in range(MANY + 5)]
    assert spread == [0.0] * MANY + [SPREAD_SECONDS] * 5


def test_losses_that_come_one_by_one_are_not_many() -> None:
    """However many they are in the end."""
    losses = Losses()
    assert not any(losses.spread(number * 1.1 * MOMENT / MANY) for number in range(5 * MANY))
