"""One Realtime session as a pure object: say something, `receive` what came, send what `to_send` returns.

No socket, no clock, no task. Facts are those of OpenAI's GA Realtime API over WebSocket: an invalid update is
discarded whole, one response at a time, errors echo the event_id of what they refuse, item ids are new on every
connection. Where the setup `listens` the upstream finds the turns in a stream (server VAD); where not they are
manual (turn_detection null): content is committed, then a response is asked for.
"""

from base64 import b64decode
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

import orjson

from realtime import requests
from realtime.events import (
    BYTES_PER_MS,
    AskFailed,
    Committed,
    Configured,
    Event,
    Heard,
    Paused,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyWords,
    Setup,
    Speaking,
    Status,
    Turn,
    Unusable,
)
from realtime.gate import Ask, Gate, Reply
from realtime.turns import SpokenTurns

JOINED_BYTES = 200 * BYTES_PER_MS  # of a stream: what waits is joined, so that load makes appends larger, not later

FATAL_CODES = frozenset({
    "invalid_api_key", "insufficient_quota", "credit_balance_exhausted", "account_deactivated",
    "billing_hard_limit_reached", "invalid_model", "model_not_found", "beta_api_shape_disabled",
})  # fmt: skip
LOST_CODES = frozenset({"session_expired", "server_error"})
BUSY_CODE = "conversation_already_has_active_response"


