"""Who is away, who asks, and what has ended."""

from typing import Any

from actors.admission import resumes
from actors.admission.resumes import MOST_REMEMBERED, REMEMBERED_SECONDS, Resumes
from actors.counters import Counters
from actors.messages.admission import Ended, Resume
from personas.meter import Bill


def test_the_one_longest_away_is_let_go_first() -> None:
    """Whoever is back is not."""
    calls, refs = Resumes(Counters()), [Any, str, int]
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
    calls, bill = Resumes(Counters()), Bill()
    calls.ended(Ended("asha", b"token", bill), 0.0)
    assert calls.past("asha", b"token", REMEMBERED_SECONDS) is bill
    assert calls.past("asha", b"token", REMEMBERED_SECONDS + 1) is None
    assert calls.past("usha", b"token", 1.0) is None
    assert calls.past("asha", b"other", 1.0) is None


def test_few_are_remembered() -> None:
    """The oldest are forgotten, by their number and by their age."""
    calls = Resumes(Counters())
    for number in range(MOST_REMEMBERED + 5):
        calls.ended(Ended(f"user{number}", b"token", Bill()), 0.0)
    assert len(calls._past) == MOST_REMEMBERED
    calls.ended(Ended("newest", b"token", Bill()), REMEMBERED_SECONDS + 1)
    assert list(calls._past) == ["newest"]


def test_each_refusal_has_its_reason() -> None:
    """In words for a caller; what they have not heard is added."""
    for code, reason in resumes.WHY.items():
        told = Resumes(Counters()).refusal("asha", b"", code, "You will marry.", 0.0)
        assert (told.message, told.bill, told.text) == (reason, None, "You will marry.")


def test_what_becomes_of_the_calls_is_counted() -> None:
    """Who is away now, who came back, who asked in vain and why, and who was away when their call ended."""
    counters, refs = Counters(), [Any, str, int]
    calls, sessions = Resumes(counters), list[Any](refs)
    for session in sessions:
        calls.went(session)
    assert counters.away == 3
    calls.ask(sessions[0], asked())
    calls.came_back(sessions[0], asked())
    calls.over(sessions[0], 1000)
    calls.over(sessions[1], 1006)
    calls.gone(sessions[1])
    assert (counters.away, counters.resumed, counters.given_up) == (1, 1, {1006: 1})
    calls.refusal("asha", b"", "stale", "", 0.0)
    calls.ended(Ended("asha", b"token", Bill()), 0.0)
    assert calls.refusal("asha", b"token", "unknown", "", 0.0).bill == Bill()
    assert counters.not_resumed == {"stale": 1, "ended": 1}


def asked() -> Resume:
    """An attempt of a user's."""
    return Resume("asha", 1, NOBODY, NOBODY, "token", 0, 0)


NOBODY: Any = None
