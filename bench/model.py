"""A fake model: one session of the Realtime API, with its events in the order of the real one."""

import asyncio
import itertools
import random
import time
from base64 import b64encode
from math import inf
from typing import Any, Protocol

import orjson

from bench import frames
from bench.manner import Answered, Manner
from bench.marks import CODED_MARK, GREETING_WORDS, LOUD, REST, VOICES, Mark, in_sentence, now, texts, word
from realtime.contract import SAY_EXACTLY

GO_ON = "Go on from exactly where it stopped"
PADDING = 300  # ms before the speech that are part of its turn
NUMBER, DELTA = b"event_%08d", b'","delta":"'
USAGE = {"total_tokens": 9, "input_tokens": 4, "output_tokens": 5}
SPEECH, REPLY = "item_u", "item_a"


class Peer(Protocol):
    """The connection of a session: its caller, and the transport to write to."""

    who: int
    transport: asyncio.Transport


class Model:
    """One session: receives marks and events, answers turns, and stores the conversation."""

    def __init__(self, manner: Manner, line: Peer) -> None:
        self._manner, self._line = manner, line
        self._session: dict[str, Any] = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}
        self._history: list[tuple[str, str]] = []
        self._ids = itertools.count(1)
        self._speaking = False
        self._turn = self._frames = self._quiet = self._from = self._ms = 0
        self._item = ""
        self._writing: set[asyncio.TimerHandle] = set()
        self._response: dict[str, Any] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def history(self) -> list[tuple[str, str]]:
        """All items of the conversation: who said them, and what."""
        return self._history

    def begin(self) -> None:
        """Begin the session, once the connection is open."""
        if self._manner.life < inf:
            self._session["expires_at"] = int(time.time() + self._manner.life)
        self._say({"type": "session.created", "session": self._session})

    def expire(self) -> None:
        """Send the error of a session that has reached its maximum age."""
        self._say({"type": "error", "error": {"type": "invalid_request_error", "code": "session_expired"}})

    def end(self) -> None:
        """End the session: cancels its timers."""
        for timer in (self._timer, *self._writing):
            if timer:
                timer.cancel()

    # The caller's audio.

    def hear(self, mark: Mark) -> None:
        """Receive 20 ms of the microphone."""
        self._ms += 20
        if mark.speaking:
            if not self._frames:
                self._turn, self._from = mark.turn, max(self._from, self._ms - 20 - PADDING)
            self._frames, self._quiet = self._frames + 1, 0
            if not self._speaking and self._frames >= self._manner.notice:
                self._begin_speech()
        elif self._frames:
            self._quiet += 1
            if self._quiet >= self._manner.pause:
                if self._speaking:
                    self._end_speech(mark.who)
                self._frames, self._from = 0, self._ms

    def _begin_speech(self) -> None:
        self._speaking = True
        self._item = f"{SPEECH}{next(self._ids)}"
        self._say({"type": "input_audio_buffer.speech_started", "audio_start_ms": self._from, "item_id": self._item})
        if self._response:
            self._finish("cancelled", "turn_detected")

    def _end_speech(self, who: int) -> None:
        self._speaking = False
        key = (who, self._turn)
        self._manner.speech[key] = max(self._manner.speech[key], self._frames)
        item = {"id": self._item, "type": "message", "role": "user", "status": "completed"}
        item["content"] = [{"type": "input_audio", "transcript": None}]  # type: ignore[assignment]
        self._say({"type": "input_audio_buffer.speech_stopped", "audio_end_ms": self._ms, "item_id": self._item})
        self._say({"type": "input_audio_buffer.committed", "item_id": self._item, "previous_item_id": None})
        self._say({"type": "conversation.item.added", "item": item})
        self._say({"type": "conversation.item.done", "item": item})
        heard = f"turn {self._turn}"
        self._history.append(("user", heard))
        usage = {"type": "duration", "seconds": self._frames / 50}
        about = {"item_id": self._item, "content_index": 0, "transcript": heard, "usage": usage}
        self._write_down({"type": "conversation.item.input_audio_transcription.completed", **about})
        if self._manner.answering:
            self._respond(self._turn, 0, self._manner.words, {})

    def _write_down(self, transcript: dict[str, Any]) -> None:
        if seconds := self._manner.writing:
            self._writing.add(asyncio.get_running_loop().call_later(random.random() * seconds, self._say, transcript))
        else:
            self._say(transcript)

    # The server's events.

    def receive(self, payload: bytes) -> None:
        """Receive any event but audio."""
        event = orjson.loads(payload)
        match event["type"]:
            case "session.update":
                _merge(self._session, event["session"])
                self._say({"type": "session.updated", "session": self._session})
            case "response.create":
                self._create(event)
            case "input_audio_buffer.commit":
                self._take_clip()
            case "response.cancel":
                if self._response:
                    self._finish("cancelled", "client_cancelled")
            case "conversation.item.create":
                item = {**event["item"], "id": event["item"].get("id") or f"item_s{next(self._ids)}"}
                self._history.append((item["role"], " ".join(part.get("text", "") for part in item["content"])))
                self._say({"type": "conversation.item.added", "item": item})
                self._say({"type": "conversation.item.done", "item": item})
            case "conversation.item.truncate":
                del event["type"]
                self._say({"type": "conversation.item.truncated", **event})
            case "conversation.item.delete":
                self._say({"type": "conversation.item.deleted", "item_id": event["item_id"]})

    def _take_clip(self) -> None:
        """Commit a clip as one turn. It has no marks, so its content is unknown."""
        self._item = f"{SPEECH}{next(self._ids)}"
        self._turn += 1
        item = {"id": self._item, "type": "message", "role": "user", "status": "completed"}
        heard = f"turn {self._turn}"
        self._history.append(("user", heard))
        self._say({"type": "input_audio_buffer.committed", "item_id": self._item, "previous_item_id": None})
        self._say({"type": "conversation.item.added", "item": item})
        self._say({"type": "conversation.item.done", "item": item})
        about = {"item_id": self._item, "content_index": 0, "transcript": heard}
        self._write_down({"type": "conversation.item.input_audio_transcription.completed", **about})

    def _create(self, event: dict[str, Any]) -> None:
        asked = event.get("response") or {}
        if self._response:
            error = {"type": "invalid_request_error", "code": "conversation_already_has_active_response"}
            self._say({"type": "error", "error": {**error, "message": "busy", "event_id": event.get("event_id")}})
            return
        instructions = asked.get("instructions") or ""
        metadata = asked.get("metadata") or {}
        said = self._last_said()
        length = self._manner.lengths.get(self._line.who, self._manner.words)
        if GO_ON in instructions and said:
            turn, position = said
            self._respond(turn, position + 1, length, metadata, "told to go on")
        elif SAY_EXACTLY in instructions:
            words = texts(instructions.partition(SAY_EXACTLY)[2]) or [(0, 0), (0, GREETING_WORDS - 1)]
            self._respond(0, words[0][1], words[-1][1] + 1, metadata, "told to greet")
        else:
            self._respond(self._last_asked(), 0, length, metadata, "told to answer")

    def _last_said(self) -> tuple[int, int] | None:
        found = [texts(words) for role, words in self._history if role == "assistant"]
        return found[-1][-1] if found and found[-1] else None

    def _last_asked(self) -> int:
        asked = [said.split()[-1] for role, said in self._history if role == "user" and said.startswith("turn ")]
        turns = [int(number) for number in asked]
        return turns[-1] if turns else 0

    # The model's replies.

    def _respond(self, turn: int, first: int, last: int, metadata: dict[str, str], why: str = "heard") -> None:
        if self._response:
            self._finish("cancelled", "turn_detected")
        self._manner.answers.append(Answered(self._line.who, now(), turn, first, why, self._history[-2:]))
        number = next(self._ids)
        response: dict[str, Any] = {"id": f"resp_{number:08}", "status": "in_progress", "output": []}
        self._response, response["metadata"] = response, metadata or None
        item = {"id": f"{REPLY}{number:08}", "type": "message", "role": "assistant", "content": []}
        about = {"response_id": response["id"], "output_index": 0}
        part = {"type": "audio", "transcript": ""}
        self._about = {**about, "item_id": item["id"], "content_index": 0}
        self._say({"type": "response.created", "response": response})
        self._say({"type": "response.output_item.added", **about, "item": item})
        self._say({"type": "conversation.item.added", "item": {**item, "status": "in_progress"}})
        self._say({"type": "response.content_part.added", **self._about, "part": part})
        prefix = orjson.dumps({"type": "response.output_audio.delta", **self._about})[:-1] + b',"event_id":"'
        length = len(prefix) + len(NUMBER % 0) + len(DELTA) + CODED_MARK + len(REST) + 2
        self._prefix = frames.header(frames.TEXT, length) + prefix
        self._history.append(("assistant", ""))
        if self._manner.thinking:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._manner.thinking, self._words, turn, first, last)
        else:
            self._words(turn, first, last)

    def _words(self, turn: int, position: int, last: int) -> None:
        voice = VOICES.index(self._session["audio"]["output"]["voice"])
        burst = []
        while position < last:
            written, goes_on = in_sentence(turn, position, self._manner.sentence)
            event = {"type": "response.output_audio_transcript.delta", **self._about, "delta": written}
            event["event_id"] = f"event_{next(self._ids)}"
            burst.append(frames.frame(frames.TEXT, orjson.dumps(event)))
            burst += (
                self._prefix,
                NUMBER % next(self._ids),
                DELTA,
                b64encode(word(self._line.who, voice, turn, position)),
                LOUD if goes_on else REST,
                b'"}',
            )
            self._history[-1] = ("assistant", self._history[-1][1] + written)
            position += 1
            if self._manner.gap and position < last:
                if (pause := self._pause(position)) < inf:
                    loop = asyncio.get_running_loop()
                    self._timer = loop.call_later(pause, self._words, turn, position, last)
                break
        else:
            self._line.transport.write(b"".join(burst))
            self._finish("completed")
            return
        self._line.transport.write(b"".join(burst))

    def _pause(self, position: int) -> float:
        """Seconds until the word at this position; inf if the answer stalls there for good."""
        if self._manner.stalls.get(self._line.who, (0, 0.0))[0] != position:
            return self._manner.gap
        return self._manner.stalls.pop(self._line.who)[1]

    def _finish(self, status: str, reason: str = "") -> None:
        assert self._response
        about, words = self._about, self._history[-1][1]
        if self._timer:
            self._timer.cancel()
        item = {"id": about["item_id"], "type": "message", "role": "assistant", "status": "completed"}
        item["content"] = [{"type": "output_audio", "transcript": words}]
        self._say({"type": "response.output_audio.done", **about})
        self._say({"type": "response.output_audio_transcript.done", **about, "transcript": words})
        self._say({"type": "conversation.item.done", "item": item})
        done = {"response_id": about["response_id"], "output_index": 0, "item": item}
        self._say({"type": "response.output_item.done", **done})
        details = {"type": status, "reason": reason} if reason else None
        response = {**self._response, "status": status, "status_details": details, "usage": USAGE}
        self._say({"type": "response.done", "response": response})
        self._response = None

    def _say(self, event: dict[str, Any]) -> None:
        event["event_id"] = f"event_{next(self._ids)}"
        self._line.transport.write(frames.frame(frames.TEXT, orjson.dumps(event)))


def _merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
