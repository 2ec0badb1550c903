"""Recorded clips to PCM (24 kHz, 16 bit, mono), in worker processes."""

from audio.clip_frame import Packed
from audio.codec import MAX_CLIP_BYTES, RATE, seconds, wav, wav_head
from audio.fair_queue import Sender
from audio.pool import Decoded, Decoding, Listener, Pool, Undecoded

__all__ = [
    "MAX_CLIP_BYTES", "RATE", "Decoded", "Decoding", "Listener", "Packed", "Pool", "Sender", "Undecoded", "seconds",
    "wav", "wav_head",
]  # fmt: skip
