"""The model's replies: which there are, which one is being given, and what the model is to remember of each.

A reply may be several items of the conversation, one after the other (a few words before the model thinks, then the
answer). Its audio is that of all of them; what the caller did not hear is cut from each.
"""

import re
from dataclasses import dataclass, field

from realtime.client.gate import Ask
from realtime.client.outbox import Outbox
from realtime.client.states import BEGAN, DONE, States
from upstream.facts import BYTES_PER_MS, ReplyNumber, TurnId
from upstream.models import Capabilities

CUTS = 16  # as many are remembered, in case they are refused
MILLISECONDS = re.compile(r"(\d{1,9})(?:\.\d+)? ?ms\b")


@dataclass(slots=True)
class Part:
    """An item of a reply; its id is empty until it is known.

    `begins` is the byte of the reply's audio at which its own begins, `received` how much it has; `words` are
    those of it that have come.
    """

    id: str
    begins: int = 0
    received: int = 0
    words: str = ""


@dataclass(slots=True)
class Reply:
    """A response of the model; numbered from 1 on each connection.

    `id` is the upstream's; `ask` the number of what it answers, and `asked` that ask if it is ours. `void`: nobody
    wants to hear more of it. `parts` are its items in the conversation, in order; `received` counts the bytes of its
    audio. `complete`: all of it was said; `done`: it is over. `keep_ms` is how much of it the caller heard, from when
    that is known until the model was told.
    """

    id: str
    number: ReplyNumber
    ask: TurnId
    asked: Ask | None = None
    void: bool = False
    parts: list[Part] = field(default_factory=list)
    received: int = 0
    text: str = ""
    complete: bool = False
    done: bool = False
    keep_ms: int | None = None

    def name(self, item: str) -> None:
        """It has this item."""
        if self.parts and not self.parts[-1].id:
            self.parts[-1].id = item
        else:
            self.part(item)

    def part(self, item: str) -> Part:
        """Its item of this id; the newest, where an event does not say which."""
        if self.parts and (not item or self.parts[-1].id == item):
            return self.parts[-1]
        known = next((part for part in self.parts if part.id == item), None)
        if not known:
            self.parts.append(known := Part(item))
            known.begins = self.received
        return known

    def hear(self, item: str, size: int) -> None:
        """So many bytes of audio of an item have come."""
        part = self.part(item)
        if not part.received:
            part.begins = self.received
        part.received += size
        self.received += size

    def say(self, item: str, words: str) -> str:
        """Some words of an item have come. Returns them; those of another item begin with a blank."""
        part = self.part(item)
        first, part.words = not part.words, part.words + words
        if first and words and self.text and not (self.text[-1].isspace() or words[0].isspace()):
            words = f" {words}"
        self.text += words
        return words


class Replies:
    """All replies of one connection by their response ids; the `active` one is being given."""

    def __init__(self, states: States, outbox: Outbox, can: Capabilities) -> None:
        self._states, self._outbox, self._can = states, outbox, can
        self.active: Reply | None = None
        self._by_id: dict[str, Reply] = {}
        self._cuts: dict[str, tuple[str, int]] = {}  # event_id -> (item, ms): truncations that may be refused

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
        if reply.keep_ms is None or not reply.done or not any(part.id for part in reply.parts):
            return
        heard, reply.keep_ms = reply.keep_ms, None
        if not self._can.truncate:
            self._states.anomalies["a reply that could not be cut"] += 1
        elif heard <= 0 or heard < reply.received // BYTES_PER_MS:
            for part in reply.parts:
                self._keep(part, heard - part.begins // BYTES_PER_MS)

    def _keep(self, part: Part, heard_ms: int) -> None:
        """Keep so much of an item: it is truncated if it was playing, deleted if it was to come."""
        if part.id and heard_ms <= 0:
            self._outbox.queue("cut", {"type": "conversation.item.delete", "item_id": part.id})
        elif part.id and heard_ms < part.received // BYTES_PER_MS:
            self._cuts[self._truncate(part.id, heard_ms)] = (part.id, heard_ms)
            if len(self._cuts) > CUTS:
                del self._cuts[next(iter(self._cuts))]

    def _truncate(self, item: str, ms: int) -> str:
        cut = {"item_id": item, "content_index": 0, "audio_end_ms": ms}
        return self._outbox.queue("cut", {"type": "conversation.item.truncate", **cut})

    def cut_refused(self, event_id: str, message: str) -> None:
        """A truncation was refused: if the upstream names the length that there is, cut to that, once.

        An error that does not say what it refuses is known by the milliseconds that it names.
        """
        named = [int(ms) for ms in MILLISECONDS.findall(message)]
        if not event_id:
            event_id = next((cut for cut, (_, ms) in self._cuts.items() if ms in named), "")
        if cut := self._cuts.pop(event_id, None):
            item, ms = cut
            if shorter := [there for there in named if 0 < there < ms]:
                self._truncate(item, max(shorter))
