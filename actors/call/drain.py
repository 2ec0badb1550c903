"""A call that is to end, with its server or its budget: it is over at the next pause, of the caller or the persona.

    told ──▶ the caller speaks ──▶ their turn is committed ──▶ closed
      ├────▶ a reply plays ──▶ its pause (finish.py, pauses.py), and that was heard ──▶ closed
      ├────▶ the connection to the model was lost in the middle of a reply: the rest of it plays, as above
      ├────▶ a choice is not decided: it is, or another server would go on with whoever was there before ──▶ as above
      ├────▶ neither: closed at once. Nobody answers what was asked last.
      └────▶ the caller is away: closed when they are back and one of these is so, or when their grace is over

All of it takes `within` seconds at most. A call in care goes on, where its caller's own budget is all that ends it.
"""

from actors.call.connection import Caller
from actors.call.conversation import Conversation
from actors.call.finish import Finish
from actors.call.host import SwitchboardHost
from actors.call.timers import PauseDue
from actors.messages.admission import RESTARTING, Drain

LOOK_SECONDS = 0.1


class CallDrain:
    """Waits for the pause at which a call ends."""

    def __init__(self, host: SwitchboardHost, caller: Caller, conversation: Conversation) -> None:
        self._host, self._caller, self._conversation = host, caller, conversation
        self._until: float | None = None
        self._close, self._own = RESTARTING, False

    def come(self, message: Drain | PauseDue, *, away: bool) -> None:
        """It is time to end, or to look whether there is a pause; there is none while the caller is `away`."""
        now = self._host.clock()
        if isinstance(message, Drain):
            if self._until is not None or (message.own and self._host.watch.lifted):
                return
            self._until, self._close, self._own = now + message.within, message.close, message.own
            if message.notice:
                self._caller.tell(message.notice)
            self._conversation.outbound.playing.finish(Finish(now, message.within))
        self._host.pace()
        speaks, chooses = self._conversation.inbound.stream.speaking, self._conversation.greetings.undecided
        paused = not (away or speaks or chooses or self._is_broken_off()) and self._conversation.outbound.silent(now)
        if paused or self._until is None or now >= self._until - 0.001:
            self._host.leave(self._close)
        else:
            self._host.after(min(LOOK_SECONDS, self._until - now), PauseDue())

    def spare(self) -> bool:
        """The call is in care: where a limit of the caller's own is all that ends it, it goes on.

        True if an answer that they still wait for was dropped meanwhile.
        """
        if not self._own:
            return False
        self._until, self._own = None, False
        self._host.cancel(PauseDue)
        playing = self._conversation.outbound.playing
        dropped = playing.dropped.intersection(self._conversation.owed.asks())
        playing.finish(None)
        return bool(dropped)

    def _is_broken_off(self) -> bool:
        """True if a connection to the model was lost in the middle of a reply, and none has gone on with it."""
        if self._conversation.outbound.playing.continued:
            return False
        greeting = self._conversation.greetings.owed
        broken_off = any(said.said_before and not said.cancelled for said in self._conversation.inbound.turns)
        return broken_off or bool(greeting and greeting.said_before)
