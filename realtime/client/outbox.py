"""What is to be sent, in order: events with ids of our own, and the caller's voice, joined while it waits."""

import sys
from itertools import count

from realtime.client import requests
from realtime.client.requests import ClientEvent
from realtime.client.states import States
from upstream.facts import BYTES_PER_MS, FRAMES_AT_ONCE

JOINED_BYTES = 200 * BYTES_PER_MS  # of a stream: what waits is joined, so that load makes appends larger, not later


class Outbox:
    """The voice waits while the states do not admit it: the upstream does not listen yet."""

    def __init__(self, states: States) -> None:
        self._states = states
        self._frames: list[bytes | ClientEvent] = []
        self._stream = bytearray()
        self._ids = count(1)

    def say(self, about: str, event: ClientEvent) -> str:
        """Queue it, after what was said before; returns its event_id, which errors about it echo."""
        self._flush_stream()
        event_id = f"{about}-{next(self._ids)}"
        self._frames.append({**event, "event_id": event_id})
        return event_id

    def hear(self, pcm: bytes) -> None:
        """Some more of the caller's voice."""
        self._stream += pcm

    def take(self) -> list[bytes]:
        """What may be sent now, FRAMES_AT_ONCE at most; if so many come, there may be more. Only those are written."""
        self._flush_stream(FRAMES_AT_ONCE - len(self._frames))
        frames = self._frames[:FRAMES_AT_ONCE]
        del self._frames[:FRAMES_AT_ONCE]
        return [frame if isinstance(frame, bytes) else requests.written(frame) for frame in frames]

    def _flush_stream(self, most: int = sys.maxsize) -> None:
        while self._stream and most > 0 and self._states.hears:
            most -= 1
            self._frames.append(requests.append(self._stream[:JOINED_BYTES]))
            del self._stream[:JOINED_BYTES]
