"""One Realtime session without sockets, tasks or clock: client events and finished work in, acts out.

Whoever drives it sends the events and does the work, in the order given, and reports what the work brought:
`Hear` to `heard` (or `unheard`), `Think` to `thought` (or `called`), `Speak` to `spoke` for every piece and `finished`
at the end. Reports on what has been cancelled since are ignored.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence

from realtime.server.acts import Act, Send
from realtime.server.answering import Answering
from realtime.server.conversation import PCM_BYTES_PER_MS, Conversation, event, item_of, new_id
from realtime.server.formats import PCM, FromWire
from realtime.server.hearing import Began, Detector, Ended, Hearing, Idle, Noticed
from realtime.server.items import in_pcm
from realtime.server.settings import LONGEST_LIFE, Event, check, initial, shown, updated
from realtime.server.shape import Rejected
from realtime.server.tools import Called
from realtime.server.transcription import Transcription
from realtime.server.turn_detection import rules_of

STEP_BYTES = 96 * PCM_BYTES_PER_MS  # three frames cost a detector about half a millisecond


class Session:
    """The server's half of one conversation; `now` is when it begins, in seconds since 1970.

    It may live for `seconds`; whoever drives it sees to that. `detector` makes what finds speech in a stream of audio,
    for server VAD. Of the `kind` "transcription" it never answers.
    """

    def __init__(
        self,
        model: str,
        *,
        now: float,
        detector: Callable[[], Detector],
        seconds: float = LONGEST_LIFE,
        kind: str = "realtime",
    ) -> None:
        self.id = new_id("sess")
        self.settings = initial(self.id, model, int(now + seconds), kind)
        self._wire = FromWire(PCM)
        self._conversation = Conversation()
        self._hearing = Hearing(detector, rules_of(self.settings))
        self._transcription = Transcription(self._conversation)
        self._answering = Answering(self._conversation, self._transcription, self._hearing)
        self.divide = self._answering.divide
        self._acts: list[Act] = []

    def begin(self) -> list[Act]:
        """Say session.created, the first event of every session."""
        self._send(event("session.created", session=shown(self.settings)))
        return self._taken()

    def receive(self, sent: Event) -> list[Act]:
        """Obey one client event, or answer with an error."""
        return [act for acts in self.steps(sent) for act in acts]

    def steps(self, sent: Event) -> Iterator[list[Act]]:
        """The same in steps of less than a millisecond: others may have their turn in between, but no other event."""
        event_id = sent.get("event_id")
        try:
            sent = check(sent)
            if sent["type"] == "input_audio_buffer.append":
                for pcm in _pieces(sent["audio"], self._wire, self._hearing):
                    for noticed in self._hearing.append(pcm):
                        self._notice(noticed)
                    yield self._taken()
            else:
                formats = (self.settings["audio"][side]["format"] for side in ("input", "output"))
                for _ in in_pcm(_items(sent), *formats):
                    yield []
                self._obey(sent)
        except Rejected as refusal:
            yield self.refuse(refusal, event_id)
        yield self._taken()

    def refuse(self, refusal: Rejected, event_id: object = None) -> list[Act]:
        """The error for a client event, also for one that could not even be read."""
        self._send(error(refusal, event_id if isinstance(event_id, str) else None))
        return self._taken()

    def heard(self, item_id: str, words: str) -> list[Act]:
        """The words of an item are known; "" means that nothing intelligible was said."""
        self._send(*self._transcription.completed(item_id, words, self.settings))
        return self._taken(self._answering.heard())

    def unheard(self, item_id: str, why: Event) -> list[Act]:
        """The words of an item will never be known: a response to it fails by this error."""
        self._send(*self._transcription.failed(item_id, why, self.settings))
        return self._taken(self._answering.unheard(item_id, why))

    @property
    def answered(self) -> bool:
        """True if the conversation holds a turn of the assistant's, given here or by a session before."""
        return any(item.role == "assistant" for item in self._conversation)

    def thought(self, response_id: str, text: str) -> list[Act]:
        """The words of a response are known."""
        return self._taken(self._answering.thought(response_id, text))

    def called(self, response_id: str, calls: Sequence[Called]) -> list[Act]:
        """A response is calls of functions, whose outputs the client will put into the conversation."""
        return self._taken(self._answering.called(response_id, calls))

    def spoke(self, response_id: str, words: str, pcm: bytes) -> list[Act]:
        """Some words of a response, and the audio that follows them; either may be empty."""
        return self._taken(self._answering.spoke(response_id, words, pcm))

    def finished(self, response_id: str) -> list[Act]:
        """Everything of a response has been spoken."""
        return self._taken(self._answering.finished(response_id))

    def fail(self, error: Event, response_id: str | None = None) -> list[Act]:
        """End a response, or the one under way, as failed by this error: `type`, `code`, `message`."""
        return self._taken(self._answering.fail(error, response_id))

    def _obey(self, sent: Event) -> None:
        match sent["type"]:
            case "session.update":
                self.configure(sent["session"])
                self._send(event("session.updated", session=shown(self.settings)))
            case "input_audio_buffer.commit":
                self._commit(*self._hearing.take())
            case "input_audio_buffer.clear":
                self._hearing.clear()
                self._send(event("input_audio_buffer.cleared"))
            case "conversation.item.create":
                item = item_of(sent["item"])
                self._send(*self._conversation.create(item, sent.get("previous_item_id")))
                self._acts += self._transcription.listen(item, self.settings)
            case "response.create" | "response.cancel" if self.settings["type"] == "transcription":
                raise Rejected("invalid_value", "A session that transcribes gives no responses.", "type")
            case "response.create":
                self._acts += self._answering.create(sent.get("response", {}), self.settings)
            case "response.cancel":
                self._acts += self._answering.cancel(sent.get("response_id"))
            case _:
                self._send(*self._conversation.obey(sent))

    def configure(self, change: Event) -> None:
        """Change settings, all of a checked change or nothing. Raises Rejected."""
        self.settings = updated(self.settings, change, voice_locked=self._answering.voice_locked)
        self._hearing.tune(rules_of(self.settings))
        if (heard := self.settings["audio"]["input"]["format"]) != self._wire.format:
            self._wire = FromWire(heard)

    def _notice(self, noticed: Noticed) -> None:
        """What server VAD found in the audio, and what follows from it."""
        rules = rules_of(self.settings)
        assert rules is not None  # without them nothing is looked for
        match noticed:
            case Began(item_id, start_ms):
                self._send(event("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=item_id))
                if rules.interrupt_response:  # the client truncates what it did not play: over WebSocket we do not
                    self._acts += self._answering.interrupt()
            case Ended(item_id, end_ms, pcm):
                self._send(event("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=item_id))
                self._commit(item_id, pcm)
                if rules.create_response:
                    self._answer()
            case Idle(item_id, start_ms, end_ms, pcm):
                silence = {"audio_start_ms": start_ms, "audio_end_ms": end_ms}
                self._send(event("input_audio_buffer.timeout_triggered", **silence, item_id=item_id))
                self._commit(item_id, pcm)
                self._answer()

    def _answer(self) -> None:
        """Answer of our own accord, unless a response is still given."""
        # Then there is no error either, which is our choice: the SDK's types say that this "may fail", nobody has
        # seen how, and an error would echo no event of the client's.
        if self._answering.active is None and self.settings["type"] == "realtime":
            self._acts += self._answering.create({}, self.settings)

    def _commit(self, item_id: str, pcm: bytes) -> None:
        self._acts += self._transcription.commit(item_id, pcm, self.settings)

    def _send(self, *events: Event) -> None:
        self._acts += map(Send, events)

    def _taken(self, more: Iterable[Act] = ()) -> list[Act]:
        acts, self._acts = [*self._acts, *more], []
        return acts


def _pieces(audio: str, wire: FromWire, hearing: Hearing) -> Iterator[bytes]:
    """The base64 of an append as PCM16, cut where a detector has work to do; none of it when it is faulty."""
    try:
        data = b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        raise Rejected("invalid_value", "Invalid 'audio': expected base64 of audio.", "audio") from None
    hearing.check_room(wire.pcm_size(len(data)))
    size = wire.step(STEP_BYTES if hearing.rules else max(len(data), 1))
    return (wire.pcm(data[start : start + size]) for start in range(0, len(data), size))


def _items(sent: Event) -> list[Event]:
    """The items that a client event, checked, brings."""
    items: list[Event] = sent.get("response", {}).get("input", [])
    return [sent["item"]] if "item" in sent else items


def error(refusal: Rejected, event_id: str | None = None, kind: str = "invalid_request_error") -> Event:
    """The error event for a refusal; it echoes the `event_id` of what it refuses."""
    said = {"type": kind, "code": refusal.code, "message": refusal.message, "param": refusal.param}
    return event("error", error={**said, "event_id": event_id})
