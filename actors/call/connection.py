"""The caller's connection as a session sees it: where to tell."""

from actors.messages.caller import Close, ConfigAck, ToCaller
from actors.runtime import Ref
from personas import Persona


class Caller:
    """The newest connection, by number; `call` is the name of the call, in the log and on the wire.

    Before the first connection and after the last, what it is told is dropped.
    """

    def __init__(self, call: str) -> None:
        self._call = call
        self.connection = 0
        self._outbox: Ref[ToCaller] | None = None

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
