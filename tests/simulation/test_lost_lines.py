"""Calls of the simulation whose callers all lose their lines: in a file of its own, so that two workers share them."""

from tests.simulation.run import simulate


def test_calls_whose_lines_are_lost_hold(seeds: range) -> None:
    """All callers may come back, and must."""
    for seed in seeds[::3] if len(seeds) > 1 else seeds:
        simulate(seed, fragile=1.0)
