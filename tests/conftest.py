"""Options of our own, and how many examples hypothesis draws."""

import gc
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.kit import secrets

# By the clock no example fails: the machine may be busy.
settings.register_profile("quick", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many calls are simulated, and which."""
    group = parser.getgroup("simulation")
    group.addoption("--simulations", type=int, default=100, metavar="N", help="runs of one to three calls or more")
    group.addoption("--simulation-seed", type=int, metavar="S", help="one run, again")


@pytest.fixture(scope="session", autouse=True)
def _decoders() -> Iterator[None]:
    """Those that stories share are ended when all tests are over."""
    yield
    if story := sys.modules.get("tests.kit.story"):
        story.close()


def pytest_configure() -> None:
    """All that is logged and sent is looked through for secrets."""
    secrets.watch()


@pytest.fixture(autouse=True)
def _no_secret_is_told() -> Iterator[None]:
    """No key and no token is in a log, nor in a frame or a close reason of any caller."""
    yield
    assert secrets.found() == []


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector, which tests of leaks call again and again, need not look at it."""
    gc.collect()
    gc.freeze()
