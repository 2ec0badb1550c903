"""One caller's session on a stage, with a hand on everything around it."""

import asyncio
from dataclasses import replace
from functools import cache
from typing import Any, cast

from actors.admission.slots import PersonaSlots
from actors.messages.admission import Attached, Detached, From, ReleaseSlots, Reserve
from actors.messages.caller import Chose, ConfigAck, FromCaller
from actors.messages.identity import Identity
from actors.runtime import Clock, Down, Hired, Ref, Stop, launch
from actors.services import Limits, Services
from actors.session import SessionInbox, UserSessionActor
from actors.testing.loop import settle
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from actors.testing.wire import Wire, Wires
from audio import Decoded, Pool, Sender, Undecoded
from personas import Catalogue, CurrentCatalogue
from upstream.models import Languages

ENDING_SECONDS = 5.0  # the last facts have 2 s, and so have children that will not end


class InHand:
    """A clip that waits for the test to decode it."""

    def __init__(self, number: int, clip: bytes, to: Ref[Decoded | Undecoded], by: Sender = ()) -> None:
        self.clip, self.by = clip, by
        self.cancelled = False
        self._number, self._to = number, to

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self.cancelled = True

    def decode(self, pcm: bytes | None = None) -> None:
        """It is decoded; without `pcm` the clip itself is taken for what is in it."""
        if not self.cancelled:
            self._to.tell(Decoded(self._number, self.clip if pcm is None else pcm))

    def refuse(self, code: str = "audio_undecodable", message: str = "record it again") -> None:
        """It cannot be decoded."""
        if not self.cancelled:
            self._to.tell(Undecoded(self._number, code, message))


class Decoders:
    """Decoders that decode at once, until `by_hand` is set: then a test decodes what is in `clips`."""

    def __init__(self) -> None:
        self.by_hand = False
        self._clips: list[InHand] = []

    @property
    def clips(self) -> list[InHand]:
        """All clips that ever came, in order."""
        settle()
        return list(self._clips)

    def decode(self, number: int, clip: bytes, to: Ref[Decoded | Undecoded], by: Sender = ()) -> InHand:
        """Take a clip; `to` is told what became of it, never before this returns."""
        in_hand = InHand(number, clip, to, by)
        self._clips.append(in_hand)
        if not self.by_hand:
            asyncio.get_running_loop().call_soon(in_hand.decode)
        return in_hand


class Supervisor(Probe):
    """It has places for one call, until `by_hand` is set: then Reserve and ReleaseSlots are in its box."""

    def __init__(self, current: CurrentCatalogue, clock: Clock, languages: Languages | None = None) -> None:
        super().__init__("supervisor")
        self.by_hand = False
        self._current, self._clock = current, clock
        self._slots = PersonaSlots(languages)

    def tell(self, message: Any, /) -> None:
        match message:
            case Reserve() if not self.by_hand:
                self.answer(message)
            case ReleaseSlots(session, choices) if not self.by_hand:
                self._slots.release(session, choices)
            case _:
                super().tell(message)

    def answer(self, asked: Reserve) -> None:
        """Tell the session whether its choice has a place, as the catalogue says now."""
        asked.session.tell(self._slots.answer(asked, self._current.catalogue, self._clock.wall()))


@cache
def shipped() -> Catalogue:
    """The personas that ship."""
    return Catalogue.load()


class Scene:
    """A session that has just been connected. `supervisor` is its parent, `caller` the outbox of its connection.

    What one does to a scene runs nothing yet: several things may be done before the actors take their turns.
    Whatever looks (a probe, a wire, `wire()`) settles the stage first.
    """

    def __init__(
        self,
        stage: Stage,
        catalogue: Catalogue | None = None,
        limits: Limits | None = None,
        address: str = "",
        languages: Languages | None = None,
        identity: Identity = Identity("somebody"),  # noqa: B008  # it is frozen
        **services: Any,
    ) -> None:
        """`services` are further fields of Services."""
        self.stage = stage
        self.catalogue = catalogue or shipped()
        self.current = CurrentCatalogue(self.catalogue)
        self.upstream, self.decoders = Wires(), Decoders()
        if languages:
            self.upstream.can = replace(self.upstream.can, languages=languages)
        self.supervisor = Supervisor(self.current, stage.clock, languages)
        self.caller = Probe("caller")
        self.connection = 1
        self.services = Services(
            self.current,
            self.upstream,
            cast(Pool, self.decoders),
            limits or Limits(),
            clock=stage.clock,
            **services,
        )
        self.actor = UserSessionActor(identity, "scene", self.services, self.supervisor, address)
        self.session: Hired[SessionInbox] = launch(self.actor, self.supervisor)
        self.session.tell(Attached(self.connection, self.caller))

    def says(self, message: FromCaller) -> None:
        """The caller says something, on the newest connection."""
        self.session.tell(From(self.connection, message))

    def wire(self, number: int) -> Wire:
        """The connection to the model that was dialled as this one, from 1."""
        settle()
        dialled = self.upstream.dialled
        assert len(dialled) >= number, f"{len(dialled)} connections to the model were dialled, not {number}"
        return dialled[number - 1]

    def on_the_line(self, astrologer_id: str) -> Wire:
        """The caller chooses a persona, who is there and has greeted; what the caller heard is taken."""
        dialled = len(self.upstream.dialled)
        self.says(Chose(astrologer_id))
        wire = self.wire(dialled + 1)
        wire.welcome()
        wire.answer(self.catalogue.get(astrologer_id).greeting)
        self.caller.fish_for(ConfigAck, astrologer_id=astrologer_id)
        self.caller.take()
        return wire

    def hangs_up(self) -> None:
        """The caller's connection is gone."""
        self.session.tell(Detached(self.connection))

    def end(self, message: Any = None) -> None:
        """The session is stopped if nothing has ended it yet; AssertionError if it does not end, and quietly."""
        self.session.tell(message or Stop())
        self.stage.advance(ENDING_SECONDS)
        self.stage.expect_terminated(self.session)
        downs = [down for down in self.supervisor.box if isinstance(down, Down)]
        assert all(down.cause is None for down in downs), f"the session did not end quietly: {downs}"
