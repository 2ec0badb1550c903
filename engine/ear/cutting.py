"""Cuts long audio into pieces that the ear can hear at once, where it is quietest, so that no word is cut."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LONGEST: Final = 28  # seconds of a piece: Whisper's 30 minus some silence
_EARLIEST: Final = 18  # seconds; longer audio is cut at the quietest 200 ms between this and LONGEST
_RATE: Final = 24_000


def first_cut(samples: NDArray[np.float32], rate: int) -> int:
    """The length of the first piece, in samples: all of them if they are not too long."""
    if len(samples) <= LONGEST * rate:
        return len(samples)
    block = rate // 5
    span = samples[_EARLIEST * rate : LONGEST * rate].reshape(-1, block)
    return _EARLIEST * rate + int((span**2).mean(axis=1).argmin()) * block + block // 2


def first_piece(pcm: bytes) -> int:
    """The length of the first piece of PCM16 mono 24 kHz, in bytes."""
    if len(pcm) <= LONGEST * _RATE * 2:
        return len(pcm)
    head = np.frombuffer(pcm[: 2 * (LONGEST * _RATE + 1)], "<i2").astype(np.float32)
    return 2 * first_cut(head, _RATE)
