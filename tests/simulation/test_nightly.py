"""What is told of a night."""

import re

import pytest

from tests.simulation import nightly
from tests.simulation.run import Simulated


def test_every_failed_seed_is_told_with_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    """So that it can be seen again in the morning; the others are counted."""

    def fail(seed: int) -> int:
        raise Simulated("\nthe whole story\na word was lost\nseed 7: see it again")

    assert nightly.report(7, iter([nightly.attempt(7), nightly.attempt(8, fail)])) == [8]
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["a word was lost", f"    {nightly.AGAIN} 8"]
    assert re.fullmatch(r"2 runs from seed 7 on, \d+ calls, 1 failed 8", told[2])
