"""The last server events by their ids: nothing counts twice, for the upstream may say something twice.

An event came before if its id and its bytes did, not more than REMEMBERED events ago. The id alone says nothing: some
upstreams give all events the same one. Where an id came with other bytes it tells no event from another, and then the
same bytes are no sign either, as two pieces of silence, or of words, are often the same.
"""

from array import array

REMEMBERED = 64  # what comes twice does not come much later
WHOLE = 2048  # bytes of a frame that is hashed whole: of longer ones, which are audio, a sample does, 20 times faster
STEP = 61
NONE, VAIN = 0, -1  # in place of the hash of an id: there was none; of a frame (which is never -1): it tells nothing


class EventIds:
    """Holds hashes of the last REMEMBERED ids and frames, which are not kept: 1 KB a call, where a dict took 12."""

    def __init__(self) -> None:
        self._newest = 0
        self._ids = array("q", [NONE]) * REMEMBERED  # a ring: each event has its place by its number
        self._frames = array("q", [VAIN]) * REMEMBERED

    def came_before(self, event_id: str, frame: bytes | str) -> bool:
        """True if this event came before; from now on it is remembered. An event without an id never did."""
        self._newest = here = (self._newest + 1) % REMEMBERED
        if not event_id:
            self._ids[here] = NONE
            return False
        key, now = hash(event_id) or 1, _fingerprint(frame)
        before = now
        if came := key in self._ids:
            at = self._ids.index(key)
            before, self._ids[at] = self._frames[at], NONE
        self._ids[here], self._frames[here] = key, now if before == now else VAIN
        return came and before == now


def _fingerprint(frame: bytes | str) -> int:
    if len(frame) <= WHOLE:
        return hash(frame)
    return hash((len(frame), frame[:STEP], frame[-WHOLE // 8 :], frame[::STEP]))
