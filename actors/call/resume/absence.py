"""The call while its caller is away, and the moment when they are back.

    connection lost ─▶ away ─┬─▶ Resume is accepted ─▶ the call goes on, on another connection
                             ├─▶ nobody comes within the grace ─▶ the call ends, as if they had hung up without a word
                             └─▶ the server needs the place ─▶ the same

While they are away the playout clock stands, no time is metered, and what waits for the caller does not come due. What
waits for the model goes on: it makes its answers, is reconnected and rolls over.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from actors.call.connection import GRACE_SECONDS, SUPERSEDED
from actors.call.conversation import Conversation
from actors.call.host import SwitchboardHost
from actors.call.resume.attempts import Accepted
from actors.call.resume.ledger import Outlet
from actors.call.timers import GraceOver, Look, MicrophoneSilent
from actors.call.uplink import MUTED_SECONDS
from actors.call.watch import For, Waiting
from actors.messages.admission import (
    GONE,
    Admitted,
    CameBack,
    CannotResume,
    Ended,
    FromSession,
    LostSight,
    Resume,
    SeenAgain,
    WentAway,
)
from actors.messages.caller import Close
from actors.messages.caring import HelpNumber
from actors.messages.persona import PauseMeter, ResumeMeter, ToPersona
from actors.messages.resuming import Resumed
from actors.runtime import LoopRef, Ref
from personas.meter import Bill

log = logging.getLogger(__name__)

TAB_CLOSED_SECONDS = 5.0  # after 1001: a page that is reloaded comes back at once, one that is closed does not
WORTH_SECONDS = 10.0  # of talk, or
WORTH_REPLIES = 2  # a greeting and an answer: a call that had neither is begun anew instead
RECORDED_MS = 15_000  # of what a microphone took while nobody listened
ONSET_MS = 300  # of it, where the persona has something left to say: "hello? can you hear me?" must not kill that
UNSEEN = Close(1011, "nothing was seen of you for 25 s: resume")
OVER = (1000, 1002, 1007, 1009, 4400)  # closes after which nobody comes back: hung up, or their frames are wrong
STANDS = (For.CHOICE, For.NOBODY, For.CALLER, For.PAUSE, For.WORDS, For.LULL, For.UNSAID)
"""What the call waits for of the caller: none of it comes due while they are away."""


class Absence:
    """`since` is when the caller went away, None while they are here; on the session's clock, in seconds.

    `began` is when the call did; `answered` counts the replies that came to an end on the nodes before this one.

    Until they are back nothing is metered since they were seen last, and then what they heard since of what had come.
    """

    def __init__(
        self,
        host: SwitchboardHost,
        me: LoopRef[Any],
        user: str,
        conversation: Conversation,
        persona: Ref[ToPersona],
        supervisor: Ref[FromSession],
    ) -> None:
        self._host, self._me, self._user, self._supervisor = host, me, user, supervisor
        self._caller, self._conversation, self._persona = conversation.caller, conversation, persona
        self._playing, self.began = conversation.outbound.playing, host.clock()
        self._seen_at = 0.0  # when the caller who is away gave the last sign of life, as far as that is known
        self._spans: list[tuple[float, float]] = []  # when they went, and for how many seconds
        self._times, self._seconds = 0, 0.0
        self.answered = 0
        self.since: float | None = None

    def begin(self, how: Close, seen_at: float | None = None, close: Close | None = None) -> bool:
        """The connection has ended like this. False if nobody will come back, and the call is over.

        Nothing is metered since `seen_at`, by default now. With `close` the connection is closed.
        """
        now = self._host.clock()
        if how.code in OVER or not self.may_return:
            return False
        self._go(now, close, seen_at)
        self._host.after(TAB_CLOSED_SECONDS if how.code == 1001 else GRACE_SECONDS, GraceOver())
        self._supervisor.tell(WentAway(self._me))
        return True

    def come(self, message: Resume | LostSight | SeenAgain, *, over: bool) -> None:
        """The caller asks to go on, nothing is seen of them any more, or they are seen again. `over`: the call is."""
        match message:
            case Resume():
                self._resume(message, ended=over)
            case LostSight(connection) | SeenAgain(connection) if over or connection != self._caller.connection:
                pass
            case LostSight(_, seen_at) if self.since is None:
                if not self.begin(GONE, seen_at, UNSEEN):
                    self.unmetered(seen_at)
            case SeenAgain() if self.since is None:
                self._persona.tell(ResumeMeter())

    def unmetered(self, seen_at: float | None) -> None:
        """Nothing is metered since the caller was seen last, if that is known."""
        if seen_at is not None:
            self._persona.tell(PauseMeter(seen_at))

    def _resume(self, asked: Resume, *, ended: bool) -> None:
        told = "ended" if ended and self._caller.secret else self._caller.decide(asked)  # or it goes on elsewhere
        if not isinstance(told, Accepted) or not isinstance(asked.outbox, Outlet):
            code = "unknown" if isinstance(told, Accepted) else told
            words = self._playing.words(self._caller.unreceived(asked.received)) if code == "too_much" else ""
            self._supervisor.tell(CannotResume(self._me, asked, code, words))
            return
        now = self._host.clock()
        if self.since is None:  # the old connection is not known to be lost
            self._go(now, SUPERSEDED, self._caller.seen_at)
        self._back(asked, asked.outbox, told, now)

    def waits(self, waits: Iterable[Waiting]) -> list[Waiting]:
        """These waits without those for a caller who is away; the time for which they were is not counted."""
        if self.since is not None:
            return [one for one in waits if one.wait not in STANDS]
        return [one if one.since is None else replace(one, since=self._shifted(one.since)) for one in waits]

    def ended(self, bill: Bill, numbers: tuple[HelpNumber, ...] = ()) -> None:
        """The call is over: whoever comes back for it is told so, the bill, and the numbers of help."""
        if kept := self._caller.secret:
            self._supervisor.tell(Ended(self._user, kept, bill, numbers))

    def told(self) -> dict[str, str]:
        """For the log: how often the caller was away, and for how many seconds."""
        seconds = self._seconds + (0.0 if self.since is None else self._host.clock() - self.since)
        return {"away": str(self._times), "away_seconds": f"{seconds:.1f}"} if self._times else {}

    @property
    def may_return(self) -> bool:
        """True if the caller may come back, and there is something to come back to."""
        return bool(self._caller.secret) and self._is_worth(self._host.clock())

    @property
    def answers(self) -> int:
        """How many replies of the call came to an end, on whichever node."""
        return self.answered + self._conversation.owed.answers

    def _is_worth(self, now: float) -> bool:
        return now - self.began >= WORTH_SECONDS or self.answers >= WORTH_REPLIES

    def _go(self, now: float, close: Close | None = None, seen_at: float | None = None) -> None:
        self.since, self._seen_at = now, now if seen_at is None else seen_at
        self._times += 1
        self._caller.lose(close)
        self._playing.stand(now)
        self.unmetered(self._seen_at)

    def _back(self, asked: Resume, outlet: Outlet, accepted: Accepted, now: float) -> None:
        since = now if self.since is None else self.since
        attach, kept = self._caller.come_back(asked, outlet, accepted)
        self._persona.tell(ResumeMeter(self._playing.go_on(kept, now, self._seen_at)))
        self._seconds += now - since
        self._spans, self.since = [*self._spans[-31:], (since, now - since)], None
        away_ms = round((now - since) * 1000)
        outlet.tell(Resumed(attach, accepted.handled, away_ms, self._uplink_ms(now), accepted.moved))
        asked.reply_to.tell(Admitted(self._me))
        self._supervisor.tell(CameBack(self._me, asked))
        if self._conversation.inbound.stream.speaking:
            self._host.after(MUTED_SECONDS, MicrophoneSilent())
        self._host.pace()
        self._host.after(0.0, Look())
        log.info("session=%s is back, attach=%d, after %.1f s", self._caller.call, attach, now - since)

    def _uplink_ms(self, now: float) -> int:
        """How much the caller is to send of what they said meanwhile."""
        speaking = self._conversation.inbound.stream.speaking
        return RECORDED_MS if speaking or self._conversation.silent(now) else ONSET_MS

    def _shifted(self, since: float) -> float:
        return since + sum(max(0.0, went + seconds - max(went, since)) for went, seconds in self._spans)
