"""The questions of one server to the register: each is a task, which tells its answer."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from actors.call.connection import GRACE_SECONDS
from actors.call.moving.kept_call import SAVE_SECONDS
from actors.call.resume import token
from actors.messages.admission import Resume
from actors.messages.moving import Keep, Last, NotTaken, TookCall
from actors.runtime import LoopRef
from register import Claim, Epoch, Holder, Past, Register, RegisterAway, Taken, YieldAsked
from register.reading import Unreadable
from register.record import decode, encode

log = logging.getLogger(__name__)

KEPT_SECONDS = GRACE_SECONDS + SAVE_SECONDS  # that a record of a call lives without another save
TAKES_AT_ONCE = 4  # of a hundred callers who come back at once none waits for a connection to the register
PATIENCE_SECONDS = 3.5  # a call to be taken is asked for again so long while the register is away: clients wait for 5
AGAIN_SECONDS = 0.1
ENDED_SECONDS = 600.0  # that the bill of a call that has ended is known


@dataclass(frozen=True, slots=True)
class ClaimAnswered:
    """What became of a claim; None if there was no answer."""

    session: LoopRef[Any]
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class SaveAnswered:
    """What became of a save: None if there was no answer, False if the user has a newer life.

    `claim` is that of the call. `moved`: that life is the same call, as far as is known.
    """

    keep: Keep
    saved: bool | None
    claim: Claim
    moved: bool = True


@dataclass(frozen=True, slots=True)
class EpochsAnswered:
    """The newest epochs of users; None if there was no answer."""

    epochs: Mapping[str, Epoch] | None


Answer: TypeAlias = ClaimAnswered | SaveAnswered | EpochsAnswered | TookCall | NotTaken


class Questions:
    """`tell` is told the answers, `idle` whenever no question is under way any more."""

    def __init__(self, register: Register, tell: Callable[[Answer], None], idle: Callable[[], None]) -> None:
        self._register, self._tell, self._idle = register, tell, idle
        self._tasks: set[asyncio.Task[None]] = set()
        self._taking = asyncio.Semaphore(TAKES_AT_ONCE)
        self._claims: dict[str, asyncio.Task[None]] = {}  # by user, the newest

    @property
    def under_way(self) -> bool:
        """True while an answer is waited for."""
        return bool(self._tasks)

    @property
    def here(self) -> bool:
        """True if the register answers."""
        return self._register.presence.here

    def claim(self, session: LoopRef[Any], user: str, hashed: bytes) -> None:
        """Begin a call of this user, told by ClaimAnswered; after those before it, or one of these would replace it."""
        self._claims[user] = self._run(self._claim(session, user, hashed, self._claims.get(user)))

    def save(self, keep: Keep, claim: Claim) -> None:
        """Keep this record, told by SaveAnswered."""
        self._run(self._save(keep, claim))

    def epochs(self, users: Collection[str]) -> None:
        """Ask for the newest epochs of these users, told by EpochsAnswered."""
        self._run(self._epochs(users))

    def answer(self, asked: YieldAsked, yielded: bool) -> None:
        """Tell another node whether it may have the call."""
        self._run(self._answer(asked, yielded))

    def take(self, asked: Resume) -> None:
        """Ask the holder of the call to yield it, and take it: told by TookCall or NotTaken."""
        self._run(self._take(asked))

    def cancel(self) -> None:
        """No answer is wanted any more, and nobody is told that none is under way."""
        self._idle = lambda: None
        for task in self._tasks:
            task.cancel()

    async def _claim(self, session: LoopRef[Any], user: str, hashed: bytes, before: asyncio.Task[None] | None) -> None:
        if before:
            await asyncio.wait([before])
        claim = None
        with suppress(RegisterAway):
            claim = await self._register.claim(user, hashed, KEPT_SECONDS)
        if self._claims[user] is asyncio.current_task():
            del self._claims[user]
        self._tell(ClaimAnswered(session, claim))

    async def _save(self, keep: Keep, claim: Claim) -> None:
        save, seconds = self._register.save, KEPT_SECONDS
        if keep.last is Last.ENDED:
            save, seconds = self._register.end, ENDED_SECONDS
        saved, moved, record = None, True, encode(keep.record)
        with suppress(RegisterAway):
            saved = await save(claim, record, seconds)
            if not saved and claim.made_here and (own := await self._register.own(claim)):
                saved, claim = await save(own, record, seconds), own
            if not saved:
                moved = await self._register.look(claim.user, claim.token) is not None
        self._tell(SaveAnswered(keep, saved, claim, moved))

    async def _epochs(self, users: Collection[str]) -> None:
        epochs = None
        with suppress(RegisterAway):
            epochs = await self._register.epochs(users)
        self._tell(EpochsAnswered(epochs))

    async def _answer(self, asked: YieldAsked, yielded: bool) -> None:
        with suppress(RegisterAway):  # whoever asks has a time limit
            await self._register.answer(asked, yielded)

    async def _take(self, asked: Resume) -> None:
        self._tell(await self._taken(asked, token.digest(asked.token)))

    async def _taken(self, asked: Resume, hashed: bytes) -> TookCall | NotTaken:
        """A take may be asked again, unlike all else: whoever took a call may take it once more."""
        now = asyncio.get_running_loop().time
        until = now() + PATIENCE_SECONDS
        while True:
            try:
                async with self._taking:
                    return await self._take_once(asked, hashed)
            except RegisterAway:
                if now() >= until:
                    return NotTaken(asked, "unavailable")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _take_once(self, asked: Resume, hashed: bytes) -> TookCall | NotTaken:
        """Raises RegisterAway. A call whose record cannot be read here stays where it is: its holder is not asked."""
        try:
            kept = await self._register.look(asked.user, hashed)
            if kept is None:
                return NotTaken(asked, "unknown")
            if kept:
                decode(kept)
            if await self._register.ask_to_yield(asked.user, hashed) is Holder.UNKNOWN:
                return NotTaken(asked, "unknown")
            match await self._register.take(asked.user, hashed, KEPT_SECONDS):
                case Taken(claim, record):
                    return TookCall(asked, claim, decode(record))
                case Past(record):
                    return NotTaken(asked, "ended", decode(record))
        except Unreadable as fault:
            log.warning("the record of a call cannot be read: %s", fault)
        return NotTaken(asked, "unknown")

    def _run(self, asking: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(asking)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a question to the register failed", exc_info=error)
        if not self._tasks:
            self._idle()
