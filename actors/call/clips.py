"""One caller's clips on their way through the decoders."""

from actors.runtime import Ref
from audio import Decoded, Decoding, Packed, Pool, Sender, Undecoded
from upstream.facts import TurnId


class Clips:
    """Hands over one clip at a time, in the order in which they came: nobody takes the decoders from the others.

    `by` says whose clips they are, the widest group first: what those cost decides when the next is decoded.
    """

    def __init__(self, pool: Pool, to: Ref[Decoded | Undecoded], by: Sender = ()) -> None:
        self._pool, self._to, self._by = pool, to, by
        self._waiting: list[tuple[TurnId, bytes | Packed]] = []
        self._in_hand: tuple[TurnId, Decoding] | None = None

    def add(self, number: TurnId, clip: bytes | Packed) -> None:
        """Decode a clip once those before it are done. What becomes of it is told by its number."""
        self._waiting.append((number, clip))
        self._next()

    def finished(self, number: TurnId) -> bool:
        """A decoder is done with this clip: the next may begin. False if the clip was dropped meanwhile."""
        if not self._in_hand or self._in_hand[0] != number:
            return False
        self._in_hand = None
        self._next()
        return True

    def drop(self, *numbers: TurnId) -> None:
        """Nobody wants these clips any more: nothing is told of them, and no decoder begins one."""
        self._waiting = [clip for clip in self._waiting if clip[0] not in numbers]
        if self._in_hand and self._in_hand[0] in numbers:
            number, decoding = self._in_hand
            decoding.cancel()
            self.finished(number)

    def _next(self) -> None:
        if self._waiting and not self._in_hand:
            number, clip = self._waiting.pop(0)
            self._in_hand = (number, self._pool.decode(number, clip, self._to, self._by))
