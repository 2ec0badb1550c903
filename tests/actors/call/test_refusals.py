"""What is not taken of what a caller says, and when that ends the call."""

from collections import Counter

from actors.call.connection import Caller
from actors.call.refusals import BURST_SECONDS, MINUTE, Refusals
from actors.counters import Counters
from actors.messages.caller import Close, Error
from actors.messages.identity import Identity
from actors.services import Limits
from actors.testing.probe import Probe

LIMITS = Limits(messages=10.0, bad_messages=3)


class Line:
    """A caller with limits of their own, and how their call was ended."""

    def __init__(self) -> None:
        self.outbox, self.closes = Probe("caller"), list[Close]()
        self.tally, self.counters = Counter[str](), Counters()
        caller = Caller("call", Identity("user-1"))
        caller.attach(1, self.outbox)
        self.refusals = Refusals(caller, self.closes.append, LIMITS, self.tally, self.counters)

    def told(self) -> list[str]:
        """The codes of the errors that the caller was told and the test has not taken yet."""
        return [message.code for message in self.outbox.take() if isinstance(message, Error)]


def test_messages_that_come_too_fast_end_the_call() -> None:
    """A burst may come at once, and then as many as the limit says."""
    line = Line()
    burst = int(LIMITS.messages * BURST_SECONDS)
    assert all(line.refusals.admit(0.0) for _ in range(burst))
    assert not line.refusals.admit(0.0)
    assert [close.code for close in line.closes] == [4400]
    assert line.told() == ["too_many_messages"]
    assert line.refusals.admit(0.2)


def test_too_many_refused_in_a_minute_end_the_call() -> None:
    """Each is told; the one over the limit brings the close."""
    line = Line()
    for number in range(LIMITS.bad_messages):
        line.refusals.refuse("invalid", "no", float(number))
    assert (line.told(), line.closes) == (["invalid"] * 3, [])
    line.refusals.refuse("invalid", "no", MINUTE - 1)
    assert [close.code for close in line.closes] == [4400]
    assert line.told() == ["invalid", "too_many_messages"]


def test_what_was_refused_longer_ago_does_not_count() -> None:
    """Three a minute may go on for ever."""
    line = Line()
    for number in range(20):
        line.refusals.refuse("invalid", "no", number * MINUTE / LIMITS.bad_messages)
    assert line.closes == []


def test_what_is_no_fault_of_the_callers_is_told_and_counted_and_ends_nothing() -> None:
    """As where there was no room for a clip."""
    line = Line()
    for _ in range(20):
        line.refusals.excuse("busy", "later")
    assert (line.told(), line.closes) == (["busy"] * 20, [])
    assert line.tally["busy"] == line.counters.messages_refused["busy"] == 20
