"""How many handles there must be, and who gets them."""

import resource
import subprocess
import sys

import pytest

from cli.failure import CannotServe
from cli.file_descriptors import MOST, OWN, room_for_callers
from tests.kit.process import START_SECONDS


def test_the_limit_is_raised_as_far_as_it_goes() -> None:
    """A child is asked, so that this process stays as it is."""
    code = "import resource; from cli.file_descriptors import raise_limit; print(raise_limit(), *resource.getrlimit(7))"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(soft, 256)
    command = ["bash", "-c", f'ulimit -Sn {low}; exec {sys.executable} -c "{code}"']
    said = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=True).stdout.split()
    most = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    assert said[:2] == [str(most), str(most)]


def test_every_call_that_is_let_in_has_its_handles() -> None:
    """Its own, its upstream's, and another while that is rolled over; and there is room for questions."""
    for sessions in (1, 20, 500, 10_000):
        with pytest.raises(CannotServe) as refused:
            room_for_callers(0, sessions)
        needed = int(str(refused.value).split(" need ")[1].split()[0])
        assert needed >= 2 * sessions + OWN
        assert room_for_callers(needed, sessions) > sessions
        assert room_for_callers(needed + 1000, sessions) == room_for_callers(needed, sessions) + 1000
        with pytest.raises(CannotServe):
            room_for_callers(needed - 1, sessions)


def test_the_figures_are_those_of_the_documents() -> None:
    """Two for a call, one more for a fourth of the calls, and 128: docs/operations.md gives the sum for 500."""
    assert room_for_callers(1253, 500) == 500 + 32
    with pytest.raises(CannotServe, match="need 1253 handles"):
        room_for_callers(1252, 500)


def test_too_few_say_what_to_do() -> None:
    """With the number to give."""
    with pytest.raises(CannotServe, match=r"ulimit -n \d+.*LimitNOFILE=\d+.*--sessions") as refused:
        room_for_callers(1024, 500)
    assert refused.value.code == 2


def test_this_machine_can_serve() -> None:
    """As `make run` does it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert room_for_callers(MOST if hard == resource.RLIM_INFINITY else min(hard, MOST), 500) > 500
