"""The caller's connection as a session sees it: where to tell, and how the call outlives it."""

from typing import Protocol

from actors.call.resume import token
from actors.call.resume.attempts import Accepted, Attempts
from actors.call.resume.ledger import MOST_SOUND, Counting, Ledger, Outlet
from actors.call.resume.pending import Pending
from actors.messages.admission import Resume
from actors.messages.caller import Close, ConfigAck, ToCaller
from actors.messages.identity import Identity
from actors.messages.resuming import Moved, NotResumedCode, ResumeOffer
from actors.runtime import Ref
from personas import Persona

GRACE_SECONDS = 30
SUPERSEDED = Close(4410, "you have resumed elsewhere: do not reconnect this one")


class Shared(Protocol):
    """What this caller takes of the memory that all callers share: actors/call/room.py."""

    def parcel(self) -> Counting:
        """A new count of what is kept for them."""
        ...

    def leave(self) -> None:
        """They are away."""
        ...

    def come_back(self) -> None:
        """They are back."""
        ...


class Caller:
    """The newest connection, by number; `call` is the name of the call, in the log and on the wire.

    `identity` is who they are, and what they may. `discloses`: they are told that an AI speaks.

    Before the first connection and after the last, what it is told is dropped. While a caller who may come back is
    away, it waits. `handled` frames have come on this connection and were handled; `resumable`: the caller asks for it.
    """

    def __init__(self, call: str, identity: Identity, discloses: bool = True, node: str = "") -> None:
        """`node` is the name of this server, if it has one."""
        self.call, self.identity, self._discloses, self._node = call, identity, discloses, node
        self.issued: tuple[str, bytes] | None = None
        """The token that this call will be offered, and its hash, if they were made before."""
        self.connection = self.handled = 0
        self.resumable = False
        self._outbox: Ref[ToCaller] | None = None
        self._outlet: Outlet | None = None  # the same, or where it passes on to, of a caller who may come back
        self._attempts: Attempts | None = None
        self._ledger: Ledger | None = None
        self._pending: Pending | None = None
        self._room: Shared | None = None

    def attach(self, connection: int, outbox: Ref[ToCaller], room: Shared | None = None) -> None:
        """From now on the caller is here.

        `room` is where what is kept for them is counted; without it the call cannot be resumed.
        """
        self.connection, self._outbox, self._room = connection, outbox, room

    def detach(self) -> None:
        """The connection is gone: nothing more is said."""
        self._outbox = None

    def drop(self, close: Close) -> None:
        """The call goes on elsewhere: nothing more is said but this, and nobody comes back here."""
        if self._outlet:
            self._outlet.seize()
        if outbox := self._outlet or self._outbox:
            outbox.tell(close)
        self.forget()

    def forget(self) -> None:
        """The call is over, and nobody comes back: nothing is kept for them."""
        self._outbox = self._outlet = self._attempts = self._ledger = self._pending = self._room = None

    def tell(self, message: ToCaller, /) -> None:
        """Say something to the caller; after a Close nothing more is said."""
        if self._outbox is not None:
            self._outbox.tell(message)
        if isinstance(message, Close):
            self._outbox = None

    def acknowledge(self, persona: Persona) -> None:
        """Say who is on the line, and at what price; the first time that the caller asks for it, how to come back."""
        names = (persona.id, persona.name, persona.language, persona.language_code, persona.voice)
        told = persona.disclosure if self._discloses else None
        pricing, message = persona.behaviour.pricing, f"{persona.name} is on the line."
        self.tell(ConfigAck(*names, self.call, message, pricing.tariff if pricing else None, self._offer(), told))

    # How the call outlives it.

    def adopt(self, asked: Resume, outlet: Outlet, room: Shared, handled: int, moved: Moved) -> int:
        """The call comes from another node, over this connection: returns its number.

        Of the frames of the connection before, so many were `handled` there.
        """
        self._attempts, self._ledger = Attempts(token.digest(asked.token)), Ledger(room.parcel())
        self._attempts.adopt(asked.attach, asked.received, handled, moved)
        outlet.keep(self._ledger)
        self._outbox = self._outlet = outlet
        self.resumable, self._room = True, room
        return self._attempts.attach

    @property
    def seen_at(self) -> float | None:
        """When a caller who may come back gave the last sign of life on this connection; None if nobody knows."""
        return self._outlet.seen_at() if self._outlet else None

    @property
    def secret(self) -> bytes | None:
        """The hash of the token; None while the caller cannot come back."""
        return self._attempts.kept if self._attempts else None

    @property
    def numbers(self) -> tuple[int, tuple[int, int]]:
        """Of a caller who may come back: that of the newest connection, and `before` as Attempts has it."""
        return (self._attempts.attach, self._attempts.before) if self._attempts else (0, (0, 0))

    @property
    def choked(self) -> bool:
        """True if so much sound is not acknowledged that no more may be released."""
        return bool(self._ledger and self._outlet and self._ledger.sound + self._outlet.unsent >= MOST_SOUND)

    def acknowledged(self, received: int) -> bool:
        """The caller has so many frames of this connection; False if so many were not written."""
        return not self._ledger or self._ledger.acknowledge(received)

    def lose(self, close: Close | None = None) -> None:
        """The connection is lost, or is left for another with `close`: what is said from now on waits."""
        assert self._outlet
        assert self._ledger
        assert self._room
        self._room.leave()
        frames = self._outlet.seize()
        if close:
            self._outlet.tell(close)
        if self._pending and self._outbox is self._pending:  # they had not caught up
            self._pending.begin(frames, self._ledger, None)
        else:
            self._outbox = self._pending = Pending(frames, self._ledger, self._room.parcel())
        self._outlet = None

    def decide(self, asked: Resume) -> Accepted | NotResumedCode:
        """Whether the call may go on over this connection."""
        if not self._attempts or not self._ledger:
            return "unknown"
        told = self._attempts.decide(asked.token, asked.attach, asked.received, self.handled, self._ledger)
        if isinstance(told, Accepted) and self._pending and self._pending.overfull:
            return "too_much"
        return told

    def unreceived(self, received: int) -> set[str]:
        """The ids of the replies of which the caller has not all, if they have so many frames of this connection."""
        missing = self._ledger.missing(received) if self._ledger else ()
        waiting = self._pending.unheard() if self._pending else ()
        return {frame.response_id for frame in missing if not isinstance(frame, bytes)} | set(waiting)

    def come_back(self, asked: Resume, outlet: Outlet, accepted: Accepted) -> tuple[int, Pending]:
        """The call goes on over this connection; its number, and what they have not received."""
        assert self._attempts
        assert self._ledger
        assert self._pending
        assert self._room
        missing = self._ledger.missing(accepted.received)
        self._attempts.begin(asked.attach, asked.received, accepted, self._ledger)
        self._ledger.close()
        self._ledger = Ledger(self._room.parcel())
        outlet.keep(self._ledger)
        self._pending.begin(missing, self._ledger, outlet)
        self._room.come_back()
        self._outlet, self.connection, self.handled = outlet, asked.connection, 0
        return self._attempts.attach, self._pending

    def catch_up(self, ahead: float) -> float | None:
        """Tell a caller who is back what they missed; returns after how many seconds more is due, None if nothing is.

        `ahead` as in Pending.pour.
        """
        if self._pending is None or self._outlet is None:
            return None
        if (wait := self._pending.pour(self._outlet, ahead)) is None:
            if self._outbox is self._pending:
                self._outbox = self._outlet
            self._pending = None
        return wait

    def forfeit(self) -> None:
        """Others need the memory of what is kept for them: they cannot come back to all of it."""
        if self._ledger:
            self._ledger.forfeit()

    def _offer(self) -> ResumeOffer | None:
        if not self.resumable or self._attempts or not self._room or not isinstance(self._outbox, Outlet):
            return None
        secret, kept = self.issued or token.issue()
        self._attempts, self._ledger, self._outlet = Attempts(kept), Ledger(self._room.parcel()), self._outbox
        self._outlet.keep(self._ledger)
        return ResumeOffer(secret, self._attempts.attach, GRACE_SECONDS, self._node or None)
