"""Thousands of whole calls, with everything that can go wrong."""

import pytest

from tests.simulation.run import simulate

BATCH = 100


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Batches of seeds, or the one that is to be seen again."""
    if "seeds" in metafunc.fixturenames:
        one, count = (metafunc.config.getoption(name) for name in ("--simulation-seed", "--simulations"))
        batches = [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
        metafunc.parametrize("seeds", [[one]] if one is not None else batches, ids=lambda seeds: f"from {seeds[0]}")


def test_calls_hold(seeds: range) -> None:
    """Whatever the callers do and whatever befalls their connections."""
    for seed in seeds:
        simulate(seed)
