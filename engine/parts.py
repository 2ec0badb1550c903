"""The parts that all calls share: the voice, the ear, the mind, and the threads in which they work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from engine.ear.cutting import first_piece
from engine.ear.vad import Silero
from engine.speech_cache import SpeechCache
from engine.worker import Workers
from realtime.server.hearing import Detector
from realtime.server.tools import Called, Toolbox
from upstream.facts import Turn

SHORTEST_SPEECH = 0.15  # seconds: less is a click or a breath, for which the ear would invent words


class Voice(Protocol):
    def say(self, text: str, voice: str) -> Iterator[bytes]:
        """Synthesise: PCM16 little-endian, mono, 24 kHz, chunk by chunk."""


class Ear(Protocol):
    def hear(self, pcm: bytes, language: str | None) -> str:
        """Transcribe PCM16 24 kHz mono; "" if it has no intelligible speech. A `Transcript` says how sure it is."""


class Mind(Protocol):
    async def answer(self, instructions: str, turns: tuple[Turn, ...]) -> str:
        """The reply to the turns, as the persona of these instructions."""


@runtime_checkable
class Skilled(Protocol):
    """A mind that can call functions; any other answers in words, whatever it is offered."""

    async def act(self, instructions: str, turns: tuple[Turn, ...], tools: Toolbox) -> str | tuple[Called, ...]:
        """The functions to call, or the reply."""


@dataclass(frozen=True)
class Parts:
    """The voice and the ear run in the threads of `workers`, the mind on the event loop.

    `speech_seconds` measures the speech in a clip, and may stop counting at SHORTEST_SPEECH; it runs with the ear.
    `detector` makes the voice activity detector of one session; it runs on the event loop, on short pieces.
    """

    voice: Voice
    ear: Ear
    speech_seconds: Callable[[bytes], float]
    mind: Mind
    detector: Callable[[], Detector] = Silero
    workers: Workers = field(default_factory=lambda: Workers(2))
    speech_cache: SpeechCache = field(default_factory=SpeechCache)

    @property
    def queued(self) -> int:
        """Jobs that wait or run for any session."""
        return self.workers.queued

    def close(self) -> None:
        """Let the threads end. Returns at once."""
        self.workers.close()

    def listen(self, pcm: bytes, language: str | None) -> tuple[str, bytes]:
        """Transcribe the first piece of some PCM. Returns its words ("" without speech) and the rest. Blocks."""
        at = first_piece(pcm)
        piece, rest = pcm[:at], pcm[at:]
        return self.ear.hear(piece, language) if self.speech_seconds(piece) >= SHORTEST_SPEECH else "", rest
