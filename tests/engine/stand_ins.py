"""A session of the engine that a test drives step by step, and a check of its events against the SDK."""

from base64 import b64encode
from typing import Any

from engine.ear.vad import Loudness
from realtime.server.acts import Act, Hear, Send, Speak, Think
from realtime.server.session import Session
from realtime.server.settings import Event
from tests.kit.parts import SECOND
from tests.kit.shapes import check_server_event

ENGLISH = "You are Mohit.\n\n# Language\nLanguage: English (en). Speak it.\n\n# Expertise\nVedic Marriage: marriage\n"


class Wire:
    """Drives a session: does none of its work, stores every event it sends, and checks each against the SDK."""

    def __init__(self) -> None:
        self.session = Session("gpt-realtime-2.1", now=1_800_000_000, detector=Loudness)
        self.sent: list[Event] = []
        self.work: list[Act] = []
        self.take(self.session.begin())

    def take(self, acts: list[Act]) -> list[Event]:
        """Store the events and the work of some acts; returns the new events."""
        new = [act.event for act in acts if isinstance(act, Send)]
        self.work += [act for act in acts if not isinstance(act, Send)]
        for event in new:
            check_server_event(event)
        self.sent += new
        return new

    def say(self, kind: str, **fields: Any) -> list[Event]:
        """Send a client event; returns the answers."""
        return self.take(self.session.receive({"type": kind, **fields}))

    def update(self, **session: Any) -> list[Event]:
        return self.say("session.update", session={"type": "realtime", **session})

    def detect(self, **turn_detection: Any) -> list[Event]:
        """Enable turn detection by the server, with Loudness."""
        return self.update(audio={"input": {"turn_detection": {"type": "server_vad", **turn_detection}}})

    def write(self, text: str, **item: Any) -> list[Event]:
        """Send a typed turn, without requesting a response."""
        content = [{"type": "input_text", "text": text}]
        given = {"type": "message", "role": "user", "content": content, **item}
        return self.say("conversation.item.create", item=given)

    def clip(self, pcm: bytes = SECOND) -> list[Event]:
        """Send a spoken turn, without requesting a response."""
        self.append(pcm)
        return self.say("input_audio_buffer.commit")

    def append(self, pcm: bytes, size: int | None = None) -> list[Event]:
        """Append audio in one event, or in pieces of so many bytes; returns the events sent."""
        pieces = [pcm[at : at + (size or len(pcm))] for at in range(0, len(pcm), size or len(pcm) or 1)]
        return [
            event
            for piece in pieces
            for event in self.say("input_audio_buffer.append", audio=b64encode(piece).decode())
        ]

    def next(self, kind: type[Any]) -> Any:
        """Remove and return the oldest work of a kind."""
        found = next(act for act in self.work if isinstance(act, kind))
        self.work.remove(found)
        return found

    def hear(self, words: str) -> list[Event]:
        return self.take(self.session.heard(self.next(Hear).item_id, words))

    def think(self, text: str) -> list[Event]:
        return self.take(self.session.thought(self.next(Think).response_id, text))

    def speak(self, *pieces: tuple[str, bytes], finish: bool = True) -> list[Event]:
        """Report the pieces as spoken, then the end."""
        work, new = self.next(Speak), []
        for words, pcm in pieces:
            new += self.take(self.session.spoke(work.response_id, words, pcm))
        if finish:
            new += self.take(self.session.finished(work.response_id))
        return new

    def answer(self, text: str = "Namaste.") -> list[Event]:
        """Request a response and complete it with these words and a second of audio."""
        new = self.say("response.create")
        return new + self.think(text) + self.speak((text, SECOND))


def kinds(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]


def refusal(events: list[Event]) -> tuple[str, str | None]:
    """The code and the path of the one error among the events."""
    (event,) = events
    assert event["type"] == "error", event
    return event["error"]["code"], event["error"]["param"]
