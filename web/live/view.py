"""What of the calls is new to one who looks."""

from typing import Any, Protocol

import orjson

from web.live.rows import ROWS, Looked, Row

LONGEST_FIND = 128  # characters


class Eyes(Protocol):
    """What shows the calls of a server, or of several. `drain` begins the end of all of it, once."""

    async def look(self, first: int, find: str) -> Looked | None:
        """`ROWS` of the calls that fit, from the `first` one on; None once the server has ended."""
        ...

    async def end(self, session: str) -> bool:
        """End this call at its next pause; False if there is none of that id."""
        ...

    def drain(self) -> None: ...


class View:
    """What one who looks has been told: `ROWS` of the calls that fit `find`, the newest first, from the `first` on."""

    def __init__(self) -> None:
        self.first, self.find = 0, ""
        self._head: dict[str, Any] = {}
        self._order: list[str] = []
        self._rows: dict[str, Row] = {}

    def look(self, first: int, find: str) -> None:
        """Look at other calls from now on."""
        self.first, self.find = first, find

    def news(self, now: Looked) -> bytes | None:
        """What has changed since the last time, as JSON; None if nothing has."""
        rows = {row["session"]: row for row in now.rows}
        head = {
            "calls": now.calls,
            "away": now.away,
            "most": now.most,
            "draining": now.draining,
            "silent": now.silent,
            "found": now.found,
            "first": now.first,
            "page": ROWS,
        }
        changed = [row for id_, row in rows.items() if self._rows.get(id_) != row]
        order = list(rows)
        if not changed and order == self._order and head == self._head:
            return None
        self._head, self._order, self._rows = head, order, rows
        return orjson.dumps({"type": "now", **head, "order": order, "rows": changed})
