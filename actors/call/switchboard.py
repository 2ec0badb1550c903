"""Whom the caller talks to: choices are made, granted or refused, and connections come and go as `steer` says.

The path of a choice:

    choose, seek ──▶ asked ──▶ granted ──▶ wanted ──▶ swapped in: the caller is told, the meter runs, they are greeted
                       │                     │
                       │                     └─▶ out of reach: whoever is still live is wanted again, or the call ends
                       └─▶ declined: what was said to it is meant for the choice before

- A choice is `asked` until the supervisor has a place with a persona for it (choices.py). The caller may go on talking:
  what is said now is meant for the newest choice, and waits for it.
- Once granted, the persona is `wanted`: whoever is on the line falls silent, and keeps the line until the other one is
  ready. This changes the `Line`, and `steer` (line.py) says what that means for the connections: this file makes its
  moves, and bridges.py carries them out.
- What else makes the next move: a connection is ready, lost or due, or the caller has waited as long as they may
  (watch.py). All of it ends in the same `steer`.

The caller is told once for each choice who is on the line (`acknowledged`). If a connection takes over for the same
choice that is either a rollover, of which they are told nothing, or the end of a loss: `resumed`.
"""

import random
from typing import assert_never

from actors.admission.languages import Served
from actors.call import timers
from actors.call.bridges import Bridges
from actors.call.choices import Choices
from actors.call.connection import Caller
from actors.call.conversation import Conversation
from actors.call.host import SwitchboardHost
from actors.call.line import (
    Discard,
    GiveUp,
    Leg,
    Line,
    Look,
    Open,
    Retune,
    Selection,
    Swap,
    Wait,
    steer,
)
from actors.call.mode import CallMode
from actors.call.sparing import Sparing
from actors.call.timers import ReconnectDue
from actors.call.trace import ON_THE_LINE
from actors.call.watch import For, Waiting
from actors.messages.admission import ById, ByWords, Reserved
from actors.messages.bridge import Ready
from actors.messages.caller import Chose, Close, Error, Mode, Notice, SearchedPersona
from actors.messages.ids import ChoiceId
from actors.messages.persona import StartMeter, StopMeter, ToPersona
from actors.runtime import Ref
from actors.services import Services
from personas import Profile

OUT_OF_REACH = {
    False: ("upstream_unavailable", "cannot be reached: try again in a moment"),
    True: ("upstream_refused", "does not serve this server: try again later"),
}
"""Why a call ends, by whether the upstream refused: the code, and what is told of the model."""


