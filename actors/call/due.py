"""What comes due of what the caller waits for, and what is done then (watch.py has the table)."""

from collections import Counter
from collections.abc import Callable

from actors.admission import minors
from actors.call.drain import CallDrain
from actors.call.host import SwitchboardHost
from actors.call.line import Leg
from actors.call.resume.absence import Absence
from actors.call.switchboard import Switchboard
from actors.call.timers import Look, MicrophoneSilent, PauseDue
from actors.call.uplink import MUTED_SECONDS, Uplink
from actors.call.watch import End
from actors.counters import Counters
from actors.messages.admission import Drain
from actors.messages.caller import Close, Notice


class Due:
    """Looks at the waits of a call and at its microphone; `lost` is told a connection of which nothing comes.

    `counters` are those of the server and of the call.
    """

    def __init__(
        self,
        host: SwitchboardHost,
        switchboard: Switchboard,
        absence: Absence,
        counters: tuple[Counters, Counter[str]],
        lost: Callable[[Leg, None], None],
    ) -> None:
        self._counters, self._tally = counters
        self._host, self._caller = host, switchboard.conversation.caller
        self._switchboard, self._absence = switchboard, absence
        self._bridges, self._lost = switchboard.bridges, lost
        self._drain = CallDrain(host, self._caller, switchboard.conversation)

    def come(self, timer: Look | MicrophoneSilent | Drain | PauseDue, *, over: bool) -> None:
        """A timer has come; once the call is `over` nothing is due by the table."""
        match timer:
            case MicrophoneSilent():
                self._microphone(self._switchboard.conversation.inbound.stream)
            case Look() if not over:
                self._look()
            case Drain() | PauseDue() if not over:
                self._drain.come(timer, away=self._absence.since is not None)

    def spare(self) -> None:
        """The call is in care. An answer that was dropped for its end is asked for again, on another connection."""
        if self._drain.spare() and (live := self._bridges.serving):
            self._lost(live, None)

    def _look(self) -> None:
        """Say and do what is due by the table, and look again when more is."""
        due, wait = self._host.watch.look(self._absence.waits(self._switchboard.waits()), self._host.clock())
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
                case End.PART:
                    self.come(Drain(minors.LAST_SECONDS, minors.ENDS, minors.CLOSE, own=True), over=False)
                case End.SAY:
                    self._switchboard.conversation.greetings.insisted.retry(at_pause=True)
                    self._bridges.go_on()
                case End.STAND_BY:
                    self._counters.answer_stalls += 1
                    self._tally["stalls"] += 1
                    self._switchboard.stand_by()
                case _ if live := self._bridges.serving:
                    self._counters.answers_moved += what is End.GO_ON
                    self._lost(live, None)

    def _microphone(self, stream: Uplink) -> None:
        """Close a turn in which no audio comes any more, unless the caller is away: they may go on with it."""
        if self._absence.since is None and stream.close_what_is_open(self._host.clock()):
            self._host.after(MUTED_SECONDS, MicrophoneSilent())
            self._host.after(0.0, Look())

    def _fail(self) -> None:
        """Nothing comes of what was asked of the connection that serves: it fails, and the next is asked."""
        if live := self._bridges.serving:
            self._switchboard.conversation.owed.give_up(live)
            self._host.pace()
        self._bridges.go_on()
