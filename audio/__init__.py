"""Recorded clips to PCM (24 kHz, 16 bit, mono), in worker processes."""

from audio.clip_frame import Packed
from audio.codec import MAX_CLIP_BYTES, RATE, SYNTHETIC, seconds, wav, wav_head
from audio.fair_queue import Sender
from audio.heads import file_at_start, piece_at_start, unwrapped
from audio.pool import Decoded, Decoding, Listener, Pool, Undecoded
from audio.sniff import is_like_pcm, like_text

__all__ = [
    "MAX_CLIP_BYTES", "RATE", "SYNTHETIC", "Decoded", "Decoding", "Listener", "Packed", "Pool", "Sender", "Undecoded",
    "file_at_start", "is_like_pcm", "like_text", "piece_at_start", "seconds", "unwrapped", "wav", "wav_head",
]  # fmt: skip