class Protocol:
    """The caller's half of a Realtime session."""

    def __init__(self) -> None:
        self.oddities: Counter[str] = Counter()
        """What was ignored, by type or code: unknown events, races, frames that are not JSON."""
        self._setup: Setup | None = None
        self._seed: tuple[Turn, ...] = ()
        self._created = False
        self._expires_at: float | None = None
        self._updating = 0
        self._gate = Gate()
        self._replies: dict[str, Reply] = {}
        self._committed: deque[tuple[str, int]] = deque()  # (event_id of the commit, ask)
        self._transcribing: dict[str, int] = {}
        self._turns = SpokenTurns()
        self._stream = bytearray()  # what the caller says, not yet in an append
        self._ids = count(1)
        self._out: list[bytes] = []

    # Say something.

    def configure(self, setup: Setup, seed: Iterable[Turn] = ()) -> None:
        """Make the session what `setup` says. Before the first item it may be called again, to change it."""
        self._setup, self._seed = setup, tuple(seed)
        if self._created:
            self._update(setup)

    def listen(self, listens: bool) -> None:
        """Let the upstream find the turns by itself, or not; what is appended from now on waits for its consent."""
        if self._setup and self._setup.listens != listens:
            self._setup = replace(self._setup, listens=listens)
            self._update(self._setup)
            if not listens:  # what is left of the stream would be part of the next clip
                self._say("clear", {"type": "input_audio_buffer.clear"})

    def append(self, pcm: bytes) -> None:
        """Some more of what the caller says: PCM16 24 kHz mono, any length. Only where the setup listens."""
        self._stream += pcm

    def greet(self, ask: int, words: str) -> None:
        """Have exactly these words spoken."""
        assert self._setup is not None
        self._ask(Ask(ask, [], response=requests.exactly(self._setup, words)))

    def ask_clip(self, ask: int, pcm: bytes) -> None:
        """Have one whole recorded utterance answered (PCM16 24 kHz mono, 100 ms at least)."""
        self._ask(Ask(ask, requests.clip(pcm), spoken=True))

    def ask_text(self, ask: int, text: str) -> None:
        """Have a typed turn answered."""
        self._ask(Ask(ask, [requests.message("user", text)]))

    def go_on(self, ask: int) -> None:
        """Have the last answer of the seeded turns, which an earlier connection began, brought to its end."""
        assert self._setup is not None
        self._ask(Ask(ask, [], response=requests.the_rest(self._setup)))

    def hush(self) -> None:
        """Stop answering: what is spoken is cancelled, what was asked keeps its content but gets no answer."""
        self._gate.void()
        self._turns.void()
        if self._gate.active and not self._gate.active.void:
            self._cancel(self._gate.active)
        self._open_gate()

    def keep(self, reply: int, heard_ms: int) -> None:
        """Cut a reply, in the model's memory, to what the caller heard of it: ms from its start, rounded down."""
        for known in self._replies.values():
            if known.number == reply:
                known.keep_ms = heard_ms
                self._cut(known)

    # What comes.

    def receive(self, frame: bytes | str) -> list[Event]:
        """The facts in one frame from the upstream."""
        try:
            event = orjson.loads(frame)
            return self._on(event["type"], event)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            self.oddities["malformed"] += 1
            return []

    def to_send(self) -> list[bytes]:
        """The frames to send now, in order; what was said since the last time is joined in one append or a few."""
        self._flush_stream()
        out, self._out = self._out, []
        return out

    @property
    def answering(self) -> bool:
        """The upstream owes us an answer."""
        return self._gate.busy or self._turns.unanswered

    @property
    def complete(self) -> bool:
        """Nothing is being answered, and no transcript is awaited."""
        return not (self.answering or self._committed or self._transcribing)

    def _on(self, kind: str, event: dict[str, Any]) -> list[Event]:
        match kind:
            case "response.output_audio.delta":
                return self._on_audio(event)
            case "response.output_audio_transcript.delta":
                return self._on_words(event["response_id"], event["delta"])
            case "response.created":
                return self._on_created(event["response"])
            case "input_audio_buffer.speech_started":
                return self._on_speech(event["item_id"], event["audio_start_ms"])
            case "input_audio_buffer.speech_stopped":
                return [Paused(self._turns.began(event["item_id"]).ask, event["audio_end_ms"])]
            case "response.output_item.added":
                return self._on_item(event)
            case "response.done":
                return self._on_done(event["response"])
            case "input_audio_buffer.committed":
                return self._on_committed(event["item_id"])
            case "conversation.item.input_audio_transcription.delta":
                return [Heard(self._transcribing[event["item_id"]], event["delta"], final=False)]
            case "conversation.item.input_audio_transcription.completed":
                return self._on_transcript(event["item_id"], event["transcript"])
            case "conversation.item.input_audio_transcription.failed":
                return self._on_transcript(event["item_id"], "")
            case "session.created":
                return self._on_session(event.get("session") or {})
            case "session.updated":
                return self._on_updated(event["session"])
            case "error":
                return self._on_error(event["error"])
            case _:
                if kind not in _EXPECTED:
                    self.oddities[kind] += 1
                return []

    # The session.

    def _on_session(self, session: dict[str, Any]) -> list[Event]:
        self._created = True
        self._expires_at = session.get("expires_at")
        if self._setup:
            self._update(self._setup)
        return []

    def _update(self, setup: Setup) -> None:
        self._updating += 1
        self._say("setup", requests.session_update(setup))

    def _on_updated(self, session: dict[str, Any]) -> list[Event]:
        self._updating -= 1
        if self._updating > 0 or self._setup is None:
            return []  # of an older setup: the newest is still on its way
        self._turns.speaking = self._turns.speaking and self._setup.listens
        voice = session["audio"]["output"]["voice"]
        if voice != self._setup.voice:
            why = f"asked for the voice {self._setup.voice}, got {voice}"
            return [Unusable("voice_mismatch", why, fatal=True)]
        for turn in self._seed:
            self._say("seed", requests.message(turn.role, turn.text))
        self._seed = ()
        return [Configured(session.get("expires_at") or self._expires_at)]

    # Asking, through one gate: the API has one response at a time.

    def _ask(self, ask: Ask) -> None:
        self._gate.put(ask)
        self._open_gate()

    def _open_gate(self) -> None:
        while ask := self._gate.take():
            if ask.void and ask.spoken and self._setup and self._setup.listens:
                continue  # a clip that nobody waits for would be heard as the caller's voice in the stream
            said = [self._say("content", event) for event in ask.content]
            if ask.spoken:
                self._committed.append((said[-1], ask.number))
            ask.content, ask.spoken = [], False
            if not ask.void:
                response = {**ask.response, "metadata": {"ask": str(ask.number)}}
                self._say("create", {"type": "response.create", "response": response})

    def _on_created(self, response: dict[str, Any]) -> list[Event]:
        ours = (response.get("metadata") or {}).get("ask")
        turn = None if ours else self._turns.answered()
        asked = self._gate.pending.number if self._gate.pending else 0
        number = int(ours) if ours else turn.ask if turn else asked
        reply = Reply(response["id"], len(self._replies) + 1, number)
        self._replies[response["id"]] = reply
        if self._gate.began(reply) or self._turns.speaking or (turn and turn.void):
            reply.keep_ms = 0
            self._cancel(reply)
            return []
        return [ReplyBegan(reply.number, number)]

    def _on_item(self, event: dict[str, Any]) -> list[Event]:
        self._replies[event["response_id"]].item = event["item"]["id"]
        return []

    def _on_audio(self, event: dict[str, Any]) -> list[Event]:
        reply = self._replies[event["response_id"]]
        if reply.void:
            return []
        pcm = b64decode(event["delta"])
        reply.received += len(pcm)
        return [ReplyAudio(reply.number, pcm)]

    def _on_words(self, response: str, words: str) -> list[Event]:
        reply = self._replies[response]
        reply.text += words
        return [] if reply.void else [ReplyWords(reply.number, words)]

    def _on_done(self, response: dict[str, Any]) -> list[Event]:
        reply = self._replies[response["id"]]
        reply.done = True
        self._gate.ended(reply)
        self._cut(reply)
        self._open_gate()
        details = response.get("status_details") or {}
        trouble = details.get("error") or {}
        reason = trouble.get("code") or trouble.get("type") or details.get("reason") or ""
        if reason in FATAL_CODES:
            return [Unusable(reason, trouble.get("message") or reason, fatal=True)]
        # A reply may have been complete before our cancel reached the upstream: to us it is cancelled all the same.
        status: Status = "cancelled" if reply.void else response["status"]
        return [ReplyEnded(reply.number, reply.ask, status, reply.text.strip(), reason)]

    def _cancel(self, reply: Reply) -> None:
        """Nobody wants to hear more of it."""
        reply.void = True
        self._say("cancel", {"type": "response.cancel", "response_id": reply.id})

    def _cut(self, reply: Reply) -> None:
        """Truncate or delete what was not heard; over WebSocket the server does not do it by itself."""
        if reply.keep_ms is None or not reply.done or not reply.item:
            return
        if reply.keep_ms <= 0:
            self._say("cut", {"type": "conversation.item.delete", "item_id": reply.item})
        elif reply.keep_ms < reply.received // BYTES_PER_MS:
            cut = {"item_id": reply.item, "content_index": 0, "audio_end_ms": reply.keep_ms}
            self._say("cut", {"type": "conversation.item.truncate", **cut})
        reply.keep_ms = None

    # What the caller said.

    def _on_speech(self, item: str, at_ms: int) -> list[Event]:
        """Somebody begins to speak; the upstream cuts its answer short by itself (interrupt_response).

        A create that is on its way reaches it after that: what becomes of it shows when it is answered.
        """
        if self._gate.active:
            self._gate.active.void = True
        self._gate.overtake()
        self._turns.void()
        ask = self._turns.began(item).ask
        return [] if self._updating else [Speaking(ask, at_ms)]  # it stops listening, and forgets this turn

    def _on_committed(self, item: str) -> list[Event]:
        if not self._turns.known(item) and self._committed:
            _, self._transcribing[item] = self._committed.popleft()
            return []
        ask = self._transcribing[item] = self._turns.committed(item).ask
        if self._gate.active:  # then the upstream does not answer by itself: we ask, when that one is done
            self._turns.answered()
            self._ask(Ask(ask, []))
        return [Committed(ask)]

    def _on_transcript(self, item: str, text: str) -> list[Event]:
        return [Heard(self._transcribing.pop(item), text.strip())]

    def _flush_stream(self) -> None:
        """What was said goes into appends, unless the upstream does not listen yet."""
        if self._updating:
            return
        while self._stream:
            self._out.append(requests.append(self._stream[:JOINED_BYTES]))
            del self._stream[:JOINED_BYTES]

    # What goes wrong.

    def _on_error(self, error: dict[str, Any]) -> list[Event]:
        code = error.get("code") or error.get("type") or "unknown"
        message = error.get("message") or code
        event_id = error.get("event_id") or ""
        about = event_id.partition("-")[0]
        if code in LOST_CODES:
            return [Unusable(code, message, fatal=False)]
        if code in FATAL_CODES or about in ("setup", "seed"):
            return [Unusable(code, message, fatal=True)]
        if about == "create" and self._gate.pending:
            return self._on_create_refused(self._gate.pending, code, message)
        self._committed = deque(commit for commit in self._committed if commit[0] != event_id)
        self.oddities[code] += 1
        return []

    def _on_create_refused(self, ask: Ask, code: str, message: str) -> list[Event]:
        if code == BUSY_CODE:
            self._gate.put_back(ask)
            self.oddities[code] += 1
            return []
        self._gate.pending = None
        self._open_gate()
        return [] if ask.void else [AskFailed(ask.number, code, message)]

    def _say(self, about: str, event: dict[str, Any]) -> str:
        """Queue it for sending, after what was said before; returns its event_id, which errors about it echo."""
        self._flush_stream()
        event_id = f"{about}-{next(self._ids)}"
        self._out.append(orjson.dumps({**event, "event_id": event_id}))
        return event_id


_EXPECTED = frozenset({
    "conversation.created", "conversation.item.added", "conversation.item.done", "conversation.item.deleted",
    "conversation.item.truncated",
    "input_audio_buffer.cleared", "rate_limits.updated", "response.content_part.added",
    "response.content_part.done", "response.output_audio.done", "response.output_audio_transcript.done",
    "response.output_item.done",
})  # fmt: skip
