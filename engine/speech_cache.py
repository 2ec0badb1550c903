"""What was said before need not be made again: greetings, and the phrases of the engine's own mind."""

from collections import OrderedDict
from collections.abc import Sequence


class Phrases:
    """The sound of sentences by voice and words, `most` bytes of it; who was asked for longest ago goes first."""

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._held = 0
        self._sounds: OrderedDict[tuple[str, str], tuple[bytes, ...]] = OrderedDict()

    def recall(self, voice: str, words: str) -> tuple[bytes, ...] | None:
        """Its chunks, if they are known."""
        if (known := self._sounds.get((voice, words))) is not None:
            self._sounds.move_to_end((voice, words))
        return known

    def keep(self, voice: str, words: str, chunks: Sequence[bytes]) -> None:
        """All the chunks of a sentence; one that is larger than all that may be held is not kept."""
        size = sum(map(len, chunks))
        if size > self._most or (voice, words) in self._sounds:
            return
        self._sounds[voice, words] = tuple(chunks)
        self._held += size
        while self._held > self._most:
            _, oldest = self._sounds.popitem(last=False)
            self._held -= sum(map(len, oldest))
