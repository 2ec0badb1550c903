"""The upstream connections of a call: each is opened, told whom to be, swapped in, and retires until it is gone.

The state is a `Line` (line.py), which only this file changes.
"""

import random
from dataclasses import replace

from actors.call.choices import Choices
from actors.call.conversation import Conversation
from actors.call.host import SwitchboardHost
from actors.call.line import RETRY_SECONDS, Leg, Line, Selection
from actors.call.timers import Look
from actors.messages.bridge import Configure, Ready, SetTurnDetection, UpdateInstructions, UpstreamRefused
from actors.messages.ids import Generation
from actors.messages.persona import Prepare, Prepared, StopMeter, ToPersona
from actors.runtime import Ref, Stop
from actors.services import Services

MARGINS = (60.0, 300.0)  # a connection is replaced so long before it must be gone, at least and at most: a caller who
# talks without a pause for a minute is rare, and to pay for a connection twice for longer than five is waste


class Bridges:
    """Owns the `line`. `generations` counts the connections that were opened; `closed`: the call is over."""

    def __init__(
        self,
        host: SwitchboardHost,
        persona: Ref[ToPersona],
        conversation: Conversation,
        choices: Choices,
        services: Services,
    ) -> None:
        self._host, self._persona, self._conversation, self._choices = host, persona, conversation, choices
        self._losses = services.losses
        self.line = Line(can=services.upstream.can)
        self.generations = 0
        self.closed = False

    @property
    def serving(self) -> Leg | None:
        """The live connection, while it serves the persona that is wanted."""
        live = self.line.live
        return live if live and live.selection == self.line.wanted else None

    def go_on(self) -> None:
        """Ask what is ready to be asked of the connection that serves, and look at what the caller waits for."""
        if self.serving:
            self._conversation.release(self.serving, self._host.clock())
        self._host.after(0.0, Look())  # once, when all that happens now has happened

    def look(self) -> None:
        """Bring the line up to date with the call: how much was said, whether all is silent, until when to try."""
        silent, said = self._conversation.silent(self._host.clock()), self._conversation.inbound.turns.last
        self.line = replace(self.line, said=said, silent=silent, until=self._host.watch.until)

    # Whom they serve.

    def want(self, selection: Selection) -> None:
        """The caller has chosen this persona: what was refused or delayed for another does not hold for it."""
        self.line = replace(self.line, wanted=selection, fatal=False, rested=0.0)

    def fall_back(self, live: Leg) -> None:
        """Whoever is wanted is given up: the persona of the live connection is wanted again."""
        self.line = replace(self.line, wanted=live.selection, fatal=False, ends=(), misses=())

    def tune(self, listens: bool) -> None:
        """Have the connections of whoever is wanted find the turns in a stream, or wait for whole clips.

        The connection of another persona is told nothing: they may go on in the mode before.
        """
        for leg in self.line.untuned(listens):
            if leg.bridge:
                leg.bridge.tell(SetTurnDetection(listens))
        self.line = self.line.tuned(listens)

    # One connection.

    def open(self, selection: Selection, seeded: int | None, stands_by: bool = False) -> None:
        """Open another connection; `seeded` and `stands_by` as of a Leg."""
        self.generations += 1
        self.prepare(Leg(Generation(self.generations), selection, seeded=seeded, stands_by=stands_by))

    def prepare(self, leg: Leg) -> None:
        """A connection is coming: ask the persona what it must be told."""
        self.line = replace(self.line, coming=leg)
        self._ask_for_setup(leg)

    def prepare_anew(self) -> None:
        """Prepare the connections of the wanted persona again: the profile is another."""
        for leg in (self.line.live, self.line.coming):
            if leg and leg.selection == self.line.wanted:
                self._ask_for_setup(leg)

    def _ask_for_setup(self, leg: Leg) -> None:
        profile, memory = self._choices.profile, self._choices.memory
        self._persona.tell(Prepare(leg.generation, leg.selection.persona, profile, memory))

    def prepared(self, prepared: Prepared, listens: bool) -> None:
        """It is known what a connection must be told: hire its bridge with that, or tell the bridge that there is."""
        legs = (leg for leg in (self.line.live, self.line.coming) if leg)
        leg = next((leg for leg in legs if leg.generation == prepared.generation), None)
        if not leg or leg.selection.persona != prepared.persona:
            return  # of a choice that was made anew since
        if leg.configured:
            if leg.bridge and self.line.can.mutable_instructions:
                leg.bridge.tell(UpdateInstructions(prepared.setup.instructions))
            return
        turns = self._conversation.owed.seeds(prepared.turns)
        setup = Configure(leg.selection.choice, replace(prepared.setup, listens=listens), turns)
        if leg.bridge:
            leg.bridge.tell(setup)
        else:
            self._host.trace.dialled(leg.generation, self._host.clock())
            leg = replace(leg, bridge=self._host.hire_bridge(leg.generation, setup))
        self.line = replace(self.line, coming=replace(leg, empty=not prepared.turns, configured=True, listens=listens))

    def ready(self, ready: Ready) -> None:
        """A connection is the persona of a choice: note until when it is to serve, and whether it listens."""
        self._host.trace.connected(ready.generation, "ready", now := self._host.clock())
        due = now + ready.seconds - margin(ready.seconds)
        self.line = self.line.readied(ready.generation, ready.choice, due, ready.listens)

    def swap(self) -> tuple[Leg | None, Leg]:
        """The coming connection becomes the live one, and the one before retires. Returns the old and the new one."""
        old, coming = self.line.live, self.line.coming
        assert coming
        live = replace(coming, empty=False, ready=not coming.tuning, stands_by=False)
        self.line = replace(self.line, live=live, coming=None, misses=())
        if old:
            self._retire(old)
        return old, live

    def discard(self) -> None:
        """The coming connection, if there is one, is not needed: it retires."""
        coming, self.line = self.line.coming, replace(self.line, coming=None)
        if coming:
            self._retire(coming)

    # Their end.

    def answered(self) -> None:
        """A reply is complete, or a turn that kills was dropped: what was lost before does not count any more."""
        self.line = replace(self.line, ends=())

    def lost(self, leg: Leg, cause: BaseException | None) -> None:
        """A connection ended that should not have; without a cause, it is given up because nothing comes of it."""
        coming = self.line.coming if leg is self.line.live else None
        if coming and coming.stands_by and not self._conversation.as_foretold:
            self.discard()  # what it was told that the caller has heard is not what they get
        self.look()
        line, now = self.line, self._host.clock()
        self._host.trace.connected(leg.generation, "lost", now)
        if leg is line.live:
            self._persona.tell(StopMeter())
        if line.rolls_over(leg):  # the one that serves goes on, and nobody need know
            line = replace(line, rested=now + RETRY_SECONDS)
        else:
            rested = now + random.uniform(0, self._losses.spread(now))
            fatal = line.fatal or isinstance(cause, UpstreamRefused)
            line = replace(line.failed(leg, now), fatal=fatal, rested=rested)
        self.line = line.without(leg.generation)
        if not cause:
            self._retire(replace(leg, generation=Generation(-leg.generation)))  # what still comes of it is of nobody

    def gone(self, leg: Leg) -> None:
        """A connection that retired is gone: its last facts are in."""
        self.line = self.line.without(leg.generation)

    def close(self) -> None:
        """The caller is gone: all connections retire."""
        self.closed = True
        legs, self.line = self.line.legs(), Line()
        for leg in legs:
            self._retire(leg)

    def _retire(self, leg: Leg) -> None:
        self._host.trace.connected(leg.generation, "not needed", self._host.clock())
        if leg.bridge:
            self.line = replace(self.line, retiring=(*self.line.retiring, leg))
            leg.bridge.tell(Stop())


def margin(seconds: float) -> float:
    """How many seconds before its end a connection that lasts `seconds` is replaced: a tenth, within MARGINS."""
    least, most = MARGINS
    return min(max(seconds / 10, least), most, seconds / 2)
