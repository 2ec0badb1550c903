"""Between a session and its GuardianActor: what both sides say, and what there is to worry about.

Words go down only. What comes up has none, so that nothing of them is logged or counted.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from actors.messages.ids import Generation
from care.helplines import Helpline
from care.signs import Worried
from upstream.facts import Role, TurnId

__all__ = ["FromGuardian", "HelpNamed", "Judged", "KnowHelplines", "Said", "ToGuardian", "Transcript", "Worried"]


@dataclass(frozen=True, slots=True)
class Transcript:
    """Whose words these are: of the caller's turn `turn` ("user"), or of the answer to it ("assistant")."""

    role: Role
    generation: Generation
    turn: TurnId


@dataclass(frozen=True, slots=True)
class Said:
    """Some more words of a transcript, or, if `final`, all of them. The persona's are told ahead of their sound."""

    transcript: Transcript
    text: str = field(repr=False)
    final: bool


@dataclass(frozen=True, slots=True)
class HelpNamed:
    """The persona has named a helpline in this transcript, so the fixed sentence need not be spoken."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class KnowHelplines:
    """From now on help is named by these: the caller is in another country."""

    helplines: tuple[Helpline, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judge model has found, nothing if it gave no answer. It is told once for each question."""

    found: tuple[Worried, ...] = ()


ToGuardian: TypeAlias = Said | KnowHelplines
FromGuardian: TypeAlias = Worried | HelpNamed
