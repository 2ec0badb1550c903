"""A call that comes from another node: from its record to the objects of a session.

The caller is told `resumed` at once. Whoever was on the line there is called here, and greets no more; what was asked
and not answered is asked again, and an answer that was heard in part goes on.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import cast, get_args

from actors.call.caring import known_kinds, told_numbers
from actors.call.moving.parts import CallObjects
from actors.call.resume.absence import ONSET_MS, RECORDED_MS
from actors.call.resume.ledger import Outlet
from actors.call.timers import TimeUp
from actors.call.turns import Utterance
from actors.messages.admission import Admitted, Reserved
from actors.messages.caller import Chose, Mode, Notice, SearchedPersona
from actors.messages.caring import HelpNumber
from actors.messages.identity import Identity
from actors.messages.ids import ChoiceId, Generation
from actors.messages.moving import TookCall
from actors.messages.persona import Heard, Recalled
from actors.messages.resuming import Moved, Resumed
from care.ages import Age
from personas import Catalogue, Persona, Profile
from personas.meter import Bill, KeptTime, Stay
from personas.pricing import Pricing
from register import record as kept
from register.record import Record
from schemas import Refused
from upstream.facts import Role, TurnId

SKIPPED = 10  # numbers of turns and of connections that were perhaps used after the last save
UNREAD = 3  # turns of the caller's, of which the guardian, or a judge, had perhaps not told yet what is in them
SAY_AGAIN = Notice("say_again", "What you said last was lost on the way: say it again.")


class Restoring:
    """Goes on with the call that was `taken`: `begin` is called first, then it is told of its first choice."""

    def __init__(self, taken: TookCall, objects: CallObjects) -> None:
        self._record, self._asked, self._of = taken.record, taken.asked, objects
        self._choice = ChoiceId(0)  # of whoever was on the line, until it is decided
        turns = tuple(Heard(TurnId(one.ask), cast(Role, one.role), one.persona, one.text) for one in taken.record.turns)
        self._open, self._turns = _reopened(taken.record.question, turns)

    def begin(self) -> None:
        """Tell the caller that the call goes on, and call whoever was on the line."""
        record, of, catalogue = self._record, self._of, self._of.services.current.catalogue
        self._adopt(catalogue)
        now, wall = of.host.clock(), of.services.clock.wall().timestamp()
        of.absence.began, of.absence.answered = now - (wall - record.began), record.answers
        longest = of.conversation.caller.identity.longest(of.services.limits.call_seconds)
        of.host.after(max(0.0, longest - (wall - record.began)), TimeUp())
        persona = _found(catalogue, record.persona)
        away_ms = max(0, round((wall - record.saved) * 1000))
        lost_ms, asked_again = 0 if record.silent else away_ms, bool(persona and self._open)
        moved = Moved(lost_ms, asked_again, None if record.words else True, of.services.node or None)
        handled, outlet = record.handled_of(self._asked.attach), self._asked.outbox
        assert isinstance(outlet, Outlet)
        attach = of.conversation.caller.adopt(self._asked, outlet, of.room, handled, moved)
        outlet.tell(Resumed(attach, handled, away_ms, ONSET_MS if self._open else RECORDED_MS, moved))
        self._asked.reply_to.tell(Admitted(of.me))
        if record.words and record.question and record.question.kind != "greeting" and not self._open:
            of.conversation.caller.tell(SAY_AGAIN)  # it was not written down, and nothing of its answer was heard
        known = persona is not None and persona.version == record.persona_version
        of.switchboard.choose(Chose(record.persona, profile=_profile(record.profile)), again=True)
        self._choice = of.switchboard.choice
        for said in self._open:  # before anything that is said here
            of.conversation.inbound.turns.adopt(replace(said, choice=self._choice, arrived=now))
        if known:  # the caller need not be told who it is
            of.switchboard.acknowledged = self._choice

    def _adopt(self, catalogue: Catalogue) -> None:
        record, of = self._record, self._of
        now, wall = of.host.clock(), of.services.clock.wall().timestamp()
        of.conversation.inbound.turns.last = TurnId(record.last_turn + SKIPPED)
        of.switchboard.bridges.generations = record.generations + SKIPPED
        of.switchboard.choices.adopt(now - (wall - at) for at in record.switches)
        of.account.spending.adopt(record.spent_tokens, record.spent_micro)
        times = tuple(_time(one, catalogue) for one in record.meter)
        of.persona.tell(Recalled(self._turns, times, record.told_ms // 60_000))
        of.care.begin_with(record.disclosed, record.care)
        said = [one for one in record.turns if one.role == "user"]
        for one in said[-UNREAD:]:
            of.conversation.inbound.words.overhear("user", Generation(0), TurnId(one.ask), one.text, True)

    def granted(self, reserved: Reserved) -> None:
        """A choice has its place; if it is whoever was on the line, the conversation goes on with them."""
        if reserved.choice != self._choice:
            return
        self._choice = ChoiceId(0)
        question, greetings = self._record.question, self._of.conversation.greetings
        if question and question.kind == "greeting":
            if greetings.owed:
                greetings.owed.said_before = self._heard_of(TurnId(question.ask))
        elif self._record.greeted:
            greetings.drop()

    def declined(self, choice: ChoiceId) -> None:
        """Whoever was on the line cannot be here: somebody like them is called, unless the caller has chosen since."""
        if choice != self._choice:
            return
        self._choice, inbound = ChoiceId(0), self._of.conversation.inbound
        if inbound.forget([said for said in inbound.turns if said.choice == choice]):
            self._of.conversation.caller.tell(SAY_AGAIN)
        if self._of.switchboard.choice != choice:
            return
        with suppress(Refused):  # then they choose themselves
            self._of.switchboard.seek(SearchedPersona(self._record.persona.replace("_", " ")))

    def keeping(self, record: Record) -> Record:
        """A later record of the call, with what a node of another version added to the one that was taken."""
        return record.keeping(self._record)

    def _heard_of(self, ask: TurnId) -> str:
        return next((one.text for one in self._turns if one.ask == ask and one.role == "assistant"), "")


def _reopened(
    question: kept.Question | None, turns: tuple[Heard, ...]
) -> tuple[tuple[Utterance, ...], tuple[Heard, ...]]:
    """What is asked again, and what is remembered besides."""
    if not question:
        return (), turns
    heard = next((one.text for one in turns if one.ask == question.ask and one.role == "assistant"), "")
    later = [one for one in turns if one.role == "user" and one.ask > question.ask]
    known = tuple(one for one in turns if one not in later)
    no_choice, spoken = ChoiceId(0), question.kind == "speech"
    words = " ".join(one.text for one in later)
    next_one = Utterance(TurnId(max((one.ask for one in later), default=0)), no_choice, 0.0, words, spoken=spoken)
    then = (next_one,) if later else ()
    if question.kind == "greeting":  # it goes on by itself
        return then, known
    if not heard:
        again = Utterance(TurnId(question.ask), no_choice, 0.0, question.text, spoken=spoken)
        return (again,) if question.text else (), tuple(
            one for one in known if (one.ask, one.role) != (question.ask, "user") or not question.text
        )
    return (Utterance(TurnId(question.ask), no_choice, 0.0, spoken=spoken, said_before=heard), *then), known


def bill_of(record: Record, catalogue: Catalogue) -> Bill:
    """What the call of this record came to."""
    times = (_time(one, catalogue) for one in record.meter)
    return Bill(tuple(Stay(one.persona, one.ms // 1000, one.versions, one.cost) for one in times))


def help_of(record: Record, country: str) -> tuple[HelpNumber, ...]:
    """Whom the caller of this record may call; nobody, if there was nothing to worry about. `country`: the server's."""
    kinds = known_kinds(record.care)
    return told_numbers(kinds, record.care.country or record.profile.get("country") or country) if kinds else ()


