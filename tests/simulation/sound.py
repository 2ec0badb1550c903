"""Sound that says whose it is: every millisecond of it names its word and its place in that word.

So what was lost, repeated or came from somebody else is known exactly, and it is known wherever the sound was cut.
"""

from dataclasses import dataclass, field

import numpy as np

BYTES_PER_MS = 48
WORD_MS = 200  # what playback reckons for two letters and a space where it knows no better
QUIET, LOUD = 7, 16_000  # of a reply, which nobody listens to; of a caller, whom the detector must hear

_SAMPLES = BYTES_PER_MS // 2


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was spoken once: by the caller of the call `source`, or on the connection `source`.

    Of a reply `answer` is what is being said, `index` the word's place there.
    """

    text: str
    source: int
    voice: str = ""
    answer: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """What was found of a word: from the millisecond `first` to before `end`."""

    word: Word
    first: int
    end: int

    @property
    def whole(self) -> bool:
        return self.first == 0 and self.end == WORD_MS

    @property
    def text(self) -> str:
        """The word, marked when it is not whole."""
        return self.word.text if self.whole else f"{self.word.text}~"


def _template(level: int) -> np.ndarray:
    blocks = np.full((WORD_MS, _SAMPLES), level, "<i2")
    blocks[:, 2] = np.arange(WORD_MS)
    return blocks


_TEMPLATES = {level: _template(level) for level in (QUIET, LOUD)}


@dataclass
class Sounds:
    """All that was ever spoken in a run."""

    words: list[Word] = field(default_factory=lambda: [Word("", 0)])

    def speak(self, word: Word, level: int = QUIET) -> bytes:
        """Its sound, anew each time it is spoken."""
        blocks = _TEMPLATES[level].copy()
        blocks[:, 0], blocks[:, 1] = divmod(len(self.words), 10_000)
        self.words.append(word)
        return blocks.tobytes()

    def read(self, pcm: bytes) -> list[Piece]:
        """The words in it, whole or not; ValueError for sound that nobody made."""
        if len(pcm) % BYTES_PER_MS:
            raise ValueError(f"{len(pcm)} bytes are no whole milliseconds")
        blocks = np.frombuffer(pcm, "<i2").reshape(-1, _SAMPLES)
        blocks = blocks[blocks[:, 3] != 0]
        keys = (blocks[:, 0].astype(np.int64) * 10_000 + blocks[:, 1]) * 256 + blocks[:, 2]
        cuts = np.flatnonzero(np.diff(keys) != 1) + 1
        starts = [0, *cuts.tolist()] if len(keys) else []
        ends = [*cuts.tolist(), len(keys)]
        return [
            Piece(self.words[int(keys[start]) // 256], int(keys[start]) % 256, int(keys[end - 1]) % 256 + 1)
            for start, end in zip(starts, ends, strict=False)
        ]


def silence(milliseconds: int) -> bytes:
    return bytes(milliseconds * BYTES_PER_MS)
