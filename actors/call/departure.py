"""Why a call may end, but for what comes due (due.py): the caller goes, another connection or the server ends it."""

from actors.call.connection import Caller
from actors.call.ending import CallEnding
from actors.call.host import SwitchboardHost
from actors.call.resume.absence import Absence
from actors.call.timers import GraceOver, TimeUp
from actors.messages.admission import GONE, RESTARTING, Detached, LetGo, Replaced
from actors.messages.caller import Close, Notice
from actors.runtime import Stop


class Departure:
    """Decides whether the call ends of it."""

    def __init__(self, host: SwitchboardHost, caller: Caller, absence: Absence, ending: CallEnding) -> None:
        self._host, self._caller, self._absence, self._ending = host, caller, absence, ending

    def consider(self, message: Detached | Replaced | Stop | TimeUp | GraceOver | LetGo) -> None:
        """One of these has come."""
        match message:
            case Detached(connection, how, seen_at):
                if connection != self._caller.connection or self._absence.since is not None:
                    return
                if self._ending.begun or not self._absence.begin(how, seen_at):
                    self._caller.detach()
                    self._absence.unmetered(seen_at)
                    self._host.leave(how)
            case GraceOver() | LetGo() if self._absence.since is not None:
                self._host.leave(GONE)
            case LetGo():
                self._caller.forfeit()
            case Replaced():
                self._host.leave(Close(4409, "replaced by your newer connection: do not reconnect this one"))
            case Stop():
                self._caller.tell(Notice("draining", "The server is restarting: call again in a moment."))
                self._host.leave(RESTARTING)
            case TimeUp() if not self._host.watch.lifted:
                self._host.leave(Close(1000, "this call has reached its longest time: call again to go on"))
