"""The ids of the last server events: nothing counts twice, for the upstream may say something twice."""

REMEMBERED = 64  # at least, and twice as many at most: what comes twice does not come much later


class EventIds:
    """Two sets take turns, so that what is remembered is bounded."""

    def __init__(self) -> None:
        self._newer: set[str] = set()
        self._older: set[str] = set()

    def came_before(self, event_id: str) -> bool:
        """True if it was asked for this id already; from now on it is remembered."""
        if event_id in self._newer or event_id in self._older:
            return True
        self._newer.add(event_id)
        if len(self._newer) >= REMEMBERED:
            self._newer, self._older = set(), self._newer
        return False
