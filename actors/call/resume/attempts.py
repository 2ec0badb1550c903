"""Who may go on with a call, and from where: the decision on each attempt to come back. Pure.

The connections of a call are numbered from 0 (`attach`). A client names the last one of which it saw the beginning, and
how much it received on that. It may have seen nothing of the newest one: its `resumed` was lost. So the same attempt is
accepted again until a frame of the client's has come on the newest connection, which proves that it is there.

    attach 0 ─▶ resume(0, r) ─▶ attach 1 ─┬─▶ a frame comes: confirmed ─▶ resume(1, …) alone is accepted
                                          ├─▶ resume(0, r) again: `resumed` was lost ─▶ attach 2
                                          └─▶ resume(1, …): it saw `resumed`, and lost this one, too ─▶ attach 2
"""

from dataclasses import dataclass

from actors.call.resume import token
from actors.call.resume.ledger import Ledger
from actors.messages.caller import AudioResponse
from actors.messages.resuming import Moved, NotResumedCode

MOST_TIMES = 3  # that a whole reply is written: on a line that it never gets through, one more is of no use


@dataclass(frozen=True, slots=True)
class Accepted:
    """The call goes on: of the newest connection's frames the caller has `received`, of theirs `handled` were."""

    received: int
    handled: int
    moved: Moved | None = None
    """The call came from another node by this attempt, and the caller has not seen that."""


class Attempts:
    """The number of the newest connection (`attach`), and what makes an attempt a good one."""

    def __init__(self, kept: bytes) -> None:
        self.kept = kept
        self.attach = 0
        self._before: tuple[int, int] | None = None  # attach and received of the attempt that began the newest one
        self._handled_before = 0  # frames of the caller's, on the connection that this attempt named
        self._times: dict[str, int] = {}  # whole reply -> how often it was written and not received
        self._moved: Moved | None = None  # by the attempt that began the newest one

    @property
    def before(self) -> tuple[int, int]:
        """The connection that the attempt named which began the newest one, and how many of its frames were handled."""
        return (self._before[0] if self._before else 0), self._handled_before

    def adopt(self, attach: int, received: int, handled: int, moved: Moved) -> None:
        """The call comes from another node, by an attempt that named its last connection there."""
        self._before, self._handled_before = (attach, received), handled
        self._moved, self.attach = moved, attach + 1

    def decide(
        self, secret: str, attach: int, received: int, handled: int, ledger: Ledger
    ) -> Accepted | NotResumedCode:
        """Whether this attempt is good. `handled` frames of the caller's came on the newest connection.

        Changes nothing: what was accepted is told to `begin`.
        """
        if not token.fits(secret, self.kept):
            return "unknown"
        if attach == self.attach:
            accepted = Accepted(received, handled)
        elif not handled and (attach, received) == self._before:
            accepted = Accepted(0, self._handled_before, self._moved)
        else:
            return "stale"
        if ledger.lost:
            return "too_much"
        if not ledger.first <= accepted.received <= ledger.written:
            return "stale"
        missing = ledger.missing(accepted.received)
        tried = [self._times.get(one.response_id, 0) + 1 for one in missing if isinstance(one, AudioResponse)]
        return "too_much" if max(tried, default=0) >= MOST_TIMES else accepted

    def begin(self, attach: int, received: int, accepted: Accepted, ledger: Ledger) -> None:
        """Another connection begins, by this attempt."""
        for one in ledger.missing(accepted.received):
            if isinstance(one, AudioResponse):
                self._times[one.response_id] = self._times.get(one.response_id, 0) + 1
        if attach == self.attach:
            self._before, self._handled_before, self._moved = (attach, received), accepted.handled, None
        self.attach += 1
