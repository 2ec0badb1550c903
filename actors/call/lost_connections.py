"""The connections to the model that end: each is a child of the session, and its Down is judged here."""

import logging
from collections.abc import Callable

from actors.call.host import SwitchboardHost
from actors.call.line import Leg
from actors.call.switchboard import Switchboard
from actors.call.watch import RECONNECTING
from actors.counters import Counters
from actors.messages.admission import AccountBlocked
from actors.messages.bridge import AccountRefused, UpstreamLost, UpstreamRefused
from actors.runtime import Down, MailboxOverflow, Ref

log = logging.getLogger(__name__)


class LostConnections:
    """`told` is told when the last facts of a connection that retired are in."""

    def __init__(
        self,
        host: SwitchboardHost,
        switchboard: Switchboard,
        counters: Counters,
        supervisor: Ref[AccountBlocked],
        told: Callable[[], None],
    ) -> None:
        self._host, self._switchboard, self._bridges = host, switchboard, switchboard.bridges
        self._conversation, self._counters = switchboard.conversation, counters
        self._supervisor, self._told = supervisor, told

    def ended(self, down: Down) -> bool:
        """A bridge has ended; False if that is none, or told more than a session can handle: the call ends with it."""
        leg = self._bridges.line.leg_of(down.ref)
        if leg is None or isinstance(down.cause, MailboxOverflow):
            return False
        if leg in self._bridges.line.retiring:  # as all are, once the caller is gone
            self._bridges.gone(leg)
            self._told()
            return True
        if isinstance(down.cause, AccountRefused):
            self._supervisor.tell(AccountBlocked(str(down.cause)))
        self.lost(leg, down.cause or UpstreamLost("it has ended"))
        return True

    def lost(self, leg: Leg, cause: BaseException | None) -> None:
        """A connection has ended; without a cause, it is given up because nothing comes of it."""
        caller, why = self._conversation.caller, cause or "it says nothing"
        log.warning("session=%s lost generation %d: %s", caller.call, leg.generation, why)
        self._counters.upstream_lost += 1
        if leg is self._bridges.line.live:
            caller.tell(RECONNECTING)
            if self._conversation.lost(leg, died=cause is not None and not isinstance(cause, UpstreamRefused)):
                self._bridges.answered()  # it was lost over one turn: it serves the next one
            if self._conversation.outbound.streamed:
                self._host.pace()
        self._switchboard.lost(leg, cause)
