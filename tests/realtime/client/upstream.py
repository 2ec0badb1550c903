"""Our protocol in a session that listens, and the server's side of it as the test says it."""

from collections.abc import Iterable
from typing import Any

import orjson

from realtime.client.protocol import Protocol
from upstream.commands import ConfigureSession
from upstream.facts import Event, Setup, Turn
from upstream.models import Capabilities

TINA = Setup("You are Tina.", "marin", "hi", listens=True)


class Upstream:
    """Says what a test says; `sent` are the events that we sent since the last look."""

    def __init__(
        self, can: Capabilities | None = None, history: Iterable[Turn] = (Turn("user", "Hello."),), ready: bool = True
    ) -> None:
        self.ours = Protocol(can)
        self.ours.send(ConfigureSession(TINA, tuple(history)))
        self.say("session.created", session={})
        (self.update,) = self.sent()
        if ready:
            self.say("session.updated", session=self.update["session"])
            self.sent()

    def say(self, kind: str, **fields: Any) -> list[Event]:
        return self.ours.receive(orjson.dumps({"type": kind, **fields}))

    def sent(self) -> list[dict[str, Any]]:
        return [orjson.loads(frame) for frame in self.ours.to_send()]

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.sent()]

    def speech(self, item: str) -> list[Event]:
        return self.say("input_audio_buffer.speech_started", item_id=item, audio_start_ms=0)

    def commit(self, item: str) -> list[Event]:
        return self.say("input_audio_buffer.committed", item_id=item)

    def created(self, response: str, ask: int | None = None) -> list[Event]:
        return self.say("response.created", response={"id": response, "metadata": ask and {"ask": str(ask)}})

    def audio(self, response: str, pcm: str = "AAAA") -> list[Event]:
        return self.say("response.output_audio.delta", response_id=response, delta=pcm)

    def done(self, response: str, status: str = "completed", **more: Any) -> list[Event]:
        return self.say("response.done", response={"id": response, "status": status, **more})

    def failed(self, response: str, code: str, message: str = "") -> list[Event]:
        return self.done(response, "failed", status_details={"error": {"code": code, "message": message}})
