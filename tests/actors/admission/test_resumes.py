"""Who is away, who asks, and what has ended."""

from typing import Any

from actors.admission import resumes
from actors.admission.resumes import MOST_REMEMBERED, REMEMBERED_SECONDS, Resumes
from actors.messages.admission import Ended
from personas.meter import Bill


def test_the_one_longest_away_is_let_go_first() -> None:
    """Whoever is back is not."""
    calls, refs = Resumes(), [Any, str, int]
    sessions: list[Any] = [*refs]
    for session in sessions:
        calls.went(session)
    longest = []
    for session in sessions:
        longest.append(calls.longest_away)
        calls.back(session)
    assert longest == sessions
    assert calls.longest_away is None


def test_a_call_that_ended_is_remembered_for_its_user_and_token() -> None:
    """For ten minutes."""
    calls, bill = Resumes(), Bill()
    calls.ended(Ended("asha", b"token", bill), 0.0)
    assert calls.past("asha", b"token", REMEMBERED_SECONDS) is bill
    assert calls.past("asha", b"token", REMEMBERED_SECONDS + 1) is None
    assert calls.past("usha", b"token", 1.0) is None
    assert calls.past("asha", b"other", 1.0) is None


def test_few_are_remembered() -> None:
    """The oldest are forgotten, by their number and by their age."""
    calls = Resumes()
    for number in range(MOST_REMEMBERED + 5):
        calls.ended(Ended(f"user{number}", b"token", Bill()), 0.0)
    assert len(calls._past) == MOST_REMEMBERED
    calls.ended(Ended("newest", b"token", Bill()), REMEMBERED_SECONDS + 1)
    assert list(calls._past) == ["newest"]


def test_each_refusal_has_its_reason() -> None:
    """In words for a caller."""
    for code, reason in resumes.WHY.items():
        assert resumes.refusal(code).message == reason
