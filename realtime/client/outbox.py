"""What is to be sent, in order: events with ids of our own, and the audio of the stream, joined while it waits."""

import sys
from itertools import count

from realtime.client import requests
from realtime.client.requests import ClientEvent
from realtime.client.states import States
from upstream.facts import BYTES_PER_MS, FRAMES_AT_ONCE

JOINED_BYTES = 200 * BYTES_PER_MS  # of a stream in one append: load makes appends larger, not later


class Outbox:
    """Audio waits while the states do not admit it, because the upstream does not find turns yet; events do not."""

    def __init__(self, states: States) -> None:
        self._states = states
        self._frames: list[bytes | ClientEvent] = []
        self._stream = bytearray()
        self._ids = count(1)

    def queue(self, about: str, event: ClientEvent) -> str:
        """Queue an event behind all that is queued. Returns its event_id, which begins with `about`: errors echo it."""
        self._flush_stream()
        event_id = f"{about}-{next(self._ids)}"
        self._frames.append({**event, "event_id": event_id})
        return event_id

    def append(self, pcm: bytes) -> None:
        """Add to the audio of the stream: PCM16 24 kHz mono."""
        self._stream += pcm

    def take(self) -> list[bytes]:
        """The frames to write now, FRAMES_AT_ONCE at most; if so many come there may be more. Others stay unencoded."""
        if not self._frames and 0 < len(self._stream) <= JOINED_BYTES and self._states.hears:  # 50 times a second
            append = requests.append(self._stream)
            self._stream.clear()
            return [append]
        self._flush_stream(FRAMES_AT_ONCE - len(self._frames))
        frames = self._frames[:FRAMES_AT_ONCE]
        del self._frames[:FRAMES_AT_ONCE]
        return [frame if isinstance(frame, bytes) else requests.written(frame) for frame in frames]

    def _flush_stream(self, most: int = sys.maxsize) -> None:
        while self._stream and most > 0 and self._states.hears:
            most -= 1
            self._frames.append(requests.append(self._stream[:JOINED_BYTES]))
            del self._stream[:JOINED_BYTES]
