"""One Realtime session as a pure object: `send` a command, `receive` a frame, write what `to_send` returns.

It implements upstream/protocol.py for OpenAI's GA Realtime API over WebSocket. What is peculiar to that API: an invalid
update is discarded whole, there is one response at a time, errors echo the event_id of what they refuse, and item ids
are new on every connection. Where the setup `listens` the upstream finds the turns in a stream (server VAD); where not
they are manual (turn_detection null): content is committed, then a response is asked for.

This file says who takes what; each part is a file of its own. What may happen when is in states.py, which ask is sent
when in gate.py and asks.py, what is made of responses in responses.py and replies.py, what the caller said in
input_turns.py, the setup in session_setup.py, what is done about errors in errors.py.
"""

from collections import Counter
from typing import TypeAlias, assert_never

from realtime.client import errors, incoming, requests
from realtime.client.asks import Asks
from realtime.client.errors import Action
from realtime.client.event_ids import EventIds
from realtime.client.fields import Malformed
from realtime.client.gate import Ask
from realtime.client.input_turns import InputTurns
from realtime.client.outbox import Outbox
from realtime.client.replies import Replies
from realtime.client.responses import Responses
from realtime.client.server_events import (
    AudioDelta,
    BufferCommitted,
    ErrorEvent,
    ItemAdded,
    ItemDone,
    Other,
    RateLimits,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
    TranscriptDelta,
    TranscriptDone,
    WordsDelta,
    WordsDone,
)
from realtime.client.session_setup import SessionSetup
from realtime.client.states import LEAVE, STARTED, Model, Session, States
from upstream.commands import (
    Append,
    AskClip,
    AskText,
    CancelReply,
    Command,
    ConfigureSession,
    ContinueReply,
    EndOverdueReply,
    Greet,
    Leave,
    Prove,
    Retry,
    SetTurnDetection,
    TruncateReply,
    UpdateInstructions,
)
from upstream.facts import Committed, Event, Setup
from upstream.models import Capabilities

Progress: TypeAlias = (
    ResponseCreated
    | ItemAdded
    | ItemDone
    | TextDelta
    | WordsDone
    | ResponseDone
    | SessionCreated
    | SessionUpdated
    | Other
)


