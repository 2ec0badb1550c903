"""GuardianActor: reads both transcripts of a call for signs of danger. It costs the way of sound nothing.

    session ── Said(transcript, text, final) ──▶ guardian ── Worried(kind, sure), HelpNamed ──▶ session
       └── Guarding: what is told to the guardian, and whether there is another one after a crash

A transcript with which the guardian crashed is not told to the next one. What it was told before is not told again.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf
from typing import TypeAlias, assert_never

from actors.messages.guardian import FromGuardian, HelpNamed, Said, ToGuardian, Transcript
from actors.runtime import Boot, LoopActor, Policy, Ref, Stop, Verdict
from care.folding import windows
from care.helplines import Helpline
from care.listening import Listener
from care.signs import Signs

GUARDIAN = Policy(Verdict.RESTART, limit=2, within=inf)
"""Restarted twice in a call; then the call goes on without."""


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


GuardianInbox: TypeAlias = Boot | Stop | ToGuardian | Window


class GuardianActor(LoopActor[GuardianInbox]):
    """It tells each kind of danger once, and once more when it becomes sure; and each time that help is named."""

    name = "guardian"
    most_waiting = 1_000

    def __init__(self, owner: Ref[FromGuardian], signs: Signs, helplines: Collection[Helpline] = ()) -> None:
        super().__init__()
        self._owner = owner
        self._listener = Listener(signs, helplines)

    def on_receive(self, message: GuardianInbox) -> None:
        match message:
            case Boot():
                pass
            case Said(transcript, text, final):
                self._read(transcript, text, final)
            case Window(transcript, text):
                self._read(transcript, text, final=True)
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
            for worried in (listener.heard_all if final else listener.heard)(turn, text):
                self._owner.tell(worried)
        elif (listener.said_all if final else listener.said)(turn, text):
            self._owner.tell(HelpNamed(transcript))


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
