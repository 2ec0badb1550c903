"""What may happen on a connection, and what it leads to: three state machines that run side by side.

    session   CONNECTING ──▶ CREATED ──▶ OPENING ──▶ OPEN ◀──▶ TUNING        is it the session that we asked for?
                                                      │           │
                                                      └▶ RETIRING ◀┘           every state ──▶ CLOSED

    caller    UNHEARD ◀──▶ SILENT ◀──▶ SPEAKING                              what does the upstream hear in the stream?

    model     IDLE ──▶ THINKING ──▶ ANSWERING ──▶ IDLE                       what becomes of the reply?

Each machine is a table, from a state and an event to the next state; one table for all would have to multiply them.
What is admitted depends on all three: `may` and `admits` ask every machine that knows the event at all, and `move`
tells it to each. An event that a machine knows and does not admit in its state is counted as an anomaly, and moves
nothing.

An event is one of three kinds. A server event goes by its type. What we send begins with "> ". What is concluded from
either is in words ("a spoken turn is whole").

- session. The upstream creates a session with its defaults (CREATED), which we update whole (OPENING); nothing else is
  sent before it shows that it is what we asked for (OPEN). A later change of the setup, such as turn detection, is
  TUNING until it is shown: asks go on, but no audio is appended, for whether it will be part of a turn is not settled.
  An update of the instructions alone changes no state. RETIRING: we leave, nothing is asked any more, and what is still
  to come is told. CLOSED is for good.
- caller. UNHEARD while turn detection is off: then turns are clips. While it is on the upstream says when they speak.
- model. THINKING from our response.create, or from a turn that the upstream answers by itself, to response.created. A
  turn that is committed while the model is ANSWERING is not answered by the upstream: protocol.py asks for it.

docs/realtime.md shows the tables as a diagram (`diagram`), and a test holds both together.
"""

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from realtime.client import errors
from realtime.client.errors import Action
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
    """Is the session what we asked for?"""

    CONNECTING = "connecting"
    CREATED = "created"
    OPENING = "opening"
    OPEN = "open"
    TUNING = "tuning"
    RETIRING = "retiring"
    CLOSED = "closed"


class Caller(Enum):
    """What does the upstream hear in the stream of the caller's voice?"""

    UNHEARD = "unheard"
    SILENT = "silent"
    SPEAKING = "speaking"


class Model(Enum):
    """What becomes of the reply? THINKING: one was asked for and has not begun."""

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
"""Which machines know an event."""

UNSETTLED = frozenset({Session.CONNECTING, Session.CREATED, Session.OPENING})
"""The session is not what we asked for yet: whatever the model says, it says with another voice."""


class States:
    """The three states that a connection is in.

    `hears`: audio may be appended; `closed`: nothing is admitted, for good. They are attributes because they are asked
    for with every piece of audio. `anomalies` counts what was not admitted, or not understood, by what it was.
    """

    def __init__(self) -> None:
        self.session: State = Session.CONNECTING
        self.caller: State = Caller.UNHEARD
        self.model: State = Model.IDLE
        self.hears = self.closed = False
        self.anomalies: Counter[str] = Counter()

    def may(self, event: str) -> bool:
        """True if every machine that knows this event admits it now."""
        return self._refusing(event) is None

    def admits(self, event: str) -> bool:
        """True if a server event may come now; if not, it is counted as an anomaly."""
        if (state := self._refusing(event)) is None:
            return True
        self.anomalies[f"{event} while {state.value}"] += 1
        return False

    def move(self, event: str) -> None:
        """The event happens: every machine that admits it goes to its next state."""
        for region in KNOWN[event]:
            state = getattr(self, region)
            setattr(self, region, REGIONS[region][state].get(event, state))
        self.hears = APPEND in SESSION[self.session]
        self.closed = self.session is Session.CLOSED

    def unusable(self, code: str, message: str, fatal: bool) -> list[Event]:
        """Close the session: it cannot serve, and nothing that comes counts from here on."""
        self.move(END)
        return [Unusable(code, message, fatal, account=errors.of(code) is Action.ACCOUNT)]

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
