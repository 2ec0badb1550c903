"""Which connection serves whom the caller has chosen: connections come and go as `steer` says."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from actors.admission.losses import Losses
from actors.call.choices import Choices
from actors.call.connection import Caller
from actors.call.conversation import Conversation
from actors.call.line import (
    RETRY_SECONDS,
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
from actors.call.watch import For, Waiting
from actors.messages.admission import Reserved
from actors.messages.bridge import Configure, Ready, SetTurnDetection, ToBridge, UpdateInstructions, UpstreamRefused
from actors.messages.caller import Chose, Close, Error, Mode, Notice, SearchedPersona
from actors.messages.ids import ChoiceId, Generation
from actors.messages.persona import (
    Choose,
    Know,
    Meet,
    Prepare,
    Prepared,
    SearchPersona,
    Selected,
    StartMeter,
    StopMeter,
    ToPersona,
)
from actors.runtime import Hired, Ref, Stop
from personas import Profile
from upstream.models import Capabilities

MARGINS = (60.0, 300.0)  # a connection is replaced so long before it must be gone, at least and at most: a caller who
# talks without a pause for a minute is rare, and to pay for a connection twice for longer than five is waste


@dataclass(frozen=True, slots=True)
class SwitchboardHost:
    """What a session does for its switchboard: hire the bridge of a generation, look again in so many seconds.

    `claim` asks the supervisor for a place with a persona; by `let_go` it learns, by id, who is still needed. `pace`
    releases what is due of a streamed reply. `watch`: what the caller waits for may be something else now. `until` is
    when whoever is wanted is given up, as far as that is known.
    """

    hire: Callable[[Generation, Configure], Hired[ToBridge | Stop]]
    claim: Callable[[Selected], None]
    let_go: Callable[[frozenset[str]], None]
    look_again: Callable[[float], None]
    pace: Callable[[], None]
    watch: Callable[[], None]
    until: Callable[[], float]
    clock: Callable[[], float]


class Switchboard:
    """One caller's line. What may end the call returns the Close to end it with, or None."""

    def __init__(
        self,
        caller: Caller,
        talk: Conversation,
        persona: Ref[ToPersona],
        do: SwitchboardHost,
        can: Capabilities,
        choices: Choices,
    ) -> None:
        self._caller, self._talk, self._persona, self._do = caller, talk, persona, do
        self._choices = choices
        self.line = Line(can=can)
        self.mode: Mode | None = None
        """How the caller speaks to whoever is wanted, once it is known."""
        self._mode_before: Mode | None = None  # to whoever is live, while another is being called
        self.generations = self.rollovers = 0  # so many there were
        self._acknowledged = 0
        self._unacknowledged = 0  # so many times whoever is lost was chosen again meanwhile
        self._began = self._chosen_at = self._granted_at = do.clock()
        self._closed = False

    def counted(self) -> dict[str, object]:
        """For the log."""
        return {"choices": self._choices.count, "generations": self.generations, "rollovers": self.rollovers}

    # Choosing.

    @property
    def choice(self) -> ChoiceId:
        """The newest that may still be granted: what is said now is meant for it."""
        return self._choices.newest

    def choose(self, chose: Chose) -> None:
        """The caller wants this persona, and may have told of themselves. Raises Refused: switch_too_often.

        Whom they want already is only acknowledged, and told what it must know of them; a new mode holds at once.
        """
        if not self._choices.repeats(chose.astrologer_id):
            choice = self._next(chose.astrologer_id, chose.profile, chose.mode)
            self._persona.tell(Choose(choice, chose.astrologer_id))
        elif not self._choices.repeat(chose.profile, chose.mode):
            if chose.mode:
                self.set_mode(chose.mode)
            if chose.profile:
                self._know(chose.profile)
            if self.line.live and self.line.live.selection.choice == self.choice:
                self._acknowledge(self.line.live)
            elif self._acknowledged == self.choice:
                self._unacknowledged += 1

    def seek(self, sought: SearchedPersona) -> None:
        """The caller wants whoever fits best. Raises Refused: switch_too_often."""
        self._persona.tell(SearchPersona(self._next("", None, sought.mode), sought.query, sought.language))

    def _next(self, astrologer_id: str, profile: Profile | None, mode: Mode | None) -> ChoiceId:
        self._chosen_at = self._do.clock()
        choice = self._choices.ask(astrologer_id, profile, self._chosen_at, mode)
        self._talk.expect(choice)
        return choice

    def _know(self, profile: Profile) -> None:
        """Who was told already what to say is told anew."""
        self._persona.tell(Know(profile))
        for leg in (self.line.live, self.line.coming):
            if leg and leg.selection == self.line.wanted:
                self._persona.tell(Prepare(leg.generation, leg.selection.persona))

    def decided(self, message: Selected | Reserved) -> Close | None:
        """There are personas who take calls; then, one of them takes this one."""
        if self._closed:
            return None
        if isinstance(message, Selected):
            self._choices.claim(message.choice, message.personas)
            self._do.claim(message)
            return None
        return self._granted(Selection(message.choice, message.persona))

    def _granted(self, selection: Selection) -> Close | None:
        self._persona.tell(Meet())
        asked, live = self._choices.granted(selection), self.line.live
        self._granted_at = self._do.clock()
        if asked.profile:
            self._persona.tell(Know(asked.profile))
        if live:
            self._persona.tell(StopMeter())
        if self.serving:
            self._mode_before = self.mode
            self._caller.tell(Notice("switching", f"{selection.persona.name} is being called."))
        self._talk.switch(live, selection.choice, selection.persona.greeting, self._do.clock())
        self.line = replace(self.line, wanted=selection, fatal=False, rested=0.0)
        self._speak(asked.mode or self.mode)
        return self.steer()

    def declined(self, choice: ChoiceId) -> None:
        """It is not, and whoever was wanted before still is, or may yet be granted."""
        if self._closed:
            return
        self._talk.retag(choice, self._choices.refused(choice, self.line.wanted))
        self._speak(self.mode)
        self.go_on()

    def prepared(self, prepared: Prepared) -> None:
        """It is known what the connection must be told."""
        legs = (leg for leg in (self.line.live, self.line.coming) if leg)
        leg = next((leg for leg in legs if leg.generation == prepared.generation), None)
        if not leg or leg.selection.persona != prepared.persona:
            return  # of a choice that was made anew since
        if leg.configured:
            if leg.bridge and self.line.can.mutable_instructions:
                leg.bridge.tell(UpdateInstructions(prepared.setup.instructions))
            return
        listens = self.mode == "stream"
        setup = Configure(leg.selection.choice, replace(prepared.setup, listens=listens), prepared.turns)
        if leg.bridge:
            leg.bridge.tell(setup)
        else:
            leg = replace(leg, bridge=self._do.hire(leg.generation, setup))
        self.line = replace(self.line, coming=replace(leg, empty=not prepared.turns, configured=True, listens=listens))

    # How the caller speaks.

    @property
    def _modes(self) -> set[Mode]:
        """In which they may: that of the call, and those of choices that may yet be granted. None named: in any."""
        return self._choices.modes | ({self.mode} if self.mode else set())

    def takes(self, mode: Mode) -> bool:
        """Whether the caller may speak like this now."""
        return not self._modes or mode in self._modes

    def spoke(self, mode: Mode) -> None:
        """The caller did: the first audio fixes the mode, unless it was named."""
        if not self._modes:
            self.set_mode(mode)
            self._mode_before = mode

    def set_mode(self, mode: Mode) -> None:
        """From now on the caller speaks like this; if they spoke otherwise, what was not answered is over."""
        if mode == self.mode:
            return
        if self.mode:
            self._talk.change_mode(self.line.live, self._do.clock())
        self._speak(mode)
        self.go_on()

    def _speak(self, mode: Mode | None) -> None:
        """The mode holds now for whoever is wanted; what came in another is refused, once no choice can ask for it.

        Whoever is still on the line while another is called is told nothing: they may go on as they were.
        """
        self.mode, streamed = mode, mode == "stream"
        self._talk.set_mode(streamed, self._do.clock())
        for leg in self.line.untuned(streamed):
            if leg.bridge:
                leg.bridge.tell(SetTurnDetection(streamed))
        self.line = self.line.tuned(streamed)
        if came := self._talk.came:
            self.spoke(came)
            self._talk.sift(self.takes("clip"), self.takes("stream") or not self.serving)
        if streamed:
            self._do.pace()

    # Serving.

    def steer(self) -> Close | None:
        """Do what there is to do until the line is as wanted, or under way to it."""
        close = self._steer()
        needs = self._choices.let_go(self.line.wanted, self.line.live.selection if self.line.live else None)
        if needs is not None:
            self._do.let_go(needs)
        self._do.watch()
        return close

    def _steer(self) -> Close | None:
        self._look()
        while move := steer(self.line, self._do.clock()):
            match move:
                case Open(selection, seeded):
                    self.generations += 1
                    self._prepare(Leg(Generation(self.generations), selection, seeded=seeded))
                case Retune(leg):
                    self._prepare(leg)
                case Discard(leg):
                    self.line = replace(self.line, coming=None)
                    self._retire(leg)
                case Swap():
                    self._swap()
                case Wait(seconds):
                    # Spread, because the others have probably lost theirs at the same moment.
                    self._do.look_again(seconds * random.uniform(1.0, 1.25))
                    return None
                case Look(seconds):
                    self._do.look_again(seconds)
                    return None
                case GiveUp():
                    if close := self._give_up():
                        return close
                case _:
                    assert_never(move)
        return None

    def ready(self, ready: Ready) -> Close | None:
        """A connection is the persona of a choice, and listens if the caller speaks in a stream."""
        due = self._do.clock() + ready.seconds - margin(ready.seconds)
        self.line = self.line.readied(ready.generation, ready.choice, due, ready.listens)
        close = self.steer()
        self.go_on()
        return close

    def go_on(self) -> None:
        """Ask what is ready to be asked, if the one who is wanted is on the line."""
        if self.serving:
            self._talk.release(self.serving, self._do.clock())
        self._do.watch()

    @property
    def serving(self) -> Leg | None:
        """The live connection, while it serves the persona that is wanted."""
        live = self.line.live
        return live if live and live.selection == self.line.wanted else None

    def lost(self, leg: Leg, cause: BaseException | None, losses: Losses) -> Close | None:
        """A connection ended that should not have, or, without a cause, is left because it had its time."""
        self._look()
        line, now = self.line, self._do.clock()
        if leg is line.live:
            self._persona.tell(StopMeter())
        if line.rolls_over(leg):  # the one that serves goes on, and nobody need know
            self.line = replace(line, rested=now + RETRY_SECONDS)
        else:
            rested = now + random.uniform(0, losses.spread(now))
            fatal = line.fatal or isinstance(cause, UpstreamRefused)
            self.line = replace(line.failed(leg, now), fatal=fatal, rested=rested)
        self.line = self.line.without(leg.generation)
        if not cause:
            self._retire(replace(leg, generation=Generation(-leg.generation)))  # what still comes of it is of nobody
        return self.steer()

    def waits(self) -> list[Waiting]:
        """What the caller waits for, and since when nobody has heard of them."""
        line = self.line
        spoke_at = max(self._began, self._granted_at, self._talk.spoke_at)
        quiet = Waiting(For.CALLER, since=spoke_at)
        if not line.wanted:
            return [quiet, Waiting(For.CHOICE, since=self._chosen_at), Waiting(For.NOBODY, since=self._began)]
        if self.serving:
            return [quiet, *self._talk.waits(self.serving)]
        if line.live:
            return [quiet, Waiting(For.SWITCH, line.wanted.choice)]
        return [quiet, Waiting(For.BACK if self._acknowledged else For.FIRST)]

    def answered(self) -> None:
        """A reply is complete: what was lost before is forgiven."""
        self.line = replace(self.line, ends=())

    def _look(self) -> None:
        """Whether this is a silent moment is only asked when something is to be decided."""
        silent = self._talk.silent(self._do.clock())
        self.line = replace(self.line, said=self._talk.said, silent=silent, until=self._do.until())

    def close(self) -> None:
        """The caller is gone: all connections retire."""
        self._closed = True
        legs, self.line = self.line.legs(), Line()
        for leg in legs:
            self._retire(leg)

    def _prepare(self, leg: Leg) -> None:
        self.line = replace(self.line, coming=leg)
        self._persona.tell(Prepare(leg.generation, leg.selection.persona))

    def _swap(self) -> None:
        old, live = self.line.live, self.line.coming
        assert live
        self.line = replace(self.line, live=replace(live, empty=False, ready=not live.tuning), coming=None, misses=())
        if old:
            self._retire(old)
        if live.selection.choice != self._acknowledged:
            self._acknowledge(live)
        elif old:
            self.rollovers += 1
            self._talk.roll_over()
        else:
            self._caller.tell(Notice("resumed", "The connection to the model is back."))
            for _ in range(self._unacknowledged):
                self._acknowledge(live)
        self._unacknowledged = 0
        self._persona.tell(StartMeter(live.selection.persona))
        self._talk.take_over(live)
        self.go_on()

    def _acknowledge(self, live: Leg) -> None:
        self._acknowledged = live.selection.choice
        self._caller.acknowledge(live.selection.persona)

    def _retire(self, leg: Leg) -> None:
        if leg.bridge:
            self.line = replace(self.line, retiring=(*self.line.retiring, leg))
            leg.bridge.tell(Stop())

    def give_up(self) -> Close | None:
        """Whoever is wanted had their time to come."""
        if coming := self.line.coming:
            self.line = replace(self.line, coming=None)
            self._retire(coming)
        return self._give_up() or self.steer()

    def fail(self) -> None:
        """Nothing comes of what was asked of the one who serves: that fails, and the next is asked."""
        if self.serving:
            self._talk.give_up(self.serving)
            self._do.pace()
        self.go_on()

    def _give_up(self) -> Close | None:
        live, wanted = self.line.live, self.line.wanted
        if not live or not wanted:
            if self.line.fatal:
                self._caller.tell(Error("upstream_refused", "The model does not serve this server: try again later."))
                return Close(4503, "the model does not serve this server: try again later")
            self._caller.tell(Error("upstream_unavailable", "The model cannot be reached: try again in a moment."))
            return Close(4503, "the model cannot be reached: try again in a moment")
        reason = f"{wanted.persona.name} cannot be reached: {live.selection.persona.name} is still on the line."
        self._caller.tell(Error("persona_switch_failed", reason))
        self.line = replace(self.line, wanted=live.selection, fatal=False, ends=(), misses=())
        self._choices.fall_back(wanted.choice, live.selection)
        self._persona.tell(StartMeter(live.selection.persona))
        self._talk.restore(wanted.choice)
        self._speak(self._mode_before)
        self.go_on()
        return None


def margin(seconds: float) -> float:
    """So long before its end a connection that lasts so long is replaced: the last tenth of it, within MARGINS."""
    least, most = MARGINS
    return min(max(seconds / 10, least), most, seconds / 2)
