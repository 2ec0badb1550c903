"""What of a call is saved for another node, from the objects of its session and from its PersonaActor.

Saved as a question is what the caller waits for: the turns that are not answered, and those of which the answer was not
heard to its end. What was heard of such an answer is saved as heard, so that another node goes on from there.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from actors.call.caring import Care
from actors.call.connection import Caller
from actors.call.conversation import Conversation
from actors.call.host import SwitchboardHost
from actors.call.resume.absence import Absence
from actors.call.room import Room
from actors.call.switchboard import Switchboard
from actors.call.turns import Utterance
from actors.call.usage import Account
from actors.messages.identity import Identity
from actors.messages.persona import Recalled, ToPersona
from actors.runtime import LoopRef, Ref
from actors.services import Services
from care.ages import Age
from personas import Persona
from personas.meter import KeptTime
from register import record as kept
from register.record import Record
from upstream.facts import TurnId

MINUTE_MS = 60_000
MINOR = Age(0, 1)  # of somebody of whom no more is known


@dataclass(frozen=True, slots=True)
class CallObjects:
    """The objects of a session of which something is saved."""

    host: SwitchboardHost
    me: LoopRef[Any]
    room: Room
    switchboard: Switchboard
    absence: Absence
    account: Account
    care: Care
    persona: Ref[ToPersona]
    services: Services

    @property
    def conversation(self) -> Conversation:
        """Of its switchboard."""
        return self.switchboard.conversation

    @property
    def caller(self) -> Caller:
        """Of its conversation."""
        return self.conversation.caller


@dataclass(frozen=True, slots=True)
class Part:
    """A record before the persona's part of it: `heard` of the answers to these asks, and what was asked (`open`).

    `greeting` is the ask of the newest one.
    """

    record: Record
    heard: Mapping[TurnId, str]
    open: Mapping[TurnId, Utterance | None]
    greeting: TurnId

    def with_(self, recalled: Recalled) -> Record:
        """The whole record."""
        said = {(one.ask, one.role): (one.persona, one.text) for one in recalled.turns}
        for ask, text in self.heard.items():
            said[ask, "assistant"] = (self.record.persona, text)
        for ask, waits in self.open.items():
            if text := _typed(waits):
                said.setdefault((ask, "user"), (self.record.persona, text))
        turns = sorted((ask, role == "assistant", role, *of) for (ask, role), of in said.items() if of[1])
        words = {ask: text for (ask, role), (_, text) in said.items() if role == "user"}
        return replace(
            self.record,
            turns=tuple(kept.Said(ask, role, persona, text) for ask, _, role, persona, text in turns),
            meter=tuple(_metered(time) for time in recalled.times),
            told_ms=recalled.told * MINUTE_MS,
            question=self._question(words),
        )

    def _question(self, words: Mapping[TurnId, str]) -> kept.Question | None:
        if not self.open:
            return None
        first = min(self.open)
        texts = [words.get(ask, "") for ask in sorted(self.open)]
        if first == self.greeting:
            return kept.Question("greeting", first)
        return kept.Question(_kind(self.open[first]), first, " ".join(filter(None, texts)))


class Parts:
    """Makes the session's part of a record."""

    def __init__(self, of: CallObjects) -> None:
        self._of, self._switchboard, self._clock = of, of.switchboard, of.services.clock

    @property
    def persona(self) -> Persona | None:
        """Whom the caller talks to, or wants to."""
        line = self._switchboard.line
        selection = line.wanted or (line.live and line.live.selection)
        return selection.persona if selection else None

    @property
    def undecided(self) -> bool:
        """True while it is not known whether whom they chose last has a place: a record knows nothing of it."""
        return self._switchboard.conversation.greetings.undecided

    @property
    def minor(self) -> bool:
        """True if nothing of what is said may be kept."""
        return self._switchboard.sparing.minor

    def now(self, silent: bool) -> Part | None:
        """The session's part of the record as it is now; None while there is nobody to go on with."""
        persona, now = self.persona, self._clock.now()
        if not persona:
            return None
        board, conversation = self._switchboard, self._switchboard.conversation
        heard, heard_ms, open_ = dict[TurnId, str](), 0, dict[TurnId, Utterance | None]()
        for said in conversation.inbound.turns:
            if not said.cancelled:
                open_[said.number] = said
                heard |= {said.number: said.said_before} if said.said_before else {}
        play_time = conversation.outbound.playing.clock(now)
        for reply in [*conversation.outbound.playing.past, *conversation.outbound.playing]:
            heard_ms = reply.heard_ms(play_time)
            if reply.cut_short or not reply.done or heard_ms < reply.ms:
                heard[reply.ask] = reply.heard_text(play_time)
                if not conversation.greetings.insisted.alone(reply.ask):
                    open_.setdefault(reply.ask, None)
        if speaking := conversation.inbound.stream.speaking:
            open_.setdefault(speaking, None)  # what of it came is here alone
        tokens, micro = self._of.account.spending.spent
        profile = board.choices.profile
        greeting = conversation.greetings.owed
        attach, (attach_before, handled_before) = self._of.caller.numbers
        disclosed, care = self._of.care.record(({greeting.number: greeting.said_before} if greeting else {}) | heard)
        record = Record(
            identity=_identity(self._of.caller.identity, self.minor),
            persona=persona.id,
            persona_version=persona.version,
            mode=board.mode.now or "clip",
            began=self._wall(self._of.absence.began),
            saved=self._wall(now),
            profile={name: value for name, value in asdict(profile).items() if value} if profile else {},
            switches=tuple(map(self._wall, board.choices.switched)),
            heard_ms=heard_ms,
            answers=self._of.absence.answers,
            greeted=not greeting or conversation.greetings.insisted.alone(greeting.number),
            silent=silent,
            attach=attach,
            handled=self._of.caller.handled,
            attach_before=attach_before,
            handled_before=handled_before,
            last_turn=conversation.inbound.turns.last,
            generations=board.bridges.generations,
            spent_tokens=tokens,
            spent_micro=micro,
            disclosed=disclosed,
            care=care,
        )
        return Part(record, heard, open_, conversation.greetings.newest)

    def marks(self) -> tuple[object, ...]:
        """Differs from before if the call has gone on in a way that is worth a save."""
        board, conversation = self._switchboard, self._switchboard.conversation
        turns = conversation.inbound.turns
        written_down = sum(said.content is not None for said in turns)
        attach, _ = self._of.caller.numbers
        said = turns.last, written_down, len(list(turns)), conversation.owed.answers
        return attach, board.line.wanted, *said, *self._of.care.worries

    def _wall(self, at: float) -> float:
        return (self._clock.wall() - timedelta(seconds=self._clock.now() - at)).timestamp()


def _identity(who: Identity, minor: bool) -> kept.Identity:
    personas = None if who.personas is None else tuple(sorted(who.personas))
    age = who.age or (MINOR if minor else None)
    years = (age.least, age.under) if age else (None, None)
    return kept.Identity(who.user, personas, who.mode or "", who.seconds, None, *years)


def _typed(said: Utterance | None) -> str:
    return said.content if said and isinstance(said.content, str) else ""


def _kind(said: Utterance | None) -> str:
    if said is None or said.clip:
        return "clip" if said else "speech"
    return "speech" if said.spoken or said.content is None else "typed"


def _metered(time: KeptTime) -> kept.Metered:
    pricing = time.persona.behaviour.pricing
    price = None
    if pricing:
        units = pricing.per_minute, pricing.currency, pricing.digits
        price = kept.Price(*units, pricing.free_seconds, pricing.whole_minutes)
    return kept.Metered(time.persona.id, time.ms, time.versions, price, time.cost)
