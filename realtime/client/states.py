"""What may happen on a connection, and what it leads to: one table for each of three regions that run side by side.

The session (is it what we asked for?), the caller's voice (of a stream, as the upstream hears it) and the model's
answer. One table would have to multiply them. Events of the upstream go by their type, what we say begins with "> ",
and what is concluded from either is in words. An event that a region knows but does not admit in its state is
counted as an oddity and moves nothing.
"""

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from upstream.facts import Event, Unusable

UPDATE, ADD = "> session.update", "> conversation.item.create"
INSTRUCT = "> session.update of instructions alone"
CREATE, APPEND = "> response.create", "> input_audio_buffer.append"
LEAVE, END = "we leave", "it cannot serve"
ATTENDS, IGNORES = "it finds turns", "it waits for clips"
TURN, REFUSED = "a spoken turn is whole", "> response.create is refused"

CREATED, UPDATED = "session.created", "session.updated"
STARTED, STOPPED = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
COMMITTED = "input_audio_buffer.committed"
BEGAN, DONE = "response.created", "response.done"


class Session(Enum):
    """Is the connection what we asked for?"""

    CONNECTING = "connecting"
    CREATED = "created"
    OPENING = "opening"
    OPEN = "open"
    TUNING = "tuning"
    RETIRING = "retiring"
    CLOSED = "closed"


class Caller(Enum):
    """What the upstream hears in the stream of the caller's voice."""

    UNHEARD = "unheard"
    SILENT = "silent"
    SPEAKING = "speaking"


class Model(Enum):
    """The answer: THINKING when one was asked for and has not begun."""

    IDLE = "idle"
    THINKING = "thinking"
    ANSWERING = "answering"


State: TypeAlias = Session | Caller | Model
Table: TypeAlias = Mapping[State, Mapping[str, State]]

_SESSION: Table = {
    Session.CONNECTING: {CREATED: Session.CREATED},
    Session.CREATED: {UPDATE: Session.OPENING},
    Session.OPENING: {UPDATE: Session.OPENING, INSTRUCT: Session.OPENING, UPDATED: Session.OPEN},
    Session.OPEN: {
        UPDATE: Session.TUNING, INSTRUCT: Session.OPEN, UPDATED: Session.OPEN,
        APPEND: Session.OPEN, ADD: Session.OPEN, CREATE: Session.OPEN, BEGAN: Session.OPEN,
        LEAVE: Session.RETIRING,
    },
    Session.TUNING: {
        UPDATE: Session.TUNING, INSTRUCT: Session.TUNING, UPDATED: Session.OPEN,
        ADD: Session.TUNING, CREATE: Session.TUNING, BEGAN: Session.TUNING, LEAVE: Session.RETIRING,
    },
    Session.RETIRING: {UPDATED: Session.RETIRING, APPEND: Session.RETIRING, ADD: Session.RETIRING},
    Session.CLOSED: {},
}  # fmt: skip

SESSION: Table = {state: {**row, END: Session.CLOSED} for state, row in _SESSION.items()}

CALLER: Table = {
    Caller.UNHEARD: {ATTENDS: Caller.SILENT, IGNORES: Caller.UNHEARD, COMMITTED: Caller.UNHEARD},
    Caller.SILENT: {
        ATTENDS: Caller.SILENT, IGNORES: Caller.UNHEARD,
        STARTED: Caller.SPEAKING, STOPPED: Caller.SILENT, COMMITTED: Caller.SILENT,
    },
    Caller.SPEAKING: {
        ATTENDS: Caller.SPEAKING, IGNORES: Caller.UNHEARD,
        STARTED: Caller.SPEAKING, STOPPED: Caller.SPEAKING, COMMITTED: Caller.SILENT,
    },
}  # fmt: skip

MODEL: Table = {
    Model.IDLE: {CREATE: Model.THINKING, TURN: Model.THINKING, BEGAN: Model.ANSWERING},
    Model.THINKING: {TURN: Model.THINKING, REFUSED: Model.IDLE, BEGAN: Model.ANSWERING},
    Model.ANSWERING: {TURN: Model.ANSWERING, DONE: Model.IDLE},
}

REGIONS: Mapping[str, Table] = {"session": SESSION, "caller": CALLER, "model": MODEL}
KNOWN = {event: [at for at, table in REGIONS.items() if any(event in row for row in table.values())]
         for table in REGIONS.values() for row in table.values() for event in row}  # fmt: skip
"""Which regions know an event."""

UNSETTLED = frozenset({Session.CONNECTING, Session.CREATED, Session.OPENING})
"""Before the session is ours: what the model says now it says as somebody else."""


class States:
    """The three states that a connection is in. `anomalies` counts what was not admitted, or not understood."""

    def __init__(self) -> None:
        self.session: State = Session.CONNECTING
        self.caller: State = Caller.UNHEARD
        self.model: State = Model.IDLE
        self.hears = self.closed = False
        """Appends are admitted; nothing is, for good. At hand, because they are asked for with every piece of audio."""
        self.anomalies: Counter[str] = Counter()

    def may(self, event: str) -> bool:
        """Every region that knows it admits it now."""
        return self._refusing(event) is None

    def admits(self, event: str) -> bool:
        """The same of something that came: if not, it is counted."""
        if (state := self._refusing(event)) is None:
            return True
        self.anomalies[f"{event} while {state.value}"] += 1
        return False

    def move(self, event: str) -> None:
        """It happens: every region that admits it goes where it leads."""
        for region in KNOWN[event]:
            state = getattr(self, region)
            setattr(self, region, REGIONS[region][state].get(event, state))
        self.hears = APPEND in SESSION[self.session]
        self.closed = self.session is Session.CLOSED

    def unusable(self, code: str, message: str, fatal: bool) -> list[Event]:
        """The connection cannot serve any more, and nothing of it counts from here on."""
        self.move(END)
        return [Unusable(code, message, fatal)]

    def _refusing(self, event: str) -> State | None:
        for region in KNOWN[event]:
            state: State = getattr(self, region)
            if event not in REGIONS[region][state]:
                return state
        return None


def diagram() -> str:
    """The tables as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    state connection {"]
    for number, (region, table) in enumerate(REGIONS.items()):
        lines += ["        --"] if number else []
        lines += [f"        [*] --> {region}_{next(iter(table)).value}"]
        lines += [f'        state "{region}: {state.value}" as {region}_{state.value}' for state in table]
        for state, row in table.items():
            for target in dict.fromkeys(row.values()):
                events = ", ".join(event.replace("> ", "» ") for event, to in row.items() if to is target)
                lines.append(f"        {region}_{state.value} --> {region}_{target.value} : {events}")
    return "\n".join([*lines, "    }"]) + "\n"
