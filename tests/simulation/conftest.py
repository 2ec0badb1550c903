"""Seeds in batches, for the tests of whole calls."""

import pytest

BATCH = 100


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Batches of seeds, or the one that is to be seen again."""
    if "seeds" in metafunc.fixturenames:
        one, count = (metafunc.config.getoption(name) for name in ("--simulation-seed", "--simulations"))
        batches = [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
        metafunc.parametrize("seeds", [[one]] if one is not None else batches, ids=lambda seeds: f"from {seeds[0]}")
