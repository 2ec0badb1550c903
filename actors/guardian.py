"""GuardianActor: reads both transcripts of a call for signs of danger. It costs the way of sound nothing.

    session ── Said(transcript, text, final) ──▶ guardian ── Worried(kind, sure), HelpNamed ──▶ session
       └── Guarding: what is told     the last words │ ▲ Judged(found), without words
           to the guardian, and whether              ▼ │
           there is another one after a crash      a judge model, where the owner has named one: it can only add

A transcript with which the guardian crashed is not told to the next one. What it was told before is not told again. How
personas press callers it counts, without words.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Protocol, TypeAlias, assert_never

from actors.caring.judging import Judge, JudgeDue, Judging
from actors.counters import Counters
from actors.messages.guardian import FromGuardian, HelpNamed, Judged, KnowHelplines, Said, ToGuardian, Transcript
from actors.runtime import Boot, LoopActor, Policy, Ref, Stop, Verdict
from care.folding import windows
from care.helplines import Helpline
from care.listening import Listener
from care.said import pressed
from care.signs import Signs, Worried

GUARDIAN = Policy(Verdict.RESTART, limit=2, within=inf)
"""Restarted twice in a call; then the call goes on without."""

LAST_ANSWERS = 4  # whose windows may still wait


class GuardianServices(Protocol):
    """What a guardian needs of the services of a server."""

    @property
    def counters(self) -> Counters: ...

    @property
    def judge(self) -> Judge | None: ...


class Unreadable(Exception):
    """The guardian crashed with this transcript. Of the cause only the type and the traceback are kept: no words."""

    def __init__(self, transcript: Transcript, kind: str) -> None:
        super().__init__(kind)
        self.transcript = transcript


@dataclass(frozen=True, slots=True)
class Window:
    """To itself: the next part of a long transcript, so that no message takes long."""

    transcript: Transcript
    text: str = field(repr=False)


GuardianInbox: TypeAlias = Boot | Stop | ToGuardian | Window | Judged | JudgeDue


class GuardianActor(LoopActor[GuardianInbox]):
    """It tells each kind of danger once, and once more when it becomes sure; and each time that help is named.

    What its owner has `known` before, from another guardian or another server, it does not tell.
    """

    name = "guardian"
    most_waiting = 1_000

    def __init__(
        self,
        owner: Ref[FromGuardian],
        signs: Signs,
        helplines: Collection[Helpline],
        services: GuardianServices,
        known: Iterable[Worried] = (),
    ) -> None:
        super().__init__()
        self._owner, self._counters = owner, services.counters
        self._listener = Listener(signs, helplines, known)
        self._judging = Judging(services.judge, self.me.tell, self.after)
        self._pressed: dict[Transcript, frozenset[str]] = {}  # by which rules the last answers press

    def on_receive(self, message: GuardianInbox) -> None:
        match message:
            case Boot():
                pass
            case Said(transcript, text, final):
                self._read(transcript, text, final)
                if final and not self._listener.is_sure:
                    self._judging.hear(transcript.role, text)
            case Window(transcript, text):
                self._read(transcript, text, final=True)
            case Judged(found):
                self._tell(self._listener.judged(found))
                self._judging.answered()
            case JudgeDue():
                self._judging.due()
            case KnowHelplines(helplines):
                self._listener.know(helplines)
            case Stop():
                self.end()
            case _:
                assert_never(message)

    def _read(self, transcript: Transcript, text: str, final: bool) -> None:
        first, *others = windows(text)
        for window in others:
            self.me.tell(Window(transcript, window))
        try:
            self._look(transcript, first, final or bool(others))
        except Exception as error:
            crash = Unreadable(transcript, type(error).__name__)
            raise crash.with_traceback(error.__traceback__) from None

    def _look(self, transcript: Transcript, text: str, final: bool) -> None:
        listener, turn = self._listener, (transcript.generation, transcript.turn)
        if transcript.role == "user":
            self._tell((listener.heard_all if final else listener.heard)(turn, text))
            return
        if (listener.said_all if final else listener.said)(turn, text):
            self._owner.tell(HelpNamed(transcript))
        if final:
            self._count(transcript, pressed(text))

    def _tell(self, worries: Iterable[Worried]) -> None:
        for worried in worries:
            self._owner.tell(worried)
        if self._listener.is_sure:
            self._judging.rest()

    def _count(self, transcript: Transcript, rules: frozenset[str]) -> None:
        """Count an answer once for each rule that it breaks; a long one comes in several windows."""
        known = self._pressed.pop(transcript, frozenset())
        self._counters.pressed.update(rules - known)
        self._pressed[transcript] = known | rules
        if len(self._pressed) > LAST_ANSWERS:
            del self._pressed[next(iter(self._pressed))]

    def on_stop(self) -> None:
        self._judging.close()


class Guarding:
    """What the owner of a guardian keeps: which transcripts it is told, and whether another follows after an end."""

    def __init__(self, policy: Policy = GUARDIAN) -> None:
        self._policy = policy
        self._ends: list[float] = []
        self._barred: set[Transcript] = set()
        self.given_up = False
        """True once there is no other guardian for this call; the owner counts it, once."""

    def reads(self, transcript: Transcript) -> bool:
        """Whether this transcript is told to the guardian that there is."""
        return not self.given_up and transcript not in self._barred

    def ended(self, cause: BaseException | None, now: float) -> bool:
        """The guardian ended; whether another one is to be hired."""
        if isinstance(cause, Unreadable):
            self._barred.add(cause.transcript)
        self._ends.append(now)
        self.given_up = self._policy.judge(self._ends, now) is Verdict.ESCALATE
        return not self.given_up
