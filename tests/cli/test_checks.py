"""What a server says of its settings before it serves."""

import pytest

from cli.checks import check, warn_of_minors
from cli.failure import CannotServe
from cli.judge import JudgeSettings
from cli.settings import Settings
from tests.kit.four import FOUR, FREE

NOBODY = "callers who are known to be minors can call nobody"


def test_a_judge_that_makes_no_sense_is_told_before_anything_is_loaded() -> None:
    """Such as the local engine, which takes a while."""
    with pytest.raises(CannotServe, match="--care-judge-model"):
        check(Settings(judge=JudgeSettings(care_judge_url="https://judge.example/v1")), FOUR)


def test_it_is_said_if_minors_can_call_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """As with those that ship; not where somebody has no price."""
    caplog.set_level("INFO")
    warn_of_minors(FREE)
    assert NOBODY not in caplog.text
    warn_of_minors(FOUR)
    assert NOBODY in caplog.text
