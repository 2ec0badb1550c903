"""The model's replies: which there are, which one is being given, and what the model is to remember of each."""

from dataclasses import dataclass

from realtime.client.gate import Ask
from realtime.client.outbox import Outbox
from realtime.client.states import BEGAN, DONE, States
from upstream.facts import BYTES_PER_MS, ReplyNumber, TurnId
from upstream.models import Capabilities


@dataclass(slots=True)
class Reply:
    """A response of the model; numbered from 1 on each connection.

    `id` is the upstream's; `ask` the number of what it answers, and `asked` that ask if it is ours. `void`: nobody
    wants to hear more of it. `item` is its item in the conversation, empty until it is known; `received` counts the
    bytes of its audio. `complete`: all of it was said; `done`: it is over. `keep_ms` is how much of it the caller
    heard, from when that is known until the model was told.
    """

    id: str
    number: ReplyNumber
    ask: TurnId
    asked: Ask | None = None
    void: bool = False
    item: str = ""
    received: int = 0
    text: str = ""
    complete: bool = False
    done: bool = False
    keep_ms: int | None = None


class Replies:
    """All replies of one connection by their response ids; the `active` one is being given."""

    def __init__(self, states: States, outbox: Outbox, can: Capabilities) -> None:
        self._states, self._outbox, self._can = states, outbox, can
        self.active: Reply | None = None
        self._by_id: dict[str, Reply] = {}

    def get(self, response_id: str) -> Reply | None:
        """The reply of this response, if it has begun."""
        return self._by_id.get(response_id)

    def begin(self, response_id: str, ask: TurnId, asked: Ask | None) -> Reply:
        """A response to this ask began."""
        reply = Reply(response_id, ReplyNumber(len(self._by_id) + 1), ask, asked)
        self._by_id[response_id] = self.active = reply
        self._states.move(BEGAN)
        return reply

    def close(self, reply: Reply) -> None:
        """It is over."""
        reply.done = True
        if self.active is reply:
            self.active = None
            self._states.move(DONE)
        self._cut(reply)

    def cancel(self, reply: Reply) -> None:
        """Nobody wants to hear more of it."""
        reply.void = True
        if self._can.cancel:
            self._outbox.queue("cancel", {"type": "response.cancel", "response_id": reply.id})

    def truncate(self, number: ReplyNumber, heard_ms: int) -> None:
        """Cut a reply, in the model's memory, to what the caller heard of it; once it is over."""
        for reply in self._by_id.values():
            if reply.number == number:
                reply.keep_ms = heard_ms
                self._cut(reply)

    def _cut(self, reply: Reply) -> None:
        """Truncate or delete what was not heard; over WebSocket the server does not do it by itself."""
        if reply.keep_ms is None or not reply.done or not reply.item:
            return
        if not self._can.truncate:
            self._states.anomalies["a reply that could not be cut"] += 1
        elif reply.keep_ms <= 0:
            self._outbox.queue("cut", {"type": "conversation.item.delete", "item_id": reply.item})
        elif reply.keep_ms < reply.received // BYTES_PER_MS:
            cut = {"item_id": reply.item, "content_index": 0, "audio_end_ms": reply.keep_ms}
            self._outbox.queue("cut", {"type": "conversation.item.truncate", **cut})
        reply.keep_ms = None
