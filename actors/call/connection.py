"""The caller's connection as a session sees it: where to tell, and how much has come from there."""

from actors.admission.rate import Rate, Window
from actors.messages.caller import Close, ConfigAck, Error, ToCaller
from actors.runtime import Ref
from personas import Persona

MINUTE = 60.0
BURST_SECONDS = 10.0  # the messages of so long may come at once


class Caller:
    """The newest connection, by number; `call` is its name in the log.

    Before the first connection and after the last, what it is told is dropped.
    """

    def __init__(self, call: str, bad_messages: int, messages: float) -> None:
        self._call = call
        self.connection = 0
        self._outbox: Ref[ToCaller] | None = None
        self._allowed, self._messages = bad_messages, messages
        self._rate = Rate(messages, messages * BURST_SECONDS)
        self._bad = Window(bad_messages, MINUTE)

    def attach(self, connection: int, outbox: Ref[ToCaller]) -> None:
        """From now on the caller is here."""
        self.connection, self._outbox = connection, outbox

    def detach(self) -> None:
        """The connection is gone: nothing more is said."""
        self._outbox = None

    def tell(self, message: ToCaller, /) -> None:
        """Say something to the caller; after a Close nothing more is said."""
        if self._outbox:
            self._outbox.tell(message)
        if isinstance(message, Close):
            self._outbox = None

    def acknowledge(self, persona: Persona) -> None:
        """Say who is on the line, and at what price."""
        names = (persona.id, persona.name, persona.language, persona.language_code, persona.voice)
        pricing, message = persona.behaviour.pricing, f"{persona.name} is on the line."
        self.tell(ConfigAck(*names, self._call, message, pricing.tariff if pricing else None))

    def spoke(self, now: float) -> Close | None:
        """One more message has come, of whatever kind; the Close to end with when they come too fast."""
        if self._rate.take(now):
            return None
        self.tell(Error("too_many_messages", f"More than {self._messages:g} messages a second came: send fewer."))
        return Close(4400, f"too many messages: send at most {self._messages:g} a second")

    def refuse(self, code: str, message: str, now: float) -> Close | None:
        """Say what was wrong with a message; the Close to end with once there were too many in a minute."""
        self.tell(Error(code, message))
        if self._bad.take(now):
            return None
        reason = f"More than {self._allowed} messages a minute were refused: see docs/wire.md."
        self.tell(Error("too_many_messages", reason))
        return Close(4400, "too many messages were not understood: check the client against docs/wire.md")
