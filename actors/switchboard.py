"""Who is wanted, and which connection serves: choices as they are granted, connections as `steer` says."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from actors.base import Hired, Ref, Stop
from actors.caller import Caller
from actors.conversation import Conversation
from actors.line import RETRY_SECONDS, Discard, GiveUp, Leg, Line, Look, Open, Retune, Selection, Swap, Wait, steer
from actors.messages import (
    Choose,
    Close,
    ConfigAck,
    Configure,
    Error,
    Granted,
    Listen,
    Notice,
    Prepare,
    Prepared,
    Ready,
    Rest,
    Seek,
    Selected,
    Serve,
    Sought,
    ToBridge,
    ToPersona,
)
from actors.meter import tariff
from actors.supervision import Losses
from realtime.models import Capabilities

MARGINS = (60.0, 300.0)  # a connection is replaced so long before it must be gone, at least and at most: a caller who
# talks without a pause for a minute is rare, and to pay for a connection twice for longer than five is waste


@dataclass(frozen=True, slots=True)
class Hands:
    """What a session does for its switchboard: hire the bridge of a generation, look again in so many seconds.

    `claim` asks the supervisor for a place with a persona; by `let_go` it learns, by id, who is still needed.
    """

    hire: Callable[[int, Configure], Hired[ToBridge | Stop]]
    claim: Callable[[Selected], None]
    let_go: Callable[[frozenset[str]], None]
    look_again: Callable[[float], None]
    clock: Callable[[], float]


class Switchboard:
    """One caller's line. What may end the call returns the Close to end it with, or None.

    `choice` is the newest that may still be granted: what is said now is meant for it.
    """

    def __init__(
        self,
        session_id: str,
        caller: Caller,
        talk: Conversation,
        persona: Ref[ToPersona],
        do: Hands,
        can: Capabilities,
    ) -> None:
        self._id, self._caller, self._talk, self._persona, self._do = session_id, caller, talk, persona, do
        self.line = Line(can=can)
        self.choice = 0
        self.listens = False  # the caller speaks in a stream
        self.choices = self.generations = self.rollovers = 0  # so many there were
        self._wish = ""  # the persona of `choice`, as far as it is known
        self._asked: dict[int, str] = {}  # choice that is neither granted nor declined yet -> its persona, if known
        self._claims: dict[int, str] = {}  # the same, where only the supervisor's word is awaited
        self._holds: frozenset[str] = frozenset()
        self._acknowledged = 0
        self._closed = False

    def counted(self) -> dict[str, object]:
        """For the log."""
        return {"choices": self.choices, "generations": self.generations, "rollovers": self.rollovers}

    # Choosing.

    def choose(self, astrologer_id: str) -> None:
        """The caller wants this persona; whom they want already is only acknowledged."""
        if astrologer_id == self._wish:
            if self.line.live and self.line.live.selection.choice == self.choice:
                self._acknowledge(self.line.live)
            return
        self._persona.tell(Choose(self._next(astrologer_id), astrologer_id))

    def seek(self, sought: Sought) -> None:
        """The caller wants whoever fits best."""
        self._persona.tell(Seek(self._next(""), sought.query, sought.language))

    def _next(self, astrologer_id: str) -> int:
        self.choices += 1
        self.choice, self._wish = self.choices, astrologer_id
        self._asked[self.choice] = astrologer_id
        self._talk.expect(self.choice)
        return self.choice

    def decided(self, message: Selected | Granted) -> Close | None:
        """The persona takes calls; then, it takes this one."""
        if self._closed:
            return None
        if isinstance(message, Selected):
            self._claim(message)
            return None
        return self._granted(Selection(message.choice, message.persona))

    def _claim(self, selected: Selected) -> None:
        choice, persona = selected.choice, selected.persona
        self._asked[choice] = self._claims[choice] = persona.id
        self._holds |= {persona.id}
        if choice == self.choice:
            self._wish = persona.id
        self._do.claim(selected)

    def _granted(self, selection: Selection) -> Close | None:
        self._answered(selection.choice)
        live = self.line.live
        if live:
            self._persona.tell(Rest())
        if live and live.selection == self.line.wanted:
            self._caller.tell(Notice("switching", f"{selection.persona.name} is being called."))
        self._talk.switch(live, selection.choice, selection.persona.greeting, self._do.clock())
        self.line = replace(self.line, wanted=selection, fatal=False, rested=0.0)
        return self.steer()

    def declined(self, choice: int) -> None:
        """It is not, and whoever was wanted before still is, or may yet be granted."""
        if self._closed:
            return
        self._answered(choice)
        wanted = self.line.wanted
        before, wish = (wanted.choice, wanted.persona.id) if wanted else (0, "")
        before, wish = max(
            ((asked, wish) for asked, wish in self._asked.items() if asked < choice), default=(before, wish)
        )
        if self.choice == choice:
            self.choice, self._wish = before, wish
        self._talk.retag(choice, before)
        self._let_go()
        self.go_on()

    def _answered(self, choice: int) -> None:
        del self._asked[choice]
        self._claims.pop(choice, None)

    def _let_go(self) -> None:
        """Whom the caller neither has nor wants any more, others may have."""
        selections = (self.line.wanted, self.line.live and self.line.live.selection)
        needs = frozenset([*self._claims.values(), *(one.persona.id for one in selections if one)])
        if self._holds - needs:
            self._do.let_go(needs)
        self._holds = needs

    def prepared(self, prepared: Prepared) -> None:
        """It is known what the connection must be told."""
        leg = self.line.coming
        if not leg or leg.generation != prepared.generation or leg.selection.persona != prepared.persona:
            return  # of a choice that was made anew since
        setup = Configure(leg.selection.choice, replace(prepared.setup, listens=self.listens), prepared.turns)
        if leg.bridge:
            leg.bridge.tell(setup)
        else:
            leg = replace(leg, bridge=self._do.hire(leg.generation, setup))
        self.line = replace(self.line, coming=replace(leg, fresh=not prepared.turns))

    # Serving.

    def steer(self) -> Close | None:
        """Do what there is to do until the line is as wanted, or under way to it."""
        close = self._steer()
        self._let_go()
        return close

    def _steer(self) -> Close | None:
        self._look()
        while move := steer(self.line, self._do.clock()):
            match move:
                case Open(selection, seeded):
                    self.generations += 1
                    self._prepare(Leg(self.generations, selection, seeded=seeded))
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
        """A connection is the persona of a choice, and listens if it was told to."""
        due = self._do.clock() + ready.seconds - margin(ready.seconds)
        self.line = self.line.readied(ready.generation, ready.choice, due)
        close = self.steer()
        self.go_on()
        return close

    def go_on(self) -> None:
        """Ask what is ready to be asked, if the one who is wanted is on the line."""
        if self.serving:
            self._talk.release(self.serving, self._do.clock())

    def listen(self, listens: bool) -> None:
        """From now on the upstream finds the turns in a stream by itself, or not; a leg is ready when it consents."""
        if listens == self.listens:
            return
        self.listens = listens
        for leg in (self.line.live, self.line.coming):
            if leg and leg.bridge:
                leg.bridge.tell(Listen(listens))
        self.line = self.line.unready()

    @property
    def serving(self) -> Leg | None:
        """The live connection, while it serves the persona that is wanted."""
        live = self.line.live
        return live if live and live.selection == self.line.wanted else None

    def lost(self, leg: Leg, fatal: bool, losses: Losses) -> Close | None:
        """A connection ended that should not have; `fatal`: the next would end as well."""
        self._look()
        line, now = self.line, self._do.clock()
        if leg is line.live:
            self._persona.tell(Rest())
        self.line = line.without(leg.generation)
        if line.rolls_over(leg):  # the one that serves goes on, and nobody need know
            self.line = replace(self.line, rested=now + RETRY_SECONDS)
        else:
            rested = now + random.uniform(0, losses.spread(now))
            self.line = replace(self.line, ends=(*line.ends, now), fatal=line.fatal or fatal, rested=rested)
        return self.steer()

    def answered(self) -> None:
        """A reply is complete: what was lost before is forgiven."""
        self.line = replace(self.line, ends=())

    def _look(self) -> None:
        """Whether this is a silent moment is only asked when something is to be decided."""
        silent = self._talk.silent(self._do.clock())
        self.line = replace(self.line, said=self._talk.said, silent=silent)

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
        self.line = replace(self.line, live=replace(live, fresh=False), coming=None)
        if old:
            self._retire(old)
        if live.selection.choice != self._acknowledged:
            self._acknowledge(live)
        elif old:
            self.rollovers += 1
            self._talk.roll_over()
        else:
            self._caller.tell(Notice("resumed", "The connection to the model is back."))
        self._persona.tell(Serve(live.selection.persona))
        self._talk.take_over(live)
        self.go_on()

    def _acknowledge(self, live: Leg) -> None:
        self._acknowledged, persona = live.selection.choice, live.selection.persona
        message = f"{persona.name} is on the line."
        names = (persona.id, persona.name, persona.language, persona.language_code, persona.voice)
        self._caller.tell(ConfigAck(*names, self._id, message, tariff(persona)))

    def _retire(self, leg: Leg) -> None:
        if leg.bridge:
            self.line = replace(self.line, retiring=(*self.line.retiring, leg))
            leg.bridge.tell(Stop())

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
        self.line = replace(self.line, wanted=live.selection, fatal=False, ends=())
        if self.choice == wanted.choice:  # else the caller has asked for somebody else meanwhile
            self.choice, self._wish = live.selection.choice, live.selection.persona.id
        self._persona.tell(Serve(live.selection.persona))
        self._talk.restore(wanted.choice)
        self.go_on()
        return None


def margin(seconds: float) -> float:
    """So long before its end a connection that lasts so long is replaced: the last tenth of it, within MARGINS."""
    least, most = MARGINS
    return min(max(seconds / 10, least), most, seconds / 2)
