"""What all sessions share: the voice, the ear, the mind, and the threads in which they work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from engine.ear.cutting import first_piece
from engine.ear.vad import Silero
from engine.phrases import Phrases
from engine.worker import Workers
from realtime.server.hearing import Detector
from upstream.facts import Turn

SHORTEST_SPEECH = 0.15  # seconds: less is a click or a breath, and the ear would make up words for it


class Voice(Protocol):
    def say(self, text: str, voice: str) -> Iterator[bytes]:
        """PCM16 little-endian, mono, 24 kHz, one chunk per sentence as it is made."""


class Ear(Protocol):
    def hear(self, pcm: bytes, language: str | None) -> str:
        """The words in PCM16 24 kHz mono, "" when nothing intelligible was said."""


class Mind(Protocol):
    async def answer(self, instructions: str, turns: tuple[Turn, ...]) -> str:
        """What to say to the turns, as a persona of these instructions would."""


@dataclass(frozen=True)
class Parts:
    """The voice and the ear work in `workers`, several sessions' at a time where there are several threads.

    `spoken` gives the seconds of speech in a clip, and may stop counting at SHORTEST_SPEECH; it runs with the ear.
    `detector` makes what finds the turns in one session's audio; it runs on the loop, a little at a time. `phrases`
    is what the voice need not make again.
    """

    voice: Voice
    ear: Ear
    spoken: Callable[[bytes], float]
    mind: Mind
    detector: Callable[[], Detector] = Silero
    workers: Workers = field(default_factory=lambda: Workers(2))
    phrases: Phrases = field(default_factory=Phrases)

    @property
    def queued(self) -> int:
        """Jobs that wait or run for any session."""
        return self.workers.queued

    def close(self) -> None:
        self.workers.close()

    def listen(self, pcm: bytes, language: str | None) -> tuple[str, bytes]:
        """The words of as much as is heard at once, "" without speech, and the audio after it; blocks."""
        at = first_piece(pcm)
        piece, rest = pcm[:at], pcm[at:]
        return self.ear.hear(piece, language) if self.spoken(piece) >= SHORTEST_SPEECH else "", rest
