"""The engine's parts, light: a voice of tones, ears that hear by the clock or by a script, a mind that repeats."""

import math
import struct
import threading
from collections.abc import Iterator
from functools import cache

from engine.mind.replies import rest_after
from realtime.contract import GO_ON, SAY_EXACTLY
from tests.kit.story import WITHIN
from upstream.facts import Turn

RATE = 24_000
PITCHES = {"marin": 200, "cedar": 300, "shimmer": 400, "echo": 500}  # Hz


@cache
def tone(seconds: float, hertz: float = 440) -> bytes:
    """A sine as PCM16 24 kHz mono."""
    turn = 2 * math.pi * hertz / RATE
    samples = int(seconds * RATE)
    return struct.pack(f"<{samples}h", *(int(9000 * math.sin(turn * n)) for n in range(samples)))


SECOND = tone(1.0)


def loud(pcm: bytes) -> float:
    """As long as the clip, unless it is silent."""
    return len(pcm) / 2 / RATE if any(pcm) else 0.0


class Tones:
    """Says everything as tones by which voices can be told apart, and notes what it was asked for.

    A sentence is one tone of so many `seconds`, or one for every so many `letters`. While `free` is not set it stands
    still. `hold(n)` lets it say n sentences more, then stops it, `held` is set when it does, and then it may be let go.
    """

    def __init__(self, seconds: float = 1.0, letters: int | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.free, self.held = threading.Event(), threading.Event()
        self.free.set()
        self._seconds, self._letters, self._left = seconds, letters, math.inf

    def hold(self, sentences: int) -> None:
        self._left = sentences

    def let_go(self) -> None:
        self._left = math.inf
        self.free.set()

    def say(self, text: str, voice: str) -> Iterator[bytes]:
        self.asked.append((text, voice))
        if self._left == 0:
            self.free.clear()
            self.held.set()
        self._left -= 1
        for _ in range(0, len(text), self._letters or len(text)):
            stand(self.free)
            yield tone(self._seconds, PITCHES.get(voice, 440))


class Measure:
    """An ear that writes down how long a clip is, so that clips can be told apart; it waits until `free` is set."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()

    def hear(self, pcm: bytes, language: str | None) -> str:
        stand(self.free)
        return f"{len(pcm) / 48_000:.1f} seconds in {language}"


class ScriptedEar:
    """Hears the next line of its script, whatever is said; raises what is no line."""

    def __init__(self, *script: str | Exception) -> None:
        self.script = list(script)
        self.hints: list[str | None] = []
        self.lengths: list[int] = []

    def hear(self, pcm: bytes, language: str | None) -> str:
        self.hints.append(language)
        self.lengths.append(len(pcm))
        line = self.script.pop(0)
        if isinstance(line, Exception):
            raise line
        return line


class Echo:
    """A mind that says what it was told to say, else its `script`, else what it remembers of the caller."""

    script = ""

    async def answer(self, instructions: str, turns: tuple[Turn, ...]) -> str:
        if exact := instructions.partition(SAY_EXACTLY)[2].strip():
            return exact
        if self.script:
            heard = turns[-1].text if GO_ON in instructions and turns[-1].role == "assistant" else ""
            return rest_after(heard, self.script) or self.script
        return "You said " + ", then ".join(turn.text for turn in turns if turn.role == "user") + "."


def stand(free: threading.Event) -> None:
    """Stand still until this is set."""
    if not free.wait(WITHIN):
        raise TimeoutError("a test left a part of the engine standing still")
