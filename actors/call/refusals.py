"""What is not taken of what a caller says: each is answered with an error, and too much of it ends the call."""

from collections import Counter
from collections.abc import Callable

from actors.admission.minors import NOT_FOR_MINORS
from actors.admission.rate import Rate, Window
from actors.call.connection import Caller
from actors.counters import Counters
from actors.messages.caller import Close, Error
from actors.services import Limits

MINUTE = 60.0
LOGGED_AS = {NOT_FOR_MINORS: "not_allowed"}  # the line that ends a call says nothing of an age
BURST_SECONDS = 10.0  # the messages of so long may come at once


class Refusals:
    """`leave` ends the call. What was refused is counted, by its code, in the `tally` of the call and for the server.

    `now` is in seconds, on a clock that never goes back.
    """

    def __init__(
        self, caller: Caller, leave: Callable[[Close], None], limits: Limits, tally: Counter[str], counters: Counters
    ) -> None:
        self._caller, self._leave = caller, leave
        self._tally, self._counters = tally, counters
        self._most, self._most_bad = limits.messages, limits.bad_messages
        self._rate = Rate(limits.messages, limits.messages * BURST_SECONDS)
        self._bad = Window(limits.bad_messages, MINUTE)

    def admit(self, now: float) -> bool:
        """One more message has come, of whatever kind. False, and the call ends, if they come too fast."""
        if self._rate.take(now):
            return True
        self._caller.tell(Error("too_many_messages", f"More than {self._most:g} messages a second came: send fewer."))
        self._leave(Close(4400, f"too many messages: send at most {self._most:g} a second"))
        return False

    def refuse(self, code: str, reason: str, now: float) -> None:
        """Say what is wrong with a message. Too many of these in a minute end the call."""
        self.excuse(code, reason)
        if self._bad.take(now):
            return
        reason = f"More than {self._most_bad} messages a minute were refused: see docs/wire.md."
        self._caller.tell(Error("too_many_messages", reason))
        self._leave(Close(4400, "too many messages were not understood: check the client against docs/wire.md"))

    def excuse(self, code: str, reason: str) -> None:
        """Say why a message is not taken, where that is no fault of the caller's."""
        self._tally[LOGGED_AS.get(code, code)] += 1
        self._counters.messages_refused[code] += 1
        self._caller.tell(Error(code, reason))
