"""Thousands of whole calls, with everything that can go wrong."""

import pytest

from tests.simulation.run import Run, simulate

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


def test_calls_whose_lines_are_lost_hold(seeds: range) -> None:
    """All callers may come back, and must."""
    for seed in seeds[::3] if len(seeds) > 1 else seeds:
        simulate(seed, fragile=1.0)


def test_a_run_is_the_same_whenever_its_seed_is() -> None:
    """Else a failure could not be looked at again."""
    runs = [Run(7), Run(7)]
    for run in runs:
        run.go()
    first, second = ([(at, who, type(what)) for at, who, what in run.world.log] for run in runs)
    assert first == second
    assert len(first) > 100
