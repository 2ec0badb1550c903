"""What the caller says in a stream, kept until it is safe: heard and answered, or written down by the model.

When a connection is lost, what is kept is played to the next one, so that no words are lost. Positions are bytes on
the clock of the connection that listens now: all audio that it was ever sent.
"""

from realtime.protocol import BYTES_PER_MS

QUIET = 600 * BYTES_PER_MS  # kept while nobody speaks: the onset of speech that the upstream has not told us of yet
LONGEST = 15_000 * BYTES_PER_MS  # kept while somebody speaks, or nobody listens
ONSET = 300 * BYTES_PER_MS  # of what was said while a greeting was owed: more would be answered before it


class Microphone:
    """The newest of what was said, and the turns in it that are not safe yet."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._begins = 0  # where the first byte kept stands
        self._sent = 0  # up to where the connection has got it
        self._turns: dict[int, int] = {}  # turn -> where it begins
        self._settled = 0  # where the last turn that is whole ended: before it nothing new begins
        self.lost = False  # words were dropped that the next connection would have needed

    def hear(self, pcm: bytes, listening: bool) -> None:
        """Keep it; `listening`: it goes to the connection as well."""
        self._kept += pcm
        if listening:
            self._sent = self._begins + len(self._kept)
        self._trim(listening)

    def began(self, turn: int, at_ms: int) -> None:
        """Somebody speaks, since `at_ms`."""
        self._turns[turn] = at_ms * BYTES_PER_MS

    def paused(self, at_ms: int) -> None:
        """Nobody speaks, since `at_ms`."""
        self._settled = at_ms * BYTES_PER_MS

    def safe(self, turn: int) -> None:
        """It is written down or answered: the next connection need not hear it."""
        self._turns.pop(turn, None)

    def resume(self) -> bytes:
        """What the same connection has not got yet: from here on it listens again."""
        rest = bytes(self._kept[max(0, self._sent - self._begins) :])
        self._begins = self._sent + len(rest) - len(self._kept)
        self._sent = self._begins + len(self._kept)
        return rest

    def replay(self, most: int = LONGEST) -> bytes:
        """What another connection must hear to know what this one knew; its clock begins here."""
        if most < len(self._kept):
            del self._kept[: len(self._kept) - most]
        self._begins, self._sent, self._settled = 0, len(self._kept), 0
        self._turns.clear()
        self.lost = False
        return bytes(self._kept)

    def _trim(self, listening: bool) -> None:
        ends = self._begins + len(self._kept)
        since = min(self._turns.values(), default=ends)
        first = min(since, max(ends - QUIET, self._settled)) if listening else self._begins
        if ends - first > LONGEST:
            first = ends - LONGEST
            self.lost = True
        if first > self._begins:
            del self._kept[: first - self._begins]
            self._begins = first
