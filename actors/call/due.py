"""What comes due of what the caller waits for, and what is done then (watch.py has the table)."""

from collections import Counter
from collections.abc import Callable

from actors.call.connection import Caller
from actors.call.host import SwitchboardHost
from actors.call.line import Leg
from actors.call.switchboard import Switchboard
from actors.call.timers import Look
from actors.call.watch import End
from actors.counters import Counters
from actors.messages.caller import Close, Notice


class Due:
    """Looks at the waits of a call; `lost` is told a connection of which nothing comes."""

    def __init__(
        self,
        host: SwitchboardHost,
        caller: Caller,
        switchboard: Switchboard,
        lost: Callable[[Leg, None], None],
        counters: Counters,
        tally: Counter[str],
    ) -> None:
        self._host, self._caller, self._switchboard, self._lost = host, caller, switchboard, lost
        self._bridges, self._counters, self._tally = switchboard.bridges, counters, tally

    def look(self) -> None:
        """Say and do what is due by the table, and look again when more is."""
        due, wait = self._host.watch.look(self._switchboard.waits(), self._host.clock())
        if wait is not None:
            self._host.after(wait, Look())
        for what in due:
            match what:
                case Notice():
                    self._caller.tell(what)
                case Close():
                    self._host.leave(what)
                case End.GIVE_UP:
                    self._switchboard.give_up()
                case End.FAIL:
                    self._fail()
                case End.STAND_BY:
                    self._counters.answer_stalls += 1
                    self._tally["stalls"] += 1
                    self._switchboard.stand_by()
                case _ if live := self._bridges.serving:
                    self._counters.answers_moved += what is End.GO_ON
                    self._lost(live, None)

    def _fail(self) -> None:
        """Nothing comes of what was asked of the connection that serves: it fails, and the next is asked."""
        if live := self._bridges.serving:
            self._switchboard.conversation.owed.give_up(live)
            self._host.pace()
        self._bridges.go_on()
