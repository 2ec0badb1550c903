"""The gate before response.create: the API gives one response at a time, so whatever else is asked waits here.

An ask is something to be answered: a clip, a typed turn, a greeting. It passes through these states, each of which is
one place in the Gate:

                     put()                        take()                    answered(): response.created
    a command ──────────────────▶  WAITING  ────────────────▶  PENDING  ────────────────▶  a Reply (replies.py)
                                  (in order)                 (one at most)
                                   ▲      ▲                    │  │  │
                                   │      │     put_back()     │  │  │  the upstream refuses it
                                   │      └────────────────────┘  │  └──────────────────────▶  AskFailed
                                   │  the create came too early   │
                       release(): Retry                           │  defer(): the upstream is over its limit (Postponed)
                                   │                              ▼
                                   └─────────────────────────  DEFERRED
                                                             (one at most)

- WAITING: its response.create is to be sent. asks.py takes the first one when the session is open and the model idle
  (states.py); nobody is taken while one is DEFERRED, for the answers keep the order of the asks.
- PENDING: its content was added to the conversation and its response.create was sent; whether the upstream has it yet
  nobody knows. Content is sent once: an ask that comes back from here has none left, only its response.create.
- DEFERRED: it waits for its time. A response that had begun and failed (response.done: over the limit) defers its ask
  too, so that an ask can come here from a Reply.
- An ask leaves from any of the three places when a response.created carries its number: the upstream has answered it,
  whatever was thought to have become of it.

If no answer is wanted any more (the caller interrupts, or speaks) the ask is `void`, and stays where it is:

- WAITING: its content is still sent in its turn, because it was said, but no response.create; it never is PENDING. (A
  clip is not sent while turn detection is on: it would be heard as the caller's voice in the stream.)
- PENDING: its response is cancelled as soon as it begins.
- DEFERRED: it leaves at the next take(), for its content was sent already.
"""

from dataclasses import dataclass, field

from realtime.client.requests import ClientEvent
from upstream.facts import NO_TURN, TurnId


@dataclass(slots=True)
class Ask:
    """Something to be answered: what to add to the conversation, then the response to create.

    `spoken`: the content is audio, whose transcript is to come. `void`: add the content, but no answer is wanted.
    `sent` are the ids of the events by which the content was added. `tries` and `waited` count how often, and for how
    many seconds in all, it was deferred.
    """

    number: TurnId
    content: list[ClientEvent]
    spoken: bool = False
    response: ClientEvent = field(default_factory=dict)
    void: bool = False
    sent: tuple[str, ...] = ()
    tries: int = 0
    waited: float = 0.0


class Gate:
    """The asks that wait, the one that is `pending` and the one that is `deferred`. Pure data."""

    def __init__(self) -> None:
        self.pending: Ask | None = None
        self.deferred: Ask | None = None
        self._waiting: list[Ask] = []

    @property
    def busy(self) -> bool:
        """True while an ask is in any of the three places."""
        return bool(self._waiting or self.pending or self.deferred)

    def put(self, ask: Ask) -> None:
        """Let it wait behind the others."""
        self._waiting.append(ask)

    def take(self) -> Ask | None:
        """The next to send; unless it is void it is pending from here on. None while one is deferred."""
        if self.deferred and self.deferred.void:
            self.deferred = None
        if self.deferred or not self._waiting:
            return None
        ask = self._waiting.pop(0)
        self.pending = None if ask.void else ask
        return ask

    def put_back(self, ask: Ask) -> None:
        """Its create came too early: it is the next to send when the response in the way is done."""
        self.pending = None
        self._waiting.insert(0, ask)

    def defer(self, ask: Ask) -> None:
        """It is the next to send, once it is released."""
        self.pending = None
        self.deferred = ask

    def release(self) -> None:
        """The time of what is deferred has come."""
        if self.deferred:
            self._waiting.insert(0, self.deferred)
            self.deferred = None

    def answered(self, number: TurnId) -> Ask | None:
        """The ask of this number, which leaves because its response began; None if we did not ask for it."""
        answered = None
        for ask in (self.pending, self.deferred, *self._waiting):
            if ask and ask.number == number:
                answered = ask
        if self.pending is answered:
            self.pending = None
        if self.deferred is answered:
            self.deferred = None
        self._waiting = [ask for ask in self._waiting if ask is not answered]
        return answered

    @property
    def spoken_turn(self) -> TurnId:
        """The turn of a stream (below 0) that waits here, though the upstream answers it by itself; else NO_TURN."""
        return next((ask.number for ask in self._waiting if ask.number < 0), NO_TURN)

    @property
    def on_its_way(self) -> TurnId:
        """The number of the pending ask if an answer to it is wanted, else NO_TURN."""
        return self.pending.number if self.pending and not self.pending.void else NO_TURN

    def void_unsent(self) -> None:
        """No answer is wanted to what is deferred or waits."""
        for ask in (self.deferred, *self._waiting):
            if ask:
                ask.void = True

    def void_all(self) -> None:
        """No answer is wanted to anything that was asked so far."""
        self.void_unsent()
        if self.pending:
            self.pending.void = True
