"""When the audio of an answer may be sent: as fast as it is made, or at a multiple of the speed of speech."""

from collections.abc import Iterator

BYTES_PER_MS = 48
HEAD_MS = 500  # sent at once, so that playback can begin
PIECE_MS = 200  # what is sent together, as the real API does
ALONE = 4.0  # the pace of the real API, about


class Pace:
    """The pace of one answer: `factor` times as fast as speech after the first HEAD_MS, at once if it is 0."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._began: float | None = None
        self._sent_ms = 0.0

    def pieces(self, pcm: bytes) -> Iterator[bytes]:
        """PCM16 mono 24 kHz cut into what is sent together; at least one piece, also of nothing."""
        size = PIECE_MS * BYTES_PER_MS if self._factor else max(len(pcm), 1)
        yield pcm[:size]
        for start in range(size, len(pcm), size):
            yield pcm[start : start + size]

    def wait(self, pcm: bytes, now: float) -> float:
        """The seconds until this piece, the next one, may be sent; `now` is by any clock that runs on."""
        self._began = now if self._began is None else self._began
        ahead_ms = max(0.0, self._sent_ms - HEAD_MS)
        self._sent_ms += len(pcm) / BYTES_PER_MS
        return max(0.0, self._began + ahead_ms / 1000 / self._factor - now) if self._factor else 0.0
