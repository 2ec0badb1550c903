"""A call whose caller may be in danger: what the server makes certain, whatever the model says.

    words of both sides ─▶ guardian ─▶ Worried ─┬─▶ the caller is told the numbers, at once and again at the end
                                                ├─▶ every prompt has a section from now on; those in use are changed
                                                ├─▶ a helpline is spoken: by the next answer, else by a fixed sentence
                                                └─▶ in care: the meter stops, and the caller's own limits do not cut

In care a call ends when nothing is said for long, when it was in care for long, or by what is not the caller's own: the
server's budget, its end, an upstream that refuses. A call that gets no place (places.py) is told all the same, and its
limits hold. Of a child, if that is all, only the prompt and the numbers speak.

Nothing of this is logged, and it is counted without words.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from actors.call.disclosing import Disclosing
from actors.call.ending import CallEnding
from actors.call.host import SwitchboardHost
from actors.call.insisted import What
from actors.call.switchboard import Switchboard
from actors.call.timers import CareOver, ReminderDue
from actors.call.transcripts import nobody
from actors.call.usage import LAST_SECONDS
from actors.caring.guard import Guard
from actors.messages.admission import Drain
from actors.messages.caller import Close, Notice
from actors.messages.caring import Help, HelpNumber, TakeCare
from actors.messages.guardian import HelpNamed, Transcript, Worried
from actors.messages.ids import Generation
from actors.messages.persona import ToPersona
from actors.runtime import Ref
from actors.services import Services
from care import KINDS, Helpline, Kind, help_sentence, instructions, names_one, numbers
from personas import Persona, Profile
from register.record import Care as Kept
from upstream.facts import NO_TURN, Role, TurnId

LONGEST = Close(1000, "this call has reached its longest time: call the number that you were told, or call again")
LAST = Notice("draining", "This call ends at the next pause: call the number that you were told, or call again.")
A_MOMENT = 0.001  # seconds: a call that was in care for none has no place
UNSURE = "?"  # behind a kind that is not sure, in a record


class CareHost(SwitchboardHost, Protocol):
    """What a session does for it."""

    def in_care(self) -> None:
        """The call is in care: the supervisor is told, and it does not end for what was due of the caller's own."""
        ...

    def drain(self, message: Drain, /) -> None:
        """End at the next pause."""
        ...


