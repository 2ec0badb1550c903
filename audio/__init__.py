"""Recorded clips to PCM (24 kHz, 16 bit, mono), in worker processes."""

from audio.codec import MAX_CLIP_BYTES, RATE, seconds, wav, wav_head
from audio.envelope import Packed
from audio.pool import Decoded, Decoding, Listener, Pool, Undecoded

__all__ = [
    "MAX_CLIP_BYTES", "RATE", "Decoded", "Decoding", "Listener", "Packed", "Pool", "Undecoded", "seconds", "wav",
    "wav_head",
]  # fmt: skip
