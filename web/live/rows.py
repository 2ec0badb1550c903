"""What the live view shows of the calls of one server. Users are pseudonyms; no words."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from actors.call.snapshot import CallNow
from actors.messages.admission import Drain
from actors.messages.caller import Close, Notice
from actors.runtime import Hired
from actors.session import SessionInbox

ROWS = 40  # that are shown at once, of any number of calls: each is asked for its snapshot once a second
END_SECONDS = 5.0  # for a call that is to end at its next pause
ENDED = Drain(
    END_SECONDS,
    Notice("draining", "The operator of this server ends this call at its next pause."),
    Close(1000, "the operator of this server has ended this call"),
)


Row: TypeAlias = dict[str, Any]
"""A call, as JSON has it; `worker` has it, if the server has several."""


class Call(Protocol):
    """A call as the supervisor knows it. `since` is when it began, in seconds on the server's clock."""

    @property
    def id(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def session(self) -> Hired[SessionInbox]: ...
    @property
    def since(self) -> float: ...


class Shown(Protocol):
    """What the supervisor shows: its calls, the oldest first."""

    @property
    def calls(self) -> Sequence[Call]: ...
    @property
    def draining(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """The calls at one moment: `calls` are on the line and `away`, `most` are let in, `found` are those that fit.

    `rows` are those of them that are shown, from the `first` on, the newest first; `silent` are the workers whose calls
    are not known now.
    """

    calls: int
    away: int
    most: int
    draining: bool
    found: int
    first: int
    rows: Sequence[Row]
    silent: Sequence[str] = ()


@dataclass(slots=True)
class Live:
    """The server as its operator sees it. `most` calls are let in; `drain` begins its end, once."""

    shown: Callable[[], Shown | None]
    """None once the supervisor has ended."""
    away: Callable[[], int]
    pseudonym: Callable[[str], str]
    clock: Callable[[], float]
    most: int
    drain: Callable[[], None]
    _origin: float = field(init=False)
    _names: dict[str, str] = field(init=False, default_factory=dict)  # pseudonyms, by session

    def __post_init__(self) -> None:
        self._origin = time.time() - self.clock()

    async def look(self, first: int, find: str) -> Looked | None:
        """As `Eyes`."""
        return self.now(first, find)

    async def end(self, session: str) -> bool:
        """As `Eyes`."""
        return self.end_now(session)

    def now(self, first: int, find: str) -> Looked | None:
        """`ROWS` of the calls that fit, from the `first` one on; None once the server has ended."""
        if (shown := self.shown()) is None:
            return None
        found = self.fitting(shown, find)
        rows = self.rows(found[first : first + ROWS])
        return Looked(len(shown.calls), self.away(), self.most, shown.draining, len(found), first, rows)

    def end_now(self, session: str) -> bool:
        """End this call at its next pause; False if there is none of that id."""
        shown = self.shown()
        call = next((call for call in shown.calls if call.id == session), None) if shown else None
        if call:
            call.session.tell(ENDED)
        return call is not None

    def fitting(self, shown: Shown, find: str) -> list[Call]:
        """The calls that fit, the newest first. `find` is an id of a session or of a user, or a pseudonym; "": all."""
        if len(self._names) > 2 * len(shown.calls) + ROWS:
            self._names.clear()
        every = reversed(shown.calls)
        return [call for call in every if not find or find in (call.id, call.user) or find == self._name(call)]

    def rows(self, calls: Collection[Call]) -> list[Row]:
        """What is shown of these."""
        return [self._row(call) for call in calls if call.session.is_alive()]

    def began(self, call: Call) -> float:
        """When it began, in seconds since 1970."""
        return self._origin + call.since

    def _name(self, call: Call) -> str:
        if (name := self._names.get(call.id)) is None:
            name = self._names[call.id] = self.pseudonym(call.user)
        return name

    def _row(self, call: Call) -> Row:
        row: Row = {"session": call.id, "user": self._name(call), "began": round(self.began(call))}
        try:
            snapshot = call.session.snapshot()
        except AttributeError:  # it was let in a moment ago, and has not handled its Boot
            return row
        now: CallNow = snapshot.now
        return row | {
            "persona": now.persona,
            "state": now.state,
            "mode": "stream" if now.streamed else "clip",
            "leg": now.generation,
            "coming": now.coming,
            "mailbox": call.session.backlog + sum(child.backlog for child in snapshot.children),
            "heard_ms": now.heard_ms,
            "spoken_ms": now.spoken_ms,
            "phases": {name: round(seconds, 3) for name, seconds in now.phases.items()},
        }
