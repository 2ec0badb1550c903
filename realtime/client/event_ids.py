"""The last server events by their ids: nothing counts twice, for the upstream may say something twice.

An event came before if its id and its bytes did, not more than REMEMBERED events ago. The id alone says nothing: some
upstreams give all events the same one. Where an id came with other bytes it tells no event from another, and then the
same bytes are no sign either, as two pieces of silence, or of words, are often the same.
"""

from typing import NamedTuple

REMEMBERED = 64  # what comes twice does not come much later
WHOLE = 2048  # bytes of a frame that is hashed whole: of longer ones, which are audio, a sample does, 20 times faster
STEP = 61


class Came(NamedTuple):
    """An id came last as event number `at`; `bytes` is the hash of that frame, None if it came with others as well."""

    at: int
    bytes: int | None


class EventIds:
    """Holds hashes of at most REMEMBERED frames, which are not kept."""

    def __init__(self) -> None:
        self._number = 0
        self._came: dict[str, Came] = {}  # by id, in the order in which they came last

    def came_before(self, event_id: str, frame: bytes | str) -> bool:
        """True if this event came before; from now on it is remembered. An event without an id never did."""
        self._number += 1
        if not event_id:
            return False
        came, now = self._came.pop(event_id, None), _fingerprint(frame)
        vain = came is not None and came.bytes != now
        self._came[event_id] = Came(self._number, None if vain else now)
        if len(self._came) > REMEMBERED:
            del self._came[next(iter(self._came))]
        return came is not None and not vain and self._number - came.at <= REMEMBERED


def _fingerprint(frame: bytes | str) -> int:
    if len(frame) <= WHOLE:
        return hash(frame)
    return hash((len(frame), frame[:STEP], frame[-WHOLE // 8 :], frame[::STEP]))
