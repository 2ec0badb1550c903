"""The gate before response.create: the API answers one thing at a time, so the others wait here. Pure state."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass(slots=True)
class Ask:
    """Something to be answered: what to add to the conversation, then the response to create.

    `spoken`: the content is audio, whose transcript is to come; `void`: add the content, want no answer.
    """

    number: int
    content: list[Event]
    spoken: bool = False
    response: Event = field(default_factory=dict)
    void: bool = False


@dataclass(slots=True)
class Reply:
    """A response of the model; numbered from 1 on each connection.

    `id` is the upstream's; `received` counts the bytes of its audio; `keep_ms` is how much of it the caller heard,
    once that is known.
    """

    id: str
    number: int
    ask: int
    void: bool = False
    item: str = ""
    received: int = 0
    text: str = ""
    done: bool = False
    keep_ms: int | None = None


class Gate:
    """What waits to be asked, the ask whose response is to begin (`pending`), and the reply that is `active`."""

    def __init__(self) -> None:
        self.pending: Ask | None = None
        self.active: Reply | None = None
        self._waiting: deque[Ask] = deque()

    @property
    def busy(self) -> bool:
        """Something is being answered, or waits to be."""
        return bool(self._waiting or self.pending or self.active)

    def put(self, ask: Ask) -> None:
        """Queue it."""
        self._waiting.append(ask)

    def take(self) -> Ask | None:
        """The next to say now; unless it is void it is pending from here on."""
        if self.pending or self.active or not self._waiting:
            return None
        ask = self._waiting.popleft()
        self.pending = None if ask.void else ask
        return ask

    def put_back(self, ask: Ask) -> None:
        """Its create came too early: it is asked again, first of all, when the response in the way is done."""
        self.pending = None
        self._waiting.appendleft(ask)

    def began(self, reply: Reply) -> bool:
        """A response exists; True when it answers an ask that is void by now."""
        self.active = reply
        if self.pending is None or self.pending.number != reply.ask:
            return False  # the upstream answers a turn that it heard by itself
        asked, self.pending = self.pending, None
        return asked.void

    def ended(self, reply: Reply) -> None:
        """It is done, one way or another."""
        if self.active is reply:
            self.active = None

    def overtake(self) -> None:
        """No answer is wanted to what waits here."""
        for ask in self._waiting:
            ask.void = True

    def void(self) -> None:
        """No answer is wanted to anything that was asked so far."""
        self.overtake()
        if self.pending:
            self.pending.void = True
