"""The input audio buffer: what has been appended and not yet committed."""

import binascii
from base64 import b64decode

from realtime.local.conversation import PCM_BYTES_PER_MS
from realtime.local.shape import Rejected

SHORTEST_COMMIT_MS = 100
LONGEST_MS = 600_000  # ours: the real API names no bound, and memory has one


class Microphone:
    """PCM16 little-endian, mono, 24 kHz, as it came."""

    def __init__(self) -> None:
        self._pcm = bytearray()

    def append(self, audio: str) -> None:
        """Add base64 of PCM16; appends may cut a sample in two."""
        try:
            pcm = b64decode(audio, validate=True)
        except (binascii.Error, ValueError):
            raise Rejected("invalid_value", "Invalid 'audio': expected base64 of PCM16.", "audio") from None
        if len(self._pcm) + len(pcm) > LONGEST_MS * PCM_BYTES_PER_MS:
            message = "The input buffer holds 10 minutes at most: commit or clear it first."
            raise Rejected("invalid_value", message, "audio")
        self._pcm += pcm

    def take(self) -> bytes:
        """Everything appended, whole samples, leaving nothing; Rejected when that is under 100 ms."""
        milliseconds = len(self._pcm) / PCM_BYTES_PER_MS
        if milliseconds < SHORTEST_COMMIT_MS:
            raise Rejected(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{SHORTEST_COMMIT_MS}ms of audio, but buffer only has {milliseconds:.2f}ms of audio.",
            )
        pcm = bytes(self._pcm[: len(self._pcm) // 2 * 2])
        self.clear()
        return pcm

    def clear(self) -> None:
        self._pcm.clear()
