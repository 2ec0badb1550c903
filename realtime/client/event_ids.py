"""The last server events by their ids: nothing counts twice, for the upstream may say something twice.

An event came before if its id and its bytes did, not more than REMEMBERED events ago. The id alone says nothing: some
upstreams give all events the same one. Where an id came with other bytes it tells no event from another, and then the
same bytes are no sign either, as two pieces of silence, or of words, are often the same.
"""

REMEMBERED = 64  # what comes twice does not come much later
WHOLE = 2048  # bytes of a frame that is hashed whole: of longer ones, which are audio, a sample does, 20 times faster
STEP = 61
WAYS = 2**64  # more than there are hashes
VAIN = WAYS - 1  # in place of the hash of a frame: the id came with other bytes, too


class EventIds:
    """Holds hashes of at most REMEMBERED ids and frames, which are not kept: as numbers, they take 5 KB a call less."""

    def __init__(self) -> None:
        self._number = 0
        self._came: dict[int, int] = {}  # by the hash of the id: event number * WAYS + hash of the frame, newest last

    def came_before(self, event_id: str, frame: bytes | str) -> bool:
        """True if this event came before; from now on it is remembered. An event without an id never did."""
        self._number += 1
        if not event_id:
            return False
        key, now = hash(event_id), _fingerprint(frame) % VAIN
        at, before = divmod(self._came.pop(key, now), WAYS)
        vain = before != now
        self._came[key] = self._number * WAYS + (VAIN if vain else now)
        if len(self._came) > REMEMBERED:
            del self._came[next(iter(self._came))]
        return at > 0 and not vain and self._number - at <= REMEMBERED


def _fingerprint(frame: bytes | str) -> int:
    if len(frame) <= WHOLE:
        return hash(frame)
    return hash((len(frame), frame[:STEP], frame[-WHOLE // 8 :], frame[::STEP]))
