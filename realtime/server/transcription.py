"""The caller's items until their words are known."""

import re
from collections.abc import Sequence

from realtime.contract import language_of
from realtime.server.acts import Act, Hear, Send
from realtime.server.conversation import Conversation, Item, event
from realtime.server.settings import Event

EVENT = "conversation.item.input_audio_transcription"
TOKEN = re.compile(r"\s*\S+")


class Transcript(str):
    """Words, and how sure an ear is of them: the mean log probability of its tokens."""

    __slots__ = ("logprob",)

    def __new__(cls, words: str, logprob: float = 0.0) -> "Transcript":
        transcript = super().__new__(cls, words)
        transcript.logprob = logprob
        return transcript

    logprob: float


def joined(pieces: Sequence[str]) -> Transcript:
    """The pieces that have words, as sure as they are by the word."""
    said = [piece for piece in pieces if piece]
    words = [(len(piece.split()), _sureness(piece)) for piece in said]
    count = sum(number for number, _ in words)
    return Transcript(" ".join(said), sum(number * sure for number, sure in words) / count if count else 0.0)


class Transcription:
    """Has audio heard, and shows the words. It contains the ids of the items that are still untranscribed."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._untranscribed: dict[str, Item] = {}
        self._committed: set[str] = set()  # those of them of which a client is told

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._untranscribed

    def commit(self, item_id: str, pcm: bytes, settings: Event) -> list[Act]:
        """Put PCM16 24 kHz mono into the conversation as this item, and have it heard."""
        item = Item(item_id, "user", [{"type": "input_audio", "transcript": None}], sound=len(pcm), unheard=pcm)
        before = self._conversation.append(item)
        self._committed.add(item.id)
        committed = event("input_audio_buffer.committed", previous_item_id=before, item_id=item.id)
        shown = self._conversation.shown(item)
        return [*map(Send, [committed, *shown]), *self.listen(item, settings)]

    def listen(self, item: Item, settings: Event) -> list[Act]:
        """Have an item heard, if there is anything in it of which nobody has said what it is."""
        if not item.unheard:
            return []
        self._untranscribed[item.id] = item
        pcm, item.unheard = item.unheard, b""
        return [Hear(item.id, pcm, _language(settings))]

    def completed(self, item_id: str, words: str, settings: Event) -> list[Event]:
        """The words of an item, "" if nothing intelligible was said, as the events that tell of them.

        They are told of what was committed. A client that has put an item into the conversation is told nothing.
        """
        item = self._untranscribed.pop(item_id)
        part = next(part for part in item.content if part["type"] == "input_audio" and part["transcript"] is None)
        part["transcript"] = str(words)
        if not self._is_told(item_id, settings):
            return []
        place = {"item_id": item_id, "content_index": 0}
        usage = {"type": "duration", "seconds": item.milliseconds / 1000}
        sure = {"logprobs": logprobs(words)} if settings["include"] else {}
        deltas = [event(f"{EVENT}.delta", **place, delta=str(words), **sure)] if words else []
        return [*deltas, event(f"{EVENT}.completed", **place, transcript=str(words), usage=usage, **sure)]

    def failed(self, item_id: str, why: Event, settings: Event) -> list[Event]:
        """The words of an item will never be known, for this error; as the events that tell of it."""
        del self._untranscribed[item_id]
        if not self._is_told(item_id, settings):
            return []
        return [event(f"{EVENT}.failed", item_id=item_id, content_index=0, error=why)]

    def _is_told(self, item_id: str, settings: Event) -> bool:
        committed = item_id in self._committed
        self._committed.discard(item_id)
        return committed and settings["audio"]["input"]["transcription"] is not None


def logprobs(words: str) -> list[Event]:
    """How sure the ear is of each word: as sure as of all of them, which is all that it says."""
    sure = _sureness(words)
    return [
        {"token": token, "bytes": list(token.encode(errors="replace")), "logprob": sure}
        for token in TOKEN.findall(words)
    ]


def _sureness(words: str) -> float:
    return words.logprob if isinstance(words, Transcript) else 0.0


def _language(settings: Event) -> str | None:
    """The language to expect, ISO 639-1: that of the transcription, else that of the instructions."""
    transcription = settings["audio"]["input"]["transcription"] or {}
    return transcription.get("language") or language_of(settings["instructions"])
