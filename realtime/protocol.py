"""One Realtime session as a pure object: say something, `receive` what came, send what `to_send` returns.

No socket, no clock, no task. Facts are those of OpenAI's GA Realtime API over WebSocket: an invalid update is
discarded whole, one response at a time, errors echo the event_id of what they refuse, item ids are new on every
connection. Where the setup `listens` the upstream finds the turns in a stream (server VAD); where not they are
manual (turn_detection null): content is committed, then a response is asked for. What may happen when is in
realtime/states.py, what is done about errors in realtime/errors.py.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from realtime import errors, requests
from realtime.answers import Answers
from realtime.errors import Trouble
from realtime.events import Committed, Event, Setup, Turn
from realtime.gate import Ask
from realtime.listening import Listening, used
from realtime.models import Capabilities
from realtime.opening import Opening
from realtime.outbox import Outbox
from realtime.states import LEAVE, Model, Session, States

REMEMBERED = 64  # event ids, twice: the upstream may say something twice, but not much later


class Protocol:
    """The caller's half of a Realtime session."""

    def __init__(self, can: Capabilities | None = None) -> None:
        self.states = States()
        self.progress = 0
        """Counts what brings the session or an answer further; while something is owed it must grow."""
        self._outbox = Outbox(self.states)
        self._opening = Opening(self.states, self._outbox)
        self._listening = Listening(self.states)
        self._answers = Answers(self.states, self._outbox, self._opening, self._listening, can or Capabilities())
        self._seen: set[str] = set()
        self._seen_before: set[str] = set()

    # Say something.

    def configure(self, setup: Setup, seed: Iterable[Turn] = ()) -> None:
        """Make the session what `setup` says. Before the first item it may be called again, to change it."""
        self._opening.configure(setup, seed)

    def listen(self, listens: bool) -> None:
        """Let the upstream find the turns by itself, or not; what is appended from now on waits for its consent."""
        self._opening.listen(listens)

    def instruct(self, instructions: str) -> None:
        """Let these instructions hold from the next answer on; what was said stays."""
        self._opening.instruct(instructions)

    def append(self, pcm: bytes) -> None:
        """Some more of what the caller says: PCM16 24 kHz mono, any length. Only where the setup listens."""
        self._outbox.hear(pcm)

    def greet(self, ask: int, words: str) -> None:
        """Have exactly these words spoken."""
        self._answers.ask(Ask(ask, [], response=requests.exactly(self._setup, words)))

    def ask_clip(self, ask: int, pcm: bytes) -> None:
        """Have one whole recorded utterance answered (PCM16 24 kHz mono, 100 ms at least)."""
        self._answers.ask(Ask(ask, requests.clip(pcm), spoken=True))

    def ask_text(self, ask: int, text: str) -> None:
        """Have a typed turn answered."""
        self._answers.ask(Ask(ask, [requests.message("user", text)]))

    def go_on(self, ask: int) -> None:
        """Have the last answer of the seeded turns, which an earlier connection began, brought to its end."""
        self._answers.ask(Ask(ask, [], response=requests.the_rest(self._setup)))

    def again(self) -> None:
        """The time of what was Postponed has come."""
        self._answers.again()

    def hush(self) -> None:
        """Stop answering: what is spoken is cancelled, what was asked keeps its content but gets no answer."""
        self._answers.hush()

    def keep(self, reply: int, heard_ms: int) -> None:
        """Cut a reply, in the model's memory, to what the caller heard of it: ms from its start, rounded down."""
        self._answers.keep(reply, heard_ms)

    def overdue(self) -> list[Event]:
        """Nothing came for a while: an answer that was said whole is over, though nobody told."""
        return self._answers.overdue()

    def leave(self) -> None:
        """Ask nothing more: what is still to come is the last of it."""
        self._answers.hush()
        self.states.move(LEAVE)

    # What comes.

    def receive(self, frame: bytes | str) -> list[Event]:
        """The facts in one frame from the upstream."""
        try:
            event = orjson.loads(frame)
            event_id = event.get("event_id")
            if event_id in self._seen or event_id in self._seen_before:
                self.oddities["duplicate"] += 1
                return []
            if event_id is not None:
                self._remember(event_id)
            return self._on(event["type"], event)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            self.oddities["malformed"] += 1
            return []

    def to_send(self) -> list[bytes]:
        """The frames to send now, in order, FRAMES_AT_ONCE at most; what the caller said since is joined in a few."""
        return self._outbox.take()

    @property
    def oddities(self) -> Counter[str]:
        """What was ignored, by type or code: what the states do not admit, races, frames that are not JSON."""
        return self.states.oddities

    @property
    def owed(self) -> bool:
        """The upstream owes us something: a session as we asked for it, or an answer."""
        return self.states.session in _OWING or self.states.model is not Model.IDLE

    @property
    def complete(self) -> bool:
        """Nothing is being answered, and no transcript is awaited."""
        return self.states.model is Model.IDLE and not self._answers.gate.busy and self._listening.complete

    @property
    def _setup(self) -> Setup:
        assert self._opening.setup is not None
        return self._opening.setup

    def _remember(self, event_id: str) -> None:
        """Nothing counts twice. Two sets take turns, so that what is remembered is bounded."""
        self._seen.add(event_id)
        if len(self._seen) >= REMEMBERED:
            self._seen, self._seen_before = set(), self._seen

    def _on(self, kind: str, event: dict[str, Any]) -> list[Event]:
        if self.states.closed:
            return []
        match kind:
            case "response.output_audio.delta":
                self.progress += 1
                return self._answers.audio(event)
            case "response.output_audio_transcript.delta":
                return self._answers.words(event["response_id"], event["delta"])
            case "input_audio_buffer.speech_started":
                return self._on_speech(event["item_id"], int(event["audio_start_ms"]))
            case "input_audio_buffer.speech_stopped":
                return self._listening.stopped(event["item_id"], int(event["audio_end_ms"]))
            case "input_audio_buffer.committed":
                return self._ask_what_waits(self._listening.committed(event["item_id"]))
            case "conversation.item.input_audio_transcription.delta":
                return self._listening.some_words(event["item_id"], event.get("delta") or "")
            case "conversation.item.input_audio_transcription.completed":
                return self._on_words(event, event.get("transcript") or "")
            case "conversation.item.input_audio_transcription.failed":
                return self._on_words(event, "")
            case "rate_limits.updated":
                return self._answers.allowed(event["rate_limits"])
            case "error":
                return self._on_error(event["error"])
            case _:
                return self._on_progress(kind, event)

    def _on_progress(self, kind: str, event: dict[str, Any]) -> list[Event]:
        """What brings the session or an answer further."""
        self.progress += 1
        match kind:
            case "response.created":
                return self._answers.created(event["response"])
            case "response.output_item.added":
                self._answers.item(event["response_id"], event["item"]["id"])
            case "response.output_item.done":
                self._answers.said(event["response_id"], event["item"].get("status") or "")
            case "response.output_audio_transcript.done":
                self._answers.all_words(event["response_id"], event.get("transcript") or "")
            case "response.done":
                return self._answers.done(event["response"])
            case "session.created":
                return self._opening.created(event.get("session") or {})
            case "session.updated":
                return self._opening.updated(event["session"])
            case _ if kind not in EXPECTED:
                self.progress -= 1
                self.oddities[kind] += 1
        return []

    def _on_speech(self, item: str, at_ms: int) -> list[Event]:
        self._answers.overtaken()
        return self._listening.started(item, at_ms)

    def _on_words(self, event: dict[str, Any], text: str) -> list[Event]:
        return [*self._ask_what_waits(self._listening.words(event["item_id"], text)), *used(event)]

    def _ask_what_waits(self, told: list[Event]) -> list[Event]:
        """A turn that was whole while something was answered is not answered by the upstream itself: we ask."""
        for fact in told:
            if isinstance(fact, Committed) and self.states.model is Model.ANSWERING:
                self._answers.ask(Ask(fact.ask, []))
        return told

    def _on_error(self, error: dict[str, Any]) -> list[Event]:
        code = error.get("code") or error.get("type") or "unknown"
        message = error.get("message") or code
        event_id = error.get("event_id") or ""
        about, trouble = event_id.partition("-")[0], errors.of(code)
        if trouble in (Trouble.LOST, Trouble.ACCOUNT, Trouble.OURS) or about in ("setup", "seed"):
            return self.states.unusable(code, message, fatal=trouble not in (Trouble.LOST, Trouble.LATER))
        if about == "instruct":
            self._opening.untold()
        if about == "create" or (trouble is Trouble.LATER and not event_id):
            return self._answers.refused(code, message)
        self._listening.refused(event_id)
        self.oddities[code] += 1
        return self._answers.unsaid(event_id, code, message)


_OWING = (Session.CONNECTING, Session.CREATED, Session.OPENING, Session.TUNING)

EXPECTED = frozenset({
    "conversation.created", "conversation.item.added", "conversation.item.done", "conversation.item.deleted",
    "conversation.item.truncated", "input_audio_buffer.cleared", "input_audio_buffer.timeout_triggered",
    "response.content_part.added", "response.content_part.done", "response.output_audio.done",
})  # fmt: skip
"""Known, and of no use to us."""
