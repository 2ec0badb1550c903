"""How a fake model behaves, and what it has answered."""

from collections import Counter, deque
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple


class Answered(NamedTuple):
    """A reply: to which caller, when (µs), from which word on, why, and the last items of the conversation."""

    who: int
    at: int
    turn: int
    first: int
    why: str
    history: list[tuple[str, str]]


@dataclass
class Manner:
    """The behaviour of the model, and what it has received and answered; shared by all its sessions.

    `words` of a reply, `gap` seconds between them, `thinking` seconds before them; `opening` seconds of a handshake,
    `writing` most seconds until a transcript; `notice` and `pause` frames until speech, or its end, is detected.
    """

    words: int = 20
    gap: float = 0.0
    opening: float = 0.0
    answering: bool = True
    thinking: float = 0.0
    writing: float = 0.0
    notice: int = 1
    pause: int = 1
    life: float = inf
    """Seconds after which a session expires."""
    lengths: dict[int, int] = field(default_factory=dict)
    """By caller: words of a reply, instead of `words`."""
    sentence: int = 0
    """Words of a sentence. The last of them is quiet behind its mark and has a full stop, the others are loud."""
    stalls: dict[int, tuple[int, float]] = field(default_factory=dict)
    """By caller: at which word of their next answer it falls silent, once, and for how many seconds."""
    speech: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By caller and turn: frames of speech received in committed turns."""
    answers: deque[Answered] = field(default_factory=lambda: deque(maxlen=2000))