class Switchboard:
    """Makes `choices` and moves of a `conversation`; `bridges` carries these out, `mode` is how the caller speaks.

    `acknowledged` is the choice that the caller was last told is on the line.
    """

    def __init__(
        self,
        host: SwitchboardHost,
        caller: Caller,
        persona: Ref[ToPersona],
        conversation: Conversation,
        services: Services,
    ) -> None:
        self._host, self._caller, self._persona, self.conversation = host, caller, persona, conversation
        self.choices = Choices(services.limits.switches)
        self._default = services.default_astrologer
        self._served = Served(services.upstream.can.languages)
        self.bridges = Bridges(host, persona, conversation, self.choices, services)
        self.sparing = Sparing(host, caller, persona, self.bridges, services)
        self.mode = CallMode(host, self.choices, self.bridges, conversation)
        self._rollovers = 0
        self.acknowledged = ChoiceId(0)
        self._unacknowledged = 0  # how often whoever is lost was chosen again meanwhile
        self._began = self._chosen_at = self._granted_at = host.clock()

    @property
    def line(self) -> Line:
        """The connections, and who is wanted: to read only."""
        return self.bridges.line

    def counted(self) -> dict[str, object]:
        """For the log."""
        return {"choices": self.choices.count, "generations": self.bridges.generations, "rollovers": self._rollovers}

    # Choosing.

    @property
    def choice(self) -> ChoiceId:
        """The newest choice that may still be granted, 0 for none: what is said now is meant for it."""
        return self.choices.newest

    def choose(self, chose: Chose, *, again: bool = False) -> None:
        """The caller chooses this persona, and may tell of themselves. Raises Refused: switch_too_often.

        A persona that is wanted already is only acknowledged, and told the new profile; a new mode holds at once.
        `again`: whoever was on the line elsewhere is chosen, and says goodbye to a minor there as they would have here.
        """
        self.sparing.learn(chose.profile)
        if not self.choices.repeats(chose.astrologer_id):
            choice = self._next(chose.astrologer_id, chose.profile, chose.mode)
            self._host.reserve(choice, ById(chose.astrologer_id, self.sparing.minor and not again))
        elif self.choices.repeat(chose.profile, chose.mode):
            self._unacknowledged += self.acknowledged == self.choice  # the call comes from elsewhere
        else:
            if chose.mode:
                self.mode.set(chose.mode)
            if chose.profile:
                self.choices.profile = chose.profile
                self.bridges.prepare_anew()
            if self.line.live and self.line.live.selection.choice == self.choice:
                self._acknowledge(self.line.live)
            elif self.acknowledged == self.choice:
                self._unacknowledged += 1

    def choose_default(self) -> ChoiceId:
        """The caller speaks to nobody: if they never chose, whoever the server names is chosen. Returns as `choice`."""
        if self._default and not self.choices.count and not self._caller.identity.refusal(self._default):
            self.choose(Chose(self._default))
        return self.choice

    def seek(self, sought: SearchedPersona) -> None:
        """The caller chooses whoever fits these words best. Raises Refused: switch_too_often."""
        among = self._caller.identity.personas
        self._host.reserve(
            self._next("", None, sought.mode), ByWords(sought.query, sought.language, among, self.sparing.minor)
        )

    def _next(self, astrologer_id: str, profile: Profile | None, mode: Mode | None) -> ChoiceId:
        self._chosen_at = self._host.clock()
        choice = self.choices.ask(astrologer_id, profile, self._chosen_at, mode)
        self._host.trace.chose(choice, self._chosen_at)
        self.conversation.expect(choice)
        return choice

    def granted(self, reserved: Reserved) -> None:
        """The choice has a place with this persona: it is the one that is wanted from now on."""
        if self.bridges.closed:
            return
        selection = Selection(reserved.choice, reserved.persona)
        asked, live = self.choices.granted(selection, reserved.memory), self.line.live
        self._granted_at = self._host.clock()
        if live:
            self._persona.tell(StopMeter())
        if self.bridges.serving:
            self.mode.keep()
            self._caller.tell(Notice("switching", f"{selection.persona.name} is being called."))
        self.conversation.switch(live, selection.choice, selection.persona, self._host.clock())
        self.bridges.want(selection)
        self.sparing.part()
        self.mode.hold(asked.mode or self.mode.now)
        self.steer()

    def declined(self, choice: ChoiceId) -> None:
        """The choice has no place: whoever was wanted before still is, or may yet be granted."""
        self._host.trace.chosen(choice, "declined", "", self._host.clock())
        if self.bridges.closed:
            return
        before = self.choices.refused(choice, self.line.wanted)
        self.conversation.retag(choice, before, nobody=not self.choice)
        self.mode.hold(self.mode.now)
        self.bridges.go_on()

    # Serving.

    def steer(self) -> None:
        """Do what there is to do until the line is as wanted, or under way to it."""
        self._steer()
        if self.bridges.closed:
            return
        live = self.line.live
        if needless := self.choices.release(self.line.wanted, live.selection if live else None):
            self._host.release_slots(needless)
        self._host.after(0.0, timers.Look())  # once, when all that happens now has happened

    def _steer(self) -> None:
        bridges = self.bridges
        bridges.look()
        while move := steer(self.line, self._host.clock()):
            match move:
                case Open(selection, seeded):
                    bridges.open(selection, seeded)
                case Retune(leg):
                    bridges.prepare(leg)
                case Discard():
                    bridges.discard()
                case Swap():
                    self._swap()
                case Wait(seconds):
                    # Spread, because the others have probably lost theirs at the same moment.
                    self._host.after(seconds * random.uniform(1.0, 1.25), ReconnectDue())
                    return
                case Look(seconds):
                    self._host.after(seconds, ReconnectDue())
                    return
                case GiveUp():
                    self._give_up()
                case _:
                    assert_never(move)

    def ready(self, ready: Ready) -> None:
        """A connection is the persona of a choice, and may take the line."""
        self.bridges.ready(ready)
        self.steer()
        self.bridges.go_on()

    def lost(self, leg: Leg, cause: BaseException | None) -> None:
        """A connection ended that should not have; without a cause, it is given up because nothing comes of it."""
        self.bridges.lost(leg, cause)
        self.steer()

    def stand_by(self) -> None:
        """The answer of the connection that serves falters: open the one on which it would go on."""
        if self.line.coming and self.line.coming.stands_by:
            self.bridges.discard()  # since the answer faltered before: it does not know of what came then
        live = self.bridges.serving
        if live and not self.line.coming and self.conversation.foretell(live, self._host.clock()):
            self.bridges.look()
            self.bridges.open(live.selection, self.line.said, stands_by=True)

    def waits(self) -> list[Waiting]:
        """What the caller waits for, and since when nobody has heard of them."""
        line, serving = self.line, self.bridges.serving
        spoke_at = max(self._began, self._granted_at, self.conversation.inbound.spoke_at)
        quiet = Waiting(For.CALLER, since=spoke_at)
        if not line.wanted:
            return [quiet, Waiting(For.CHOICE, since=self._chosen_at), Waiting(For.NOBODY, since=self._began)]
        waits = [quiet, *self.sparing.waits()]
        if serving:
            return [*waits, *self.conversation.owed.waits(serving)]
        if line.live:
            return [*waits, Waiting(For.SWITCH, line.wanted.choice)]
        return [*waits, Waiting(For.BACK if self.acknowledged else For.FIRST)]

    def _swap(self) -> None:
        old, live = self.bridges.swap()
        if live.selection.choice != self.acknowledged:
            self._acknowledge(live)
        elif old:
            self._rollovers += 1
            self.conversation.inbound.stream.hold()  # what is said from here on the new connection hears
        else:
            self._caller.tell(Notice("resumed", "The connection to the model is back."))
            for _ in range(self._unacknowledged):
                self._acknowledge(live)
        self._unacknowledged = 0
        self._persona.tell(StartMeter(live.selection.persona))
        self.conversation.take_over(live)
        if (greeting := self.conversation.greetings.owed) and greeting.asked:
            self._host.trace.greets(greeting.number, self._host.clock())
        self.bridges.go_on()

    def _acknowledge(self, live: Leg) -> None:
        self.acknowledged = live.selection.choice
        self._host.trace.chosen(self.acknowledged, ON_THE_LINE, live.selection.persona.id, self._host.clock())
        self._caller.acknowledge(live.selection.persona)
        if advice := self._served.advice(live.selection.persona):
            self._caller.tell(Notice("typed_only", advice))

    def give_up(self) -> None:
        """Whoever is wanted could not be reached in time."""
        self.bridges.discard()
        self._give_up()
        self.steer()

    def _give_up(self) -> None:
        live, wanted = self.line.live, self.line.wanted
        if wanted:
            self._host.trace.chosen(wanted.choice, "out of reach", wanted.persona.id, self._host.clock())
        if not live or not wanted:
            code, reason = OUT_OF_REACH[self.line.fatal]
            self._caller.tell(Error(code, f"The model {reason}."))
            self._host.leave(Close(4503, f"the model {reason}"))
            return
        reason = f"{wanted.persona.name} cannot be reached: {live.selection.persona.name} is still on the line."
        self._caller.tell(Error("persona_switch_failed", reason))
        self.bridges.fall_back(live)
        self.choices.fall_back(wanted.choice, live.selection)
        self._persona.tell(StartMeter(live.selection.persona))
        self.conversation.restore(wanted.choice)
        self.mode.restore()
        self.bridges.go_on()