class Protocol:
    """The client's half of a Realtime session."""

    def __init__(self, can: Capabilities | None = None) -> None:
        self.states = States()
        self.progress = 0
        """Grows with each frame that brings the session or a reply further."""
        self._outbox = Outbox(self.states)
        self._session_setup = SessionSetup(self.states, self._outbox)
        self._input_turns = InputTurns(self.states)
        self._asks = Asks(self.states, self._outbox, self._session_setup, self._input_turns)
        self._replies = Replies(self.states, self._outbox, can or Capabilities())
        self._responses = Responses(self.states, self._replies, self._asks, self._input_turns)
        self._event_ids = EventIds()

    # Say something.

    def send(self, command: Command) -> list[Event]:
        """Obey a command; returns the events that follow from it at once."""
        match command:
            case Append(pcm):
                self._outbox.append(pcm)
            case AskClip(ask, pcm):
                self._asks.ask(Ask(ask, requests.clip(pcm), spoken=True))
            case AskText(ask, text):
                self._asks.ask(Ask(ask, [requests.message("user", text)]))
            case Greet(ask, words):
                self._asks.ask(Ask(ask, [], response=requests.exactly(self._setup, words)))
            case ContinueReply(ask):
                self._asks.ask(Ask(ask, [], response=requests.the_rest(self._setup)))
            case Prove(ask):
                self._asks.ask(Ask(ask, [], response=requests.one_word(self._setup)))
            case CancelReply(overdue):
                self._responses.cancel(overdue)
            case TruncateReply(reply, heard_ms):
                self._replies.truncate(reply, heard_ms)
            case ConfigureSession(setup, turns):
                self._session_setup.configure(setup, turns)
            case UpdateInstructions(instructions):
                self._session_setup.update_instructions(instructions)
            case SetTurnDetection(listens):
                self._session_setup.set_turn_detection(listens)
            case Retry():
                self._asks.retry()
            case EndOverdueReply():
                return self._responses.end_overdue()
            case Leave():
                self._responses.cancel()
                self.states.move(LEAVE)
            case _:
                assert_never(command)
        return []

    # What comes.

    def receive(self, frame: bytes | str) -> list[Event]:
        """The events in one frame from the upstream. A frame that is malformed is counted, and nothing in it counts."""
        try:
            event_id, event = incoming.read(frame)
        except Malformed:
            self.anomalies["malformed"] += 1
            return []
        if self._event_ids.came_before(event_id, frame):
            self.anomalies["duplicate"] += 1
            return []
        return [] if self.states.closed else self._on(event)

    def to_send(self) -> list[bytes]:
        """The frames to write now, in order, FRAMES_AT_ONCE at most; audio that waited is joined."""
        return self._outbox.take()

    @property
    def anomalies(self) -> Counter[str]:
        """What was ignored, by type or code: events that the states do not admit, races, malformed frames."""
        return self.states.anomalies

    @property
    def owed(self) -> bool:
        """True while the upstream owes us something: the session as we asked for it, or a reply."""
        return self.states.session in _OWING or self.states.model is not Model.IDLE

    @property
    def complete(self) -> bool:
        """True while no reply is wanted or under way and no transcript is to come."""
        return self.states.model is Model.IDLE and not self._asks.gate.busy and self._input_turns.complete

    @property
    def _setup(self) -> Setup:
        assert self._session_setup.setup is not None
        return self._session_setup.setup

    def _on(self, event: ServerEvent) -> list[Event]:
        match event:
            case AudioDelta():
                self.progress += 1
                return self._responses.audio(event.response, event.pcm, event.item)
            case WordsDelta(response, words, item):
                return self._responses.words(response, words, item)
            case SpeechStarted(item, at_ms):
                if self.states.may(STARTED):  # not where we asked it to wait for clips: some listen all the same
                    self._responses.interrupted()
                return self._input_turns.started(item, at_ms, self._asks.gate.on_its_way)
            case SpeechStopped(item, at_ms):
                return self._input_turns.stopped(item, at_ms)
            case BufferCommitted(item):
                return self._ask_what_waits(self._input_turns.committed(item))
            case TranscriptDelta(item, words):
                return self._input_turns.transcript_delta(item, words)
            case TranscriptDone(item, text, used):
                events = self._ask_what_waits(self._input_turns.transcript(item, text))
                return [*events, used] if used else events
            case RateLimits(allowances):
                return [*self._asks.backoff.learn(allowances)]
            case ErrorEvent():
                return self._on_error(event)
            case Other(kind) if kind not in EXPECTED:
                self.anomalies[kind] += 1
                return []
            case _:
                self.progress += 1
                return self._on_progress(event)

    def _on_progress(self, event: Progress) -> list[Event]:
        """A server event that brings the session or a reply further."""
        match event:
            case ResponseCreated():
                return self._responses.created(event)
            case ItemAdded(response, item):
                self._responses.item(response, item)
            case ItemDone(response, complete):
                return self._responses.said_whole(response) if complete else []
            case TextDelta(response, words, item):
                self._responses.written(response, words, item)
            case WordsDone(response, words, item):
                return self._responses.all_words(response, words, item)
            case ResponseDone():
                return self._responses.done(event)
            case SessionCreated(expires_at):
                self._session_setup.created(expires_at)
            case SessionUpdated():
                return self._session_setup.updated(event)
            case Other():
                pass
            case _:
                assert_never(event)
        return []

    def _ask_what_waits(self, events: list[Event]) -> list[Event]:
        """Ask for the answer to a turn that was committed during a reply: the upstream does not answer it by itself."""
        for event in events:
            if isinstance(event, Committed) and self.states.model is Model.ANSWERING:
                self._asks.ask(Ask(event.ask, []))
        return events

    def _on_error(self, error: ErrorEvent) -> list[Event]:
        code, message, event_id = error.code, error.message, error.event_id
        about, action = event_id.partition("-")[0], errors.of(code)
        if action in (Action.LOST, Action.ACCOUNT, Action.OURS) or about in ("setup", "seed"):
            return self.states.unusable(code, message, fatal=action not in (Action.LOST, Action.LATER))
        self._session_setup.refused(event_id)
        if about == "create" or (action is Action.LATER and not event_id):
            return self._asks.refused(code, message)
        self._input_turns.refused(event_id)
        self._replies.cut_refused(event_id, message)
        self.anomalies[code] += 1
        return self._asks.content_refused(event_id, code, message)


_OWING = (Session.CONNECTING, Session.CREATED, Session.OPENING, Session.TUNING)

EXPECTED = frozenset({
    "conversation.created", "conversation.item.added", "conversation.item.done", "conversation.item.deleted",
    "conversation.item.truncated", "input_audio_buffer.cleared", "input_audio_buffer.timeout_triggered",
    "response.content_part.added", "response.content_part.done", "response.output_audio.done",
})  # fmt: skip
"""Types of server events that are known and of no use to us."""
