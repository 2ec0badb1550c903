"""Thousands of whole calls, with everything that can go wrong."""

from tests.simulation.run import Run, simulate


def test_calls_hold(seeds: range) -> None:
    """Whatever the callers do and whatever befalls their connections."""
    for seed in seeds:
        simulate(seed)


def test_a_run_is_the_same_whenever_its_seed_is() -> None:
    """Else a failure could not be looked at again."""
    runs = [Run(7), Run(7)]
    for run in runs:
        run.go()
    first, second = ([(at, who, type(what)) for at, who, what in run.world.log] for run in runs)
    assert first == second
    assert len(first) > 100
