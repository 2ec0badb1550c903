"""The caller's items from their commit until their words are known."""

from realtime.contract import language_of
from realtime.server.acts import Act, Hear, Send
from realtime.server.conversation import Conversation, Item, event
from realtime.server.settings import Event

EVENT = "conversation.item.input_audio_transcription"


class Transcription:
    """Has committed audio heard, and shows the words. It contains the ids of the items that are still untranscribed."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._untranscribed: dict[str, Item] = {}

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._untranscribed

    def commit(self, item_id: str, pcm: bytes, settings: Event) -> list[Act]:
        """Put PCM16 24 kHz mono into the conversation as this item, and have it heard."""
        item = Item(item_id, "user", [{"type": "input_audio", "transcript": None}], sound=len(pcm))
        before = self._conversation.append(item)
        self._untranscribed[item.id] = item
        committed = event("input_audio_buffer.committed", previous_item_id=before, item_id=item.id)
        shown = self._conversation.shown(item)
        return [*map(Send, [committed, *shown]), Hear(item.id, pcm, _language(settings))]

    def completed(self, item_id: str, words: str, settings: Event) -> list[Event]:
        """The words of an item, "" if nothing intelligible was said, as the events that tell of them."""
        item = self._untranscribed.pop(item_id)
        item.content[0]["transcript"] = words
        if settings["audio"]["input"]["transcription"] is None:
            return []
        place = {"item_id": item_id, "content_index": 0}
        usage = {"type": "duration", "seconds": item.milliseconds / 1000}
        deltas = [event(f"{EVENT}.delta", **place, delta=words)] if words else []
        return [*deltas, event(f"{EVENT}.completed", **place, transcript=words, usage=usage)]

    def failed(self, item_id: str, why: Event, settings: Event) -> list[Event]:
        """The words of an item will never be known, for this error; as the events that tell of it."""
        del self._untranscribed[item_id]
        if settings["audio"]["input"]["transcription"] is None:
            return []
        return [event(f"{EVENT}.failed", item_id=item_id, content_index=0, error=why)]


def _language(settings: Event) -> str | None:
    """The language to expect, ISO 639-1: that of the transcription, else that of the instructions."""
    transcription = settings["audio"]["input"]["transcription"] or {}
    return transcription.get("language") or language_of(settings["instructions"])