def identity_of(record: Record) -> Identity:
    """Who calls, and what they may."""
    who = record.identity
    personas = None if who.personas is None else frozenset(who.personas)
    known = who.age_least is not None or who.age_under is not None
    age = Age(who.age_least or 0, who.age_under) if known else None
    return Identity(who.user, personas, mode_of(who.mode), who.seconds, age)


def mode_of(name: str) -> Mode | None:
    """The mode of this name, if it is one."""
    return cast(Mode, name) if name in get_args(Mode) else None


def _found(catalogue: Catalogue, astrologer_id: str) -> Persona | None:
    try:
        return catalogue.get(astrologer_id)
    except Refused:
        return None


def _time(metered: kept.Metered, catalogue: Catalogue) -> KeptTime:
    """What was metered; a persona who is not in the catalogue any more keeps their id."""
    persona, price = _found(catalogue, metered.persona), metered.price
    if not persona:
        persona = replace(next(iter(catalogue.active())), id=metered.persona, name=metered.persona)
    pricing = None
    if price:
        pricing = Pricing(price.per_minute, price.currency, price.digits, price.free_seconds, price.whole_minutes)
    if pricing != persona.behaviour.pricing:
        persona = replace(persona, behaviour=replace(persona.behaviour, pricing=pricing))
    return KeptTime(persona, metered.ms, metered.versions, metered.cost)


def _profile(told: Mapping[str, str]) -> Profile | None:
    """The profile that was checked on the other node."""
    known = {name: text for name, text in told.items() if name in Profile.__slots__}
    return Profile(**known) if known else None
