"""Where a turn begins and where it ends: pure, and counted in frames of audio, never by the clock."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

FRAME_MS: Final = 32  # what a detector judges at once
HYSTERESIS: Final = 0.15  # speech ends only clearly below the threshold that began it
LOWEST: Final = 0.01  # where a low threshold leaves no room for that


@dataclass(frozen=True, slots=True)
class Rules:
    """Server VAD as a session sets it; the defaults are those of the live API."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 200
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: int | None = None


class Edge(Enum):
    """What a frame may turn out to be: the first of a turn, or the last."""

    FIRST = "first"
    LAST = "last"


class Endpointing:
    """Follows one stream, frame by frame; `speaking` while a turn is open."""

    def __init__(self) -> None:
        self.speaking = False
        self._silent_ms = 0

    def step(self, probability: float, rules: Rules) -> Edge | None:
        """Judge the next frame by how likely there is speech in it."""
        if not self.speaking:
            self.speaking, self._silent_ms = probability > rules.threshold, 0
            return Edge.FIRST if self.speaking else None
        is_silent = probability < max(rules.threshold - HYSTERESIS, LOWEST)
        self._silent_ms = self._silent_ms + FRAME_MS if is_silent else 0
        self.speaking = not is_silent or self._silent_ms < rules.silence_duration_ms
        return None if self.speaking else Edge.LAST
