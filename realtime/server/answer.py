"""One response: the ladder of events from response.created to response.done."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from math import inf
from typing import Literal, TypeAlias

from realtime.server.conversation import PCM_BYTES_PER_MS, Item, event, new_id
from realtime.server.formats import ToWire, whole
from realtime.server.settings import Event
from realtime.server.tools import climbed, toolbox

Status: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]

DELTA_MS = 200  # the real API sends 100 to 250 ms of audio in a delta
CHARACTERS_PER_TOKEN = 4
INPUT_AUDIO_TOKENS_PER_S = 10
OUTPUT_AUDIO_TOKENS_PER_S = 20


class Answer:
    """A response under way: what it was asked to be, and how far it has come.

    `params` are those of response.create, checked; `settings` are the session's at that moment.
    """

    def __init__(self, params: Event, settings: Event, conversation_id: str | None, context: Sequence[Item]) -> None:
        self.id = new_id("resp")
        self.context = tuple(context)
        self.conversation_id = conversation_id
        self.instructions = str(params.get("instructions", settings["instructions"]))
        output = {**settings["audio"]["output"], **params.get("audio", {}).get("output", {})}
        self.voice: str = output["voice"]
        self._format = whole(output["format"])
        self._wire = ToWire(self._format)
        self.spoken = params.get("output_modalities", settings["output_modalities"]) == ["audio"]
        self.items = [Item(new_id("item"), "assistant", [], status="in_progress")]
        self.tools = toolbox(params, settings, context)
        self._calls: list[Item] = []
        self._metadata = params.get("metadata")
        self._limit = float({**settings, **params}["max_output_tokens"])
        self._begun = False

    @property
    def item(self) -> Item:
        """The newest: most responses have only one."""
        return self.items[-1]

    @property
    def milliseconds(self) -> int:
        """How long it plays."""
        return sum(item.milliseconds for item in self.items)

    def next_item(self) -> "Answer":
        """What comes belongs to another item, once that begins."""
        self.items.append(Item(new_id("item"), "assistant", [], status="in_progress"))
        return self

    def created(self) -> Event:
        return event("response.created", response=self._shape("in_progress", None, [], None))

    def begin(self, before: str | None) -> Iterator[Event]:
        """The item opens; `before` is the id of the item that it follows."""
        self._begun = True
        yield event("response.output_item.added", **self._output, item=self.item.shape())
        if self.conversation_id:
            yield event("conversation.item.added", previous_item_id=before, item=self.item.shape())
        yield event("response.content_part.added", **self._place, part=self._part())
        self.item.content.append(
            {"type": "output_audio", "transcript": ""} if self.spoken else {"type": "output_text", "text": ""}
        )

    def write(self, words: str) -> Event:
        """Some more words, as the transcript of audio or as the text itself."""
        part = self.item.content[0]
        part[self._written] += words
        kind = "response.output_audio_transcript.delta" if self.spoken else "response.output_text.delta"
        return event(kind, **self._place, delta=words)

    def sound(self, pcm: bytes) -> Iterator[Event]:
        """Some more audio: PCM16 little-endian, mono, 24 kHz, of any length."""
        self.item.sound += len(pcm)
        size = DELTA_MS * PCM_BYTES_PER_MS
        for start in range(0, len(pcm), size):
            delta = b64encode(self._wire.data(pcm[start : start + size])).decode()
            yield event("response.output_audio.delta", **self._place, delta=delta)

    def call(self, item: Item, before: str | None) -> Iterator[Event]:
        """A call of a function, from its first event to its last; `before` is the id of the item that it follows."""
        index = len(self._calls) + (len(self.items) if self._begun else 0)
        self._calls.append(item)
        yield from climbed(self.id, index, item, before, shown=self.conversation_id is not None)

    def end(self, status: Status, why: Event | None, before: str | None) -> Iterator[Event]:
        """Close what is open, then the response; `why` has the `reason`, or the `error` of a failed one."""
        if self._begun:
            yield from self.close(before, "completed" if status == "completed" else "incomplete")
        output = [item.shape() for item in (self.items if self._begun else []) + self._calls]
        details = {"type": status, **why} if why else None
        yield event("response.done", response=self._shape(status, details, output, self._usage()))

    def close(self, before: str | None, status: str = "completed") -> Iterator[Event]:
        """Nothing more comes of the item."""
        self.item.status = status
        words = self.item.content[0][self._written]
        if self.spoken:
            yield event("response.output_audio.done", **self._place)
            yield event("response.output_audio_transcript.done", **self._place, transcript=words)
        else:
            yield event("response.output_text.done", **self._place, text=words)
        yield event("response.content_part.done", **self._place, part=self._part(words))
        if self.conversation_id:
            yield event("conversation.item.done", previous_item_id=before, item=self.item.shape())
        yield event("response.output_item.done", **self._output, item=self.item.shape())

    @property
    def is_too_long(self) -> bool:
        """True if it has more tokens than max_output_tokens."""
        return sum(self._tokens) > self._limit

    @property
    def _tokens(self) -> tuple[int, int]:
        """Of its text, and of its audio."""
        return sum(_text_tokens(item.words()) for item in self.items), sum(map(_sound_tokens, self.items))

    @property
    def _written(self) -> str:
        return "transcript" if self.spoken else "text"

    @property
    def _output(self) -> Event:
        return {"response_id": self.id, "output_index": len(self.items) - 1}

    @property
    def _place(self) -> Event:
        return {**self._output, "item_id": self.item.id, "content_index": 0}

    def _part(self, words: str = "") -> Event:
        return {"type": "audio" if self.spoken else "text", self._written: words}

    def _shape(self, status: str, details: Event | None, output: list[Event], usage: Event | None) -> Event:
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": output,
            "conversation_id": self.conversation_id,
            "output_modalities": ["audio" if self.spoken else "text"],
            "max_output_tokens": "inf" if self._limit == inf else int(self._limit),
            "audio": {"output": {"format": self._format, "voice": self.voice}},
            "usage": usage,
            "metadata": self._metadata,
        }

    def _usage(self) -> Event:
        """Tokens by rules of thumb; nothing is ever cached here."""
        heard = sum(_sound_tokens(item) for item in self.context)
        read = _text_tokens(self.instructions) + sum(_text_tokens(item.words()) for item in self.context)
        wrote, spoke = self._tokens
        wrote += sum(_text_tokens(item.call["arguments"]) for item in self._calls)
        uncached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        return {
            "total_tokens": heard + read + spoke + wrote,
            "input_tokens": heard + read,
            "output_tokens": spoke + wrote,
            "input_token_details": {
                "text_tokens": read,
                "audio_tokens": heard,
                "image_tokens": 0,
                "cached_tokens": 0,
                "cached_tokens_details": uncached,
            },
            "output_token_details": {"text_tokens": wrote, "audio_tokens": spoke},
        }


def _text_tokens(words: str) -> int:
    return -(-len(words) // CHARACTERS_PER_TOKEN)


def _sound_tokens(item: Item) -> int:
    rate = OUTPUT_AUDIO_TOKENS_PER_S if item.role == "assistant" else INPUT_AUDIO_TOKENS_PER_S
    return item.milliseconds * rate // 1000
