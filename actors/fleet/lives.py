"""The calls of one server as the register knows them: what is saved when, and whose life here is over.

    Announce ──▶ claim ──▶ claimed ─┬─▶ Keep ──▶ save ──▶ saved, lost (the next one does), or refused: Superseded
                                    ├─▶ YieldAsked ──▶ YieldCall, and its last record is answered with True
                                    └─▶ Kicked by a newer epoch: Superseded, and nothing is saved any more

Of one call at most one save is under way; the newest record waits. While the register is away calls go on. A claim that
has no answer is made here, from when the call began, by the time of the register as far as that is known: the first
save that comes through makes it known, or is refused. If the claim without an answer was carried out later all the
same, that one counts.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from actors.fleet.call_questions import ENDED_SECONDS, KEPT_SECONDS, Questions
from actors.messages.moving import Claimed, Keep, Last, LastKept, Superseded, YieldCall
from actors.runtime import LoopRef, Ref
from actors.services import Services
from register import Claim, Epoch, Kicked, YieldAsked

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Life:
    """One call here. `waiting` is to be saved; `left`: its last record was sent; `over`: nothing is saved any more.

    `ended` is the record with which it ended here, as far as its session knows. `since`: when it began, as Unix time.
    """

    session: LoopRef[Any]
    user: str
    token: bytes
    since: float
    claim: Claim | None = None
    waiting: Keep | None = None
    saving: bool = False
    left: bool = False
    over: bool = False
    saved_ms: int = 0
    gone_at: float | None = None
    ended: Keep | None = None
    kicked: Kicked | None = None
    asked: list[YieldAsked] = field(default_factory=list)


class Lives:
    """By session. What the register is asked goes through `questions`; the supervisor is told of claims."""

    def __init__(self, questions: Questions, services: Services, supervisor: Ref[Claimed]) -> None:
        self._questions, self._services, self._supervisor = questions, services, supervisor
        self._counters, self._clock = services.counters, services.clock
        self._lives: dict[LoopRef[Any], _Life] = {}
        self._ahead = 0.0  # seconds by which the register's clock is before ours
        self.held = False
        """This server slept, and does not know yet which lives are over: nothing is saved."""

    def announce(self, session: LoopRef[Any], user: str, hashed: bytes) -> None:
        """A call has begun."""
        self._lives[session] = _Life(session, user, hashed, self._wall)
        self._questions.claim(session, user, hashed)

    def adopt(self, session: LoopRef[Any], claim: Claim) -> None:
        """A call was taken."""
        self._lives[session] = _Life(session, claim.user, claim.token, self._wall, claim)

    def claimed(self, session: LoopRef[Any], claim: Claim | None) -> None:
        """The register has answered, or not."""
        if life := self._lives.get(session):
            self._claimed(life, claim)

    @property
    def _wall(self) -> float:
        return self._clock.wall().timestamp()

    def _claimed(self, life: _Life, claim: Claim | None) -> None:
        if claim:
            self._ahead = claim.epoch / 1e6 - self._wall
        made_here = Claim(life.user, Epoch(int((life.since + self._ahead) * 1e6)), life.token, made_here=True)
        life.claim = claim or made_here
        self._supervisor.tell(Claimed(life.session, life.claim))
        if life.kicked:
            self.kicked(life.kicked)
        self._go_on(life)

    # Saves.

    def keep(self, keep: Keep) -> None:
        """The call as it is now."""
        life = self._lives.get(keep.session)
        if not life:  # the registrar before this one has crashed
            life = self._lives[keep.session] = _Life(keep.session, keep.record.identity.user, keep.token, self._wall)
            self._claimed(life, None)
        if life.left:
            return
        life.waiting, life.left = keep, keep.last is not None
        life.ended = keep if keep.last is Last.ENDED else None
        if life.over and keep.last:
            keep.session.tell(LastKept(saved=False, saved_ms=life.saved_ms))
        self._go_on(life)

    def _go_on(self, life: _Life) -> None:
        """Save what waits, unless a save is under way."""
        if self.held or life.over or life.saving or not life.waiting or not life.claim:
            return
        keep, life.waiting, life.saving = life.waiting, None, True
        self._questions.save(keep, life.claim)

    def saved(self, keep: Keep, saved: bool | None, claim: Claim, moved: bool = True) -> None:
        """The register has answered, or not (None). `claim` is that of the call, as far as is known now.

        `moved`: where the user has a newer life, that is this call.
        """
        life = self._lives.get(keep.session)
        if not life:
            return
        life.saving = False
        if saved:
            self._confirmed(life, claim)
        if saved is None:
            self._counters.saves_lost += 1
            life.waiting = life.waiting or keep
        elif saved:
            life.saved_ms = keep.ms
        else:
            self._end(life, moved)
        if keep.last:
            self._answer(life, keep.last is Last.YIELDED and saved is True)
            keep.session.tell(LastKept(saved, life.saved_ms))
        if saved is not None or self._questions.here:
            self._go_on(life)
        if life.gone_at is not None:
            self.gone(keep.session)

    def _confirmed(self, life: _Life, claim: Claim) -> None:
        """The register knows this claim."""
        if claim != life.claim:
            self._supervisor.tell(Claimed(life.session, claim))
        life.claim = replace(claim, made_here=False) if claim.made_here else claim

    @property
    def users(self) -> set[str]:
        """Who has a life here that is known and not over."""
        return {life.user for life in self._lives.values() if life.claim and not life.over}

    def woke(self, epochs: Mapping[str, Epoch]) -> None:
        """These are the newest epochs, after this server slept: older lives are over."""
        for life in self._lives.values():
            if life.claim and epochs.get(life.user, 0) > life.claim.epoch:
                self._end(life, moved=True)

    def came(self) -> None:
        """The register answers again, or what was held is held no more."""
        for life in list(self._lives.values()):
            self._go_on(life)

    # The end of a life here.

    def kicked(self, kicked: Kicked) -> None:
        """The user has a newer life elsewhere."""
        for life in self._lives.values():
            if life.user == kicked.user and not life.over:
                if not life.claim:
                    life.kicked = kicked
                elif life.claim.epoch < kicked.epoch:
                    self._end(life, kicked.moved)

    def _end(self, life: _Life, moved: bool) -> None:
        """The user has a newer life elsewhere."""
        if not life.over:
            life.over, life.waiting = True, None
            life.session.tell(Superseded(moved, life.saved_ms))
            if life.ended and life.gone_at is not None and moved:
                self._went_on(life, life.ended)

    def _went_on(self, life: _Life, ended: Keep) -> None:
        """A call was billed here when it ended, and had gone on elsewhere before."""
        unbilled = max(0, ended.ms - life.saved_ms) / 1000
        self._counters.calls_moved["out"] += 1
        self._counters.unbilled_seconds += unbilled
        name, carried = self._services.log_name(life.user), life.saved_ms / 1000
        facts = f"user={name} moved=1 carried={carried:.1f} unbilled={unbilled:.1f}"
        log.warning("session=%s had gone on elsewhere before it ended, its price is void: %s", ended.call, facts)

    def yield_(self, asked: YieldAsked) -> None:
        """Another node is to have a call."""
        lives = (life for life in self._lives.values() if life.claim and life.user == asked.user and not life.over)
        life = next((life for life in lives if life.claim and life.claim.epoch == asked.epoch), None)
        if life and (not life.left or life.saving or life.waiting):
            life.asked.append(asked)
            if not life.left:
                life.session.tell(YieldCall())
        else:
            self._questions.answer(asked, yielded=False)

    def _answer(self, life: _Life, yielded: bool) -> None:
        """Whoever asked for the call may have it now."""
        for asked in life.asked:
            self._questions.answer(asked, yielded)
        life.asked = []

    def gone(self, session: LoopRef[Any]) -> None:
        """The session has ended. What is still to be saved is kept while that is of use, or may void a bill."""
        now = self._clock.now()
        if life := self._lives.get(session):
            life.gone_at = now if life.gone_at is None else life.gone_at
            self._answer(life, yielded=False) if not life.left else None
        for one in list(self._lives.values()):
            idle, seconds = not (one.saving or one.waiting), ENDED_SECONDS if one.ended else KEPT_SECONDS
            if one.gone_at is not None and (idle or now - one.gone_at > seconds):
                del self._lives[one.session]
