"""Upstream connections by hand: what was sent on them, and what the test says comes."""

from typing import Any

import orjson

from actors.runtime import Ref
from actors.testing.loop import settle
from upstream.facts import Frame, LinkBegan, LinkEnded, LinkEvent
from upstream.link import Frames
from upstream.models import Capabilities, Prices


class Wire:
    """One connection to the model, whose model is the test. It is up from the start, and ends once.

    One that waits for its turn to be dialled is not `begun`, until `begin` is called.
    """

    def __init__(self, user: str, to: Ref[LinkEvent], frames: Frames, begun: bool = True) -> None:
        self.user = user
        self.ended = self.begun = False
        self._to, self._frames = to, frames
        self._sent: list[dict[str, Any]] = []
        if begun:
            self.begin()

    # What a bridge asks of a link.

    def flush(self) -> None:
        """Take what there is to send: as a link does it, no more at once than there is."""
        while self.begun and not self.ended and (frames := self._frames()):
            self._sent += [orjson.loads(frame) for frame in frames]

    def close(self) -> None:
        """Close in order."""
        self.flush()
        self.lose(1000, "")

    def abort(self) -> None:
        """End at once."""
        self.lose(1006, "the connection was given up")

    # What a test asks of it.

    def begin(self) -> None:
        """It is dialled, and up at once."""
        self.begun = True
        self._to.tell(LinkBegan())
        self.flush()

    @property
    def sent(self) -> list[dict[str, Any]]:
        """All events that were sent, decoded."""
        settle()
        return list(self._sent)

    @property
    def kinds(self) -> list[str]:
        """Their types, in order."""
        return [event["type"] for event in self.sent]

    def last(self, kind: str) -> dict[str, Any]:
        """The newest event of this type that was sent."""
        found = [event for event in self.sent if event["type"] == kind]
        assert found, f"no {kind} was sent, only {self.kinds}"
        return found[-1]

    def texts(self) -> list[tuple[str, str]]:
        """Who said what, of all items of text that were sent."""
        items = [event["item"] for event in self.sent if event["type"] == "conversation.item.create"]
        return [(item["role"], part["text"]) for item in items for part in item["content"]]

    def say(self, **event: Any) -> None:
        """One event from the model."""
        assert not self.ended, f"this connection has ended: no {event.get('type')} can come"
        self._to.tell(Frame(orjson.dumps(event)))

    def welcome(self, voice: str | None = None) -> None:
        """The session is there, as it was asked for; or with another voice."""
        self.say(type="session.created")
        self.consent(voice)

    def consent(self, voice: str | None = None) -> None:
        """The session is as it was last asked to be; or with another voice."""
        told = [event["session"] for event in self.sent if event["type"] == "session.update"]
        voice = voice or [session["audio"]["output"]["voice"] for session in told if "audio" in session][-1]
        self.say(type="session.updated", session={"audio": {"output": {"voice": voice}}})

    def answer(self, words: str) -> None:
        """Answer the newest response.create with one sample of sound: nobody can speak before it is heard."""
        response = {"id": words, "metadata": self.last("response.create")["response"]["metadata"]}
        self.say(type="response.created", response=response)
        self.say(type="response.output_audio.delta", response_id=words, delta="AAA=")
        self.say(type="response.output_audio_transcript.delta", response_id=words, delta=words)
        self.say(type="response.done", response={"id": words, "status": "completed"})

    def refuse(self, kind: str, code: str = "invalid_value") -> None:
        """Answer the newest event of this type with an error."""
        error = {"code": code, "message": "no", "event_id": self.last(kind)["event_id"]}
        self.say(type="error", error=error)

    def lose(self, code: int = 1006, reason: str = "gone") -> None:
        """The connection ends."""
        if not self.ended:
            self.ended = True
            self._to.tell(LinkEnded(code, reason))


class Wires:
    """A way to the model that hands out wires, and keeps them in the order in which they were dialled."""

    prices: Prices | None = None

    def __init__(self) -> None:
        self.can = Capabilities()
        self.full = False
        """Whoever dials now waits, until their wire is told to `begin`."""
        self.dialled: list[Wire] = []

    def dial(self, user: str, to: Ref[LinkEvent], frames: Frames) -> Any:
        """A connection of this user's own."""
        self.dialled.append(Wire(user, to, frames, begun=not self.full))
        return self.dialled[-1]
