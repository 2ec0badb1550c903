"""The conversation: its items in their order, and what a client may do to them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Literal

from realtime.server.formats import RATE
from realtime.server.settings import Event
from realtime.server.shape import Rejected

PCM_BYTES_PER_MS = RATE * 2 // 1000


def new_id(kind: str) -> str:
    """An id that no other session has either, as on the real API."""
    return f"{kind}_{token_urlsafe(15)}"


def event(kind: str, /, **fields: object) -> Event:
    """A server event with an id of its own."""
    return {"type": kind, "event_id": new_id("event"), **fields}


@dataclass(slots=True, eq=False)
class Item:
    """One message; `content` holds its parts as the wire shows them, `sound` counts its PCM bytes.

    `unheard` is the PCM that a client has put into it without saying what is said there, until somebody listens.
    Or a function call, or what came of one: then `call` is what it says of itself, and it has neither role nor parts.
    """

    id: str
    role: Literal["user", "assistant", "system", ""]
    content: list[Event]
    status: str = "completed"
    sound: int = 0
    call: Event = field(default_factory=dict)
    unheard: bytes = b""

    def shape(self) -> Event:
        """As the wire shows it."""
        named = {"id": self.id, "object": "realtime.item", "status": self.status}
        if self.call:
            return {**named, **self.call}
        return {**named, "type": "message", "role": self.role, "content": [dict(part) for part in self.content]}

    def words(self) -> str:
        """What was said or written in it, as far as it is known."""
        return " ".join(str(part.get("text") or part.get("transcript") or "") for part in self.content).strip()

    @property
    def milliseconds(self) -> int:
        """The length of its audio, rounded down."""
        return self.sound // PCM_BYTES_PER_MS


def item_of(given: Event) -> Item:
    """The item that a client describes, its audio as PCM; it gets an id if it has none."""
    item_id = given.get("id") or new_id("item")
    if given["type"] == "message":
        return _message(item_id, given["role"], given["content"])
    said = {name: value for name, value in given.items() if name not in ("id", "object", "status")}
    return Item(item_id, "", [], call={"call_id": new_id("call"), **said})


def _message(item_id: str, role: Literal["user", "assistant", "system"], parts: list[Event]) -> Item:
    content = [{name: value for name, value in part.items() if name != "audio"} for part in parts]
    for part in content:
        if part["type"] == "input_audio":
            part.setdefault("transcript", None)
    unheard = [part["audio"] for part in parts if part["type"] == "input_audio" and "transcript" not in part]
    sound = sum(len(part.get("audio", b"")) for part in parts)
    return Item(item_id, role, content, sound=sound, unheard=b"".join(unheard))


class Conversation:
    """The default conversation of a session."""

    def __init__(self) -> None:
        self.id = new_id("conv")
        self._items: list[Item] = []

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __contains__(self, item_id: str) -> bool:
        return any(item.id == item_id for item in self._items)

    def before(self, item: Item) -> str | None:
        """The id of the item before this one; None for the first, and for one that has been deleted."""
        at = self._items.index(item) if item in self._items else 0
        return self._items[at - 1].id if at else None

    def find(self, item_id: str, act: str) -> Item:
        """The item of this id; Rejected with item_<act>_invalid_item_id when there is none."""
        for item in self._items:
            if item.id == item_id:
                return item
        code = f"item_{act}_invalid_item_id"
        raise Rejected(code, f"Error in {act}: the item with id '{item_id}' does not exist.", "item_id")

    def append(self, item: Item) -> str | None:
        """Put it last; returns the id of the item before it."""
        self._items.append(item)
        return self.before(item)

    def obey(self, sent: Event) -> list[Event]:
        """Truncate, delete or show an item as a client event (checked) asks; the events that tell of it.

        Raises Rejected, and then nothing has changed.
        """
        match sent["type"]:
            case "conversation.item.truncate":
                return self.truncate(sent["item_id"], sent["audio_end_ms"])
            case "conversation.item.delete":
                return self.delete(sent["item_id"])
            case _:
                return self.retrieve(sent["item_id"])

    def create(self, item: Item, previous: str | None) -> list[Event]:
        """Put a client's item after `previous` ("root": first, None: last)."""
        if item.id in self:
            message = f"Error adding item: an item with id '{item.id}' already exists."
            raise Rejected("item_create_duplicate_item_id", message, "item.id")
        if item.call.get("type") == "function_call_output" and not self._has_called(item.call["call_id"]):
            message = f"Tool call ID '{item.call['call_id']}' not found in conversation."
            raise Rejected("invalid_tool_call_id", message, "item.call_id")
        self._items.insert(self._place(previous), item)
        return self.shown(item)

    def shown(self, item: Item) -> list[Event]:
        """The two events by which a finished item is announced."""
        before = self.before(item)
        kinds = ("conversation.item.added", "conversation.item.done")
        return [event(kind, previous_item_id=before, item=item.shape()) for kind in kinds]

    def truncate(self, item_id: str, end_ms: int) -> list[Event]:
        """Forget the audio after `end_ms` and, since nobody knows which words those were, the transcript."""
        item = self.find(item_id, "truncate")
        if item.role != "assistant" or not item.content or item.content[0]["type"] != "output_audio":
            raise Rejected("invalid_value", "Only the audio of an assistant message can be truncated.", "item_id")
        if end_ms > item.milliseconds:
            message = f"Audio content of {item.milliseconds}ms is already shorter than {end_ms}ms"
            raise Rejected("invalid_value", message, "audio_end_ms")
        item.content[0]["transcript"] = ""
        item.sound = end_ms * PCM_BYTES_PER_MS
        return [event("conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=end_ms)]

    def delete(self, item_id: str) -> list[Event]:
        self._items.remove(self.find(item_id, "delete"))
        return [event("conversation.item.deleted", item_id=item_id)]

    def retrieve(self, item_id: str) -> list[Event]:
        return [event("conversation.item.retrieved", item=self.find(item_id, "retrieve").shape())]

    def _has_called(self, call_id: str) -> bool:
        return any(item.call.get("type") == "function_call" and item.call["call_id"] == call_id for item in self._items)

    def _place(self, previous: str | None) -> int:
        if previous is None:
            return len(self._items)
        if previous == "root":
            return 0
        for index, item in enumerate(self._items):
            if item.id == previous:
                return index + 1
        message = f"Error adding item: the previous item with id '{previous}' does not exist."
        raise Rejected("item_create_invalid_previous_item_id", message, "previous_item_id")