class Care:
    """One call's. `disclosing` is when the caller is told that an AI speaks."""

    def __init__(
        self,
        host: CareHost,
        switchboard: Switchboard,
        persona: Ref[ToPersona],
        guard: Guard,
        ending: CallEnding,
        services: Services,
    ) -> None:
        self._host, self._switchboard, self._persona, self._guard = host, switchboard, persona, guard
        self._conversation, self._ending, self._services = switchboard.conversation, ending, services
        self._caller, self._insisted = self._conversation.caller, self._conversation.greetings.insisted
        self._user = self._caller.identity.user
        self._worries: dict[Kind, Worried] = {}
        self._since: float | None = None  # when care began, on the session's clock
        self._has_place = False
        self._country = services.caring.country.upper()  # of the caller, as they told last in this call
        self._named = self._heard = NO_TURN  # the turn in whose answer help was named, and the last of the caller's
        leaves_out = services.caring.leave_out_disclosure
        self.disclosing = Disclosing(host, switchboard, services.talks, self._user, leaves_out)
        self._conversation.outbound.overhear = self._conversation.inbound.words.overhear = self._overhear
        switchboard.sparing.told = self._learn

    @property
    def helplines(self) -> tuple[Helpline, ...]:
        """Those of the caller's country: for what there is to worry about, the most urgent first; else for all."""
        return _lines(self._kinds, self._country)

    @property
    def worries(self) -> tuple[Worried, ...]:
        """What there is to worry about."""
        return tuple(self._worries.values())

    def come(self, message: Worried | HelpNamed | CareOver | ReminderDue) -> None:
        """The guardian worries or has heard a helpline, or a time is over.

        Once the call is over nothing is done, but that who said it and hung up is told the numbers before the close.
        """
        if self._ending.begun:
            if isinstance(message, Worried) and not self._ending.done:
                self._note(message)
                self._tell()
                self._ending.help = self._numbers
            return
        match message:
            case Worried():
                self._worry(message)
            case HelpNamed(transcript):
                self._named = max(self._named, transcript.turn)
            case CareOver():
                self._host.drain(Drain(LAST_SECONDS, LAST, LONGEST))
            case ReminderDue():
                self.disclosing.remind()

    def guardian_ended(self, cause: BaseException | None) -> None:
        """It crashed, or was too slow."""
        self._guard.ended(cause, self._host.clock())

    def leaving(self) -> None:
        """The call ends: whoever may be in danger is told the numbers first."""
        if self._worries:
            self._tell()

    def ended(self) -> None:
        """The session ends: nothing of it may keep another part of it alive."""
        self._conversation.outbound.overhear = self._conversation.inbound.words.overhear = nobody
        self._switchboard.sparing.told = nobody
        self._insisted.close()
        self.disclosing.ended()
        if self._has_place:
            self._services.places.leave()

    # For another node that goes on with the call.

    def record(self, unheard: Mapping[TurnId, str]) -> tuple[bool, Kept]:
        """Whether the caller was told that an AI speaks, and what there is to worry about.

        `unheard`: what was heard of the answers that are not heard to their end.
        """
        now, disclosed = self._host.clock(), self.disclosing.heard(unheard)
        spoken = self._insisted.heard(What.HELP, unheard)
        kinds = tuple(f"{kind}{'' if worried.sure else UNSURE}" for kind, worried in self._worries.items())
        country = self._country if kinds else ""
        if self._since is None or not self._has_place:
            return disclosed, Kept(kinds, country=country, spoken=spoken)
        silent = now - max(self._since, self._conversation.inbound.spoke_at)
        kept = max(now - self._since, A_MOMENT)
        return disclosed, Kept(kinds, silent, kept, country, spoken)

    def begin_with(self, disclosed: bool, kept: Kept) -> None:
        """The call goes on here, as `record` said of it elsewhere. Kinds that nobody knows here are passed over."""
        self._country = kept.country or self._country
        if disclosed:
            self.disclosing.begin_heard()
        told = {kind: Worried(kind, sure=kind in kept.kinds) for kind in known_kinds(kept)}
        self._worries |= told
        if kept.kept_seconds:
            self._keep(kept.kept_seconds, again=True)
            if self._has_place:
                self._host.in_care()
        elif any(map(_is_danger, told)):
            self._since = self._host.clock()  # it found no place
        if told:
            self._take_care()
        if not kept.spoken and (danger := next(filter(_is_danger, told), None)):
            self._owe_help(danger)

    # What is said, and what there is to worry about.

    def _overhear(self, role: Role, generation: Generation, turn: TurnId, text: str, final: bool) -> None:
        if self._ending.begun:
            return
        if role == "user":
            self._heard = max(self._heard, turn)
        elif final and self._insisted.owes(What.HELP) and names_one(text, lines := self.helplines):
            self._insisted.carry(turn, What.HELP, lambda heard: names_one(heard, lines))
        self._guard.overhear(Transcript(role, generation, turn), text, final)

    def _learn(self, profile: Profile) -> None:
        """The caller tells of themselves: in another country the numbers are others."""
        country = profile.country.upper()
        if self._ending.begun or country in ("", self._country):
            return
        self._country, self._named = country, NO_TURN
        self._guard.know(self.helplines)
        if not self._worries:
            return
        self._tell()
        self._take_care()
        if danger := next((kind for kind in KINDS if kind in self._worries and _is_danger(kind)), None):
            self._owe_help(danger)
        self._switchboard.bridges.prepare_anew()
        self._switchboard.bridges.go_on()

    def _worry(self, worried: Worried) -> None:
        is_new = self._note(worried)
        if worried.kind == "child" and worried.sure:
            self._switchboard.sparing.suspect()
        if begins := _is_danger(worried.kind) and self._since is None:
            self._keep(0.0)
        self._tell()
        self._take_care()
        if begins and self._has_place:
            self._host.in_care()
        if is_new and _is_danger(worried.kind):
            self._owe_help(worried.kind)
        self._switchboard.bridges.prepare_anew()
        self._switchboard.bridges.go_on()

    def _note(self, worried: Worried) -> bool:
        """There is this to worry about. True if that is new."""
        is_new = worried.kind not in self._worries
        self._worries[worried.kind] = worried
        self._services.counters.worries[worried.kind] += is_new
        return is_new

    def _keep(self, seconds: float, *, again: bool = False) -> None:
        """The caller's own limits do not cut any more, for what is left of the longest time after so many seconds."""
        caring, today = self._services.caring, self._services.clock.wall().date()
        self._since = self._host.clock() - seconds
        self._has_place = self._services.places.take(self._user, today, again=again)
        if not self._has_place:
            self._services.counters.care_refused += 1
            return
        self._host.watch.lift(caring.care_silent_seconds)
        self._switchboard.choices.lift()
        self._host.after(max(0.0, caring.care_seconds - seconds), CareOver())

    def _take_care(self) -> None:
        worries = [self._worries[kind] for kind in KINDS if kind in self._worries]
        self._ending.help = self._numbers
        self._persona.tell(TakeCare(instructions(worries, self.helplines), free=self._has_place))

    def _owe_help(self, kind: Kind) -> None:
        """A helpline is to be spoken, unless the last answer named one and nothing was said since."""

        def words(persona: Persona) -> str:
            return help_sentence(persona.language_code, kind, numbers(self._country, kind))

        self._insisted.owe(What.HELP, words)
        if self._named and self._named >= self._heard:
            lines = self.helplines
            self._insisted.carry(self._named, What.HELP, lambda heard: names_one(heard, lines))

    def _tell(self) -> None:
        wanted = self._switchboard.line.wanted
        kind = next(kind for kind in KINDS if kind in self._worries)
        language = wanted.persona.language_code if wanted else ""
        message = help_sentence(language, kind, numbers(self._country, kind))
        self._caller.tell(
            Help(message, self._numbers, metered=not (self._has_place or self._switchboard.sparing.minor))
        )

    @property
    def _numbers(self) -> tuple[HelpNumber, ...]:
        return told_numbers(self._kinds, self._country)

    @property
    def _kinds(self) -> Collection[Kind]:
        """What there is to worry about, the most urgent first; else all."""
        return [kind for kind in KINDS if kind in self._worries] or KINDS


def known_kinds(kept: Kept) -> list[Kind]:
    """What a call was worried about, as it was saved, the most urgent first; kinds that nobody knows are left out."""
    return [kind for kind in KINDS if {kind, kind + UNSURE} & {*kept.kinds}]


def told_numbers(kinds: Collection[Kind], country: str) -> tuple[HelpNumber, ...]:
    """Whom a caller is told to call."""
    return tuple(HelpNumber(line.name, line.number, line.languages) for line in _lines(kinds, country))


def _lines(kinds: Collection[Kind], country: str) -> tuple[Helpline, ...]:
    return tuple({line.number: line for kind in kinds for line in numbers(country, kind)}.values())


def _is_danger(kind: Kind) -> bool:
    """A caller who is a child is not in danger for that."""
    return kind != "child"
