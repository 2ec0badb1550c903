"""Recorded clips to PCM (24 kHz, 16 bit, mono), in worker processes."""

from audio.clip_frame import Packed
from audio.codec import MAX_CLIP_BYTES, RATE, seconds, wav, wav_head
from audio.pool import Decoded, Decoding, Listener, Pool, Undecoded
from audio.turns import By

__all__ = [
    "MAX_CLIP_BYTES", "RATE", "By", "Decoded", "Decoding", "Listener", "Packed", "Pool", "Undecoded", "seconds", "wav",
    "wav_head",
]  # fmt: skip
