"""The gate before response.create: the API answers one thing at a time, so the others wait here. Pure data.

Whether it is open the states say (realtime/client/states.py): nothing is taken unless the model is idle.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass(slots=True)
class Ask:
    """Something to be answered: what to add to the conversation, then the response to create.

    `spoken`: the content is audio, whose transcript is to come; `void`: add the content, want no answer. `said` are the
    ids of the events by which the content was added. `tries` and `waited` count how often, and for how many seconds in
    all, it was put off by the upstream.
    """

    number: int
    content: list[Event]
    spoken: bool = False
    response: Event = field(default_factory=dict)
    void: bool = False
    said: tuple[str, ...] = ()
    tries: int = 0
    waited: float = 0.0


@dataclass(slots=True)
class Reply:
    """A response of the model; numbered from 1 on each connection.

    `id` is the upstream's; `asked` is what it answers, if we asked for it; `received` counts the bytes of its audio;
    `keep_ms` is how much of it the caller heard, once that is known; `complete`: all of it was said.
    """

    id: str
    number: int
    ask: int
    asked: Ask | None = None
    void: bool = False
    item: str = ""
    received: int = 0
    text: str = ""
    complete: bool = False
    done: bool = False
    keep_ms: int | None = None


class Gate:
    """What waits to be asked, the ask whose response is to begin (`pending`), and the reply that is `active`.

    `deferred` is one that waits for its time, and whoever came after it waits with it.
    """

    def __init__(self) -> None:
        self.pending: Ask | None = None
        self.active: Reply | None = None
        self.deferred: Ask | None = None
        self._waiting: deque[Ask] = deque()

    @property
    def busy(self) -> bool:
        """Something is being answered, or waits to be."""
        return bool(self._waiting or self.pending or self.active or self.deferred)

    def put(self, ask: Ask) -> None:
        """Queue it."""
        self._waiting.append(ask)

    def take(self) -> Ask | None:
        """The next to say now; unless it is void it is pending from here on."""
        if self.deferred and self.deferred.void:
            self.deferred = None
        if self.deferred or not self._waiting:
            return None
        ask = self._waiting.popleft()
        self.pending = None if ask.void else ask
        return ask

    def put_back(self, ask: Ask) -> None:
        """Its create came too early: it is asked again, first of all, when the response in the way is done."""
        self.pending = None
        self._waiting.appendleft(ask)

    def hold(self, ask: Ask) -> None:
        """It is asked again, first of all, once it is let go."""
        self.pending = None
        self.deferred = ask

    def let_go(self) -> None:
        """Its time has come."""
        if self.deferred:
            self._waiting.appendleft(self.deferred)
            self.deferred = None

    def began(self, reply: Reply) -> None:
        """A response exists; if we asked for it, what we asked is done with."""
        self.active = reply
        for ask in (self.pending, self.deferred, *self._waiting):
            if ask and ask.number == reply.ask:
                reply.asked = ask
        if self.pending is reply.asked:
            self.pending = None
        if self.deferred is reply.asked:
            self.deferred = None
        self._waiting = deque(ask for ask in self._waiting if ask is not reply.asked)

    def overtaken(self) -> int:
        """The spoken turn that waits here, though the upstream answers it by itself; 0 when there is none."""
        return next((ask.number for ask in self._waiting if ask.number < 0), 0)

    @property
    def on_its_way(self) -> int:
        """The ask of which nobody knows whether the upstream has it yet, if an answer to it is wanted; else 0."""
        return self.pending.number if self.pending and not self.pending.void else 0

    def overtake(self) -> None:
        """No answer is wanted to what waits here."""
        for ask in (self.deferred, *self._waiting):
            if ask:
                ask.void = True

    def void(self) -> None:
        """No answer is wanted to anything that was asked so far."""
        self.overtake()
        if self.pending:
            self.pending.void = True
