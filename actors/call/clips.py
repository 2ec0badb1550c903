"""One caller's clips on their way through the decoders."""

from collections import deque

from actors.runtime import Ref
from audio import Decoded, Decoding, Packed, Pool, Sender, Undecoded


class Clips:
    """One at a time, in the order in which they came, so that nobody takes the decoders from the others.

    `by` is who they are, the widest first: what their clips cost decides when their next is decoded.
    """

    def __init__(self, pool: Pool, to: Ref[Decoded | Undecoded], by: Sender = ()) -> None:
        self._pool, self._to, self._by = pool, to, by
        self._waiting: deque[tuple[int, bytes | Packed]] = deque()
        self._in_hand: tuple[int, Decoding] | None = None

    def add(self, number: int, clip: bytes | Packed) -> None:
        """Decode it when those before it are done; what becomes of it is told by its number."""
        self._waiting.append((number, clip))
        self._next()

    def finished(self, number: int) -> bool:
        """What became of this one was told; False where it was dropped while that was on its way."""
        if not self._in_hand or self._in_hand[0] != number:
            return False
        self._in_hand = None
        self._next()
        return True

    def drop(self, *numbers: int) -> None:
        """Nobody wants these any more: nothing will be told of them, and no decoder begins one."""
        self._waiting = deque(clip for clip in self._waiting if clip[0] not in numbers)
        if self._in_hand and self._in_hand[0] in numbers:
            number, decoding = self._in_hand
            decoding.cancel()
            self.finished(number)

    def _next(self) -> None:
        if self._waiting and not self._in_hand:
            number, clip = self._waiting.popleft()
            self._in_hand = (number, self._pool.decode(number, clip, self._to, self._by))
