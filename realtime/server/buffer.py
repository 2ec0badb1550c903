"""The input audio buffer: what has been appended and not yet committed."""

from realtime.server.conversation import PCM_BYTES_PER_MS
from realtime.server.shape import Rejected

SHORTEST_COMMIT_MS = 100
LONGEST_MS = 600_000  # ours: the real API names no bound, and memory has one


class InputBuffer:
    """PCM16 little-endian, mono, 24 kHz, as it came; `start` is where it begins among all bytes ever appended."""

    def __init__(self) -> None:
        self.start = 0
        self._pcm = bytearray()

    @property
    def end(self) -> int:
        """How many bytes were ever appended."""
        return self.start + len(self._pcm)

    def check_room(self, size: int) -> None:
        """Raise Rejected when `size` more bytes are too many."""
        if len(self._pcm) + size > LONGEST_MS * PCM_BYTES_PER_MS:
            message = "The input buffer holds 10 minutes at most: commit or clear it first."
            raise Rejected("invalid_value", message, "audio")

    def append(self, pcm: bytes) -> None:
        """Add some bytes; appends may cut a sample in two."""
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
        pcm = self.cut(self.end)
        self.clear()
        return pcm

    def cut(self, position: int) -> bytes:
        """Take what came before a position, in whole samples; the rest stays. Nothing when it begins later."""
        size = max(0, position - self.start) // 2 * 2
        pcm = bytes(self._pcm[:size])
        del self._pcm[:size]
        self.start += len(pcm)
        return pcm

    def clear(self) -> None:
        self.start = self.end
        self._pcm.clear()
