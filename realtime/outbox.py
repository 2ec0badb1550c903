"""What is to be sent, in order: events with ids of our own, and the caller's voice, joined while it waits."""

from itertools import count
from typing import Any

import orjson

from realtime import requests
from realtime.events import BYTES_PER_MS
from realtime.states import States

JOINED_BYTES = 200 * BYTES_PER_MS  # of a stream: what waits is joined, so that load makes appends larger, not later


class Outbox:
    """The voice waits while the states do not admit it: the upstream does not listen yet."""

    def __init__(self, states: States) -> None:
        self._states = states
        self._frames: list[bytes] = []
        self._stream = bytearray()
        self._ids = count(1)

    def say(self, about: str, event: dict[str, Any]) -> str:
        """Queue it, after what was said before; returns its event_id, which errors about it echo."""
        self._flush_stream()
        event_id = f"{about}-{next(self._ids)}"
        self._frames.append(orjson.dumps({**event, "event_id": event_id}))
        return event_id

    def hear(self, pcm: bytes) -> None:
        """Some more of the caller's voice."""
        self._stream += pcm

    def take(self) -> list[bytes]:
        """All that may be sent now."""
        self._flush_stream()
        frames, self._frames = self._frames, []
        return frames

    def _flush_stream(self) -> None:
        while self._stream and self._states.hears:
            self._frames.append(requests.append(self._stream[:JOINED_BYTES]))
            del self._stream[:JOINED_BYTES]
