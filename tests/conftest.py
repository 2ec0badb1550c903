"""Options of our own."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many calls are simulated, and which."""
    group = parser.getgroup("simulation")
    group.addoption("--simulations", type=int, default=5200, metavar="N", help="runs of one to three calls or more")
    group.addoption("--simulation-seed", type=int, metavar="S", help="one run, again")
