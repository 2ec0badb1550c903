"""Caches synthesised sentences: greetings, and the phrases of the engine's own mind, come again and again."""

from collections import OrderedDict
from collections.abc import Sequence


class SpeechCache:
    """The audio of sentences by voice and words, at most `limit` bytes; the least recently used is removed first."""

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._size = 0
        self._sounds: OrderedDict[tuple[str, str], tuple[bytes, ...]] = OrderedDict()

    def get(self, voice: str, words: str) -> tuple[bytes, ...] | None:
        """The chunks of a sentence, or None if it is not cached."""
        if (chunks := self._sounds.get((voice, words))) is not None:
            self._sounds.move_to_end((voice, words))
        return chunks

    def put(self, voice: str, words: str, chunks: Sequence[bytes]) -> None:
        """Store all chunks of a sentence, unless they are larger than the limit."""
        size = sum(map(len, chunks))
        if size > self._limit or (voice, words) in self._sounds:
            return
        self._sounds[voice, words] = tuple(chunks)
        self._size += size
        while self._size > self._limit:
            _, oldest = self._sounds.popitem(last=False)
            self._size -= sum(map(len, oldest))
