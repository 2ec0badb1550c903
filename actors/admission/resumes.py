"""The calls that their callers may come back to: who is away, who asks to come back, and what has ended. Pure."""

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from actors.messages.admission import Ended, Resume
from actors.messages.caring import HelpNumber
from actors.messages.resuming import NotResumed, NotResumedCode
from actors.runtime import LoopRef
from personas.meter import Bill

REMEMBERED_SECONDS = 600.0  # a phone may be in a tunnel for longer than a call waits, and is to learn what it cost
MOST_REMEMBERED = 10_000  # calls; beyond that the oldest is forgotten early

WHY: dict[NotResumedCode, str] = {
    "unknown": "This server knows no such call of yours.",
    "stale": "The call has gone on elsewhere since.",
    "too_much": "More of the call is lost than can be sent again.",
    "ended": "The call has ended.",
    "unavailable": "It cannot be found out now where your call is.",
}


@dataclass(frozen=True, slots=True)
class _Past:
    token: bytes
    bill: Bill
    help: tuple[HelpNumber, ...]
    at: float


class Counters(Protocol):
    """Those of a server: actors/counters.py."""

    away: int
    resumed: int
    not_resumed: Counter[str]
    given_up: Counter[int]


class Resumes:
    """`now` is in seconds, on a clock that never goes back. What becomes of the calls is counted in `counters`."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._away: dict[LoopRef[Any], None] = {}  # the one longest away first
        self._spared: set[LoopRef[Any]] = set()
        self._asking: dict[LoopRef[Any], list[Resume]] = {}
        self._past: OrderedDict[str, _Past] = OrderedDict()  # by user: the last call that ended

    def went(self, session: LoopRef[Any]) -> None:
        """The caller of this session is away."""
        self._away[session] = None
        self._counters.away = len(self._away)

    def spare(self, session: LoopRef[Any]) -> None:
        """The caller of this session may be in danger: nobody else gets their place while they are away."""
        self._spared.add(session)

    def ask(self, session: LoopRef[Any], asked: Resume) -> None:
        """A connection asks this session to go on over it."""
        self._asking.setdefault(session, []).append(asked)

    def came_back(self, session: LoopRef[Any], asked: Resume) -> None:
        """The session has accepted."""
        self.answered(session, asked)
        self._counters.resumed += 1
        self.back(session)

    def answered(self, session: LoopRef[Any], asked: Resume) -> None:
        """The session has accepted, or not."""
        self._asking[session].remove(asked)
        if not self._asking[session]:
            del self._asking[session]

    def back(self, session: LoopRef[Any]) -> None:
        """The caller of this session is not away any more."""
        self._away.pop(session, None)
        self._counters.away = len(self._away)

    def over(self, session: LoopRef[Any], code: int) -> None:
        """The call is over, with this close code."""
        if session in self._away:
            self._counters.given_up[code] += 1
            self.back(session)

    def gone(self, session: LoopRef[Any]) -> list[Resume]:
        """The session has ended: returns who asked for it, and has no answer."""
        self.back(session)
        self._spared.discard(session)
        return self._asking.pop(session, [])

    @property
    def longest_away(self) -> LoopRef[Any] | None:
        """The session whose caller is away longest, and is not spared; None if there is none."""
        return next((session for session in self._away if session not in self._spared), None)

    def refusal(
        self,
        user: str,
        token: bytes,
        code: NotResumedCode,
        words: str,
        now: float,
        elsewhere: tuple[Bill, tuple[HelpNumber, ...]] | None = None,
    ) -> NotResumed:
        """What a connection is told that cannot resume: of a call that has ended the bill, and `words` not heard.

        `elsewhere`: of a call that has ended on another node, and the numbers of help for its caller.
        """
        past = self._known(user, token, now) or (_Past(token, *elsewhere, now) if elsewhere else None)
        code = "ended" if past else code
        self._counters.not_resumed[code] += 1
        return NotResumed(code, WHY[code], past.bill if past else None, words, past.help if past else ())

    def ended(self, call: Ended, now: float) -> None:
        """A call that could be resumed has ended."""
        self._past.pop(call.user, None)
        self._past[call.user] = _Past(call.token, call.bill, call.help, now)
        while len(self._past) > MOST_REMEMBERED or now - next(iter(self._past.values())).at > REMEMBERED_SECONDS:
            self._past.popitem(last=False)

    def past(self, user: str, token: bytes, now: float) -> Bill | None:
        """The bill of the last call of this user, if that had this token and is remembered."""
        past = self._known(user, token, now)
        return past.bill if past else None

    def _known(self, user: str, token: bytes, now: float) -> _Past | None:
        past = self._past.get(user)
        return past if past and past.token == token and now - past.at <= REMEMBERED_SECONDS else None
