"""Who may go on with a call."""

import pytest

from actors.admission.waiting import Kind
from actors.admission.waiting import Ledger as Memory
from actors.call.resume.attempts import MOST_TIMES, Accepted, Attempts
from actors.call.resume.ledger import Ledger
from actors.call.resume.token import issue
from actors.messages.caller import AudioResponse


class Call:
    """A call with a client that tries to come back; `handled` frames have come on the newest connection."""

    def __init__(self) -> None:
        self.secret, kept = issue()
        self.attempts, self.handled = Attempts(kept), 3
        self._fresh()

    def _fresh(self, frames: int = 4) -> None:
        self.ledger = Ledger(Memory().holding(1).parcel(Kind.REPLY))
        for number in range(frames):
            self.ledger.wrote(bytes([number + 1]))

    def decide(self, attach: int, received: int, secret: str = "") -> object:
        """What would become of an attempt."""
        return self.attempts.decide(secret or self.secret, attach, received, self.handled, self.ledger)

    def resume(self, attach: int, received: int) -> None:
        """It is accepted, and the next connection begins."""
        accepted = self.decide(attach, received)
        assert isinstance(accepted, Accepted)
        self.attempts.begin(attach, received, accepted, self.ledger)
        self.handled = 0
        self._fresh()


def test_the_newest_connection_is_what_a_client_names() -> None:
    """With what it received on it."""
    call = Call()
    assert call.decide(0, 2) == Accepted(2, 3)
    call.resume(0, 2)
    call.handled = 5
    assert call.decide(1, 4) == Accepted(4, 5)
    assert call.decide(0, 2) == "stale"


def test_the_same_attempt_counts_until_a_frame_has_come() -> None:
    """What was handled on the connection that it names is told again, and all is sent again."""
    call = Call()
    call.resume(0, 2)
    assert call.decide(0, 2) == Accepted(0, 3)
    call.resume(0, 2)
    assert call.attempts.attach == 2
    assert call.decide(0, 2) == Accepted(0, 3)
    assert call.decide(0, 3) == "stale"
    assert call.decide(1, 0) == "stale"
    assert call.decide(2, 1) == Accepted(1, 0)
    call.handled = 1
    assert call.decide(0, 2) == "stale"


@pytest.mark.parametrize(("attach", "received"), [(1, 0), (0, 5), (7, 7)])
def test_what_never_was_is_stale(attach: int, received: int) -> None:
    """A connection that never began, frames that were never written."""
    assert Call().decide(attach, received) == "stale"


def test_what_was_acknowledged_is_not_asked_for_again() -> None:
    """It is forgotten."""
    call = Call()
    call.ledger.acknowledge(3)
    assert call.decide(0, 2) == "stale"
    assert call.decide(0, 3) == Accepted(3, 3)


def test_nobody_comes_back_with_another_token() -> None:
    """Whatever else is right."""
    assert Call().decide(0, 2, issue()[0]) == "unknown"


def test_what_is_lost_is_too_much() -> None:
    """It cannot be whole."""
    call = Call()
    call.ledger.forfeit()
    assert call.decide(0, 4) == "too_much"


def test_a_whole_reply_is_written_three_times_at_most() -> None:
    """A line that never gets it through gets it no more; messages are not counted."""
    call = Call()
    for attach in range(MOST_TIMES - 1):
        call.ledger.wrote(AudioResponse("1.1", b"12"))
        call.resume(attach, 0)
    call.ledger.wrote(AudioResponse("1.1", b"12"))
    assert call.decide(MOST_TIMES - 1, 0) == "too_much"
    assert call.decide(MOST_TIMES - 1, 5) == Accepted(5, 0)
