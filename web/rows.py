"""Personas as clients see them, as JSON: each is rendered once for all who ask in the same minute."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

import orjson
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from personas import Catalogue, Persona
from web.turnstile import Turnstile

AT_A_TIME = 200  # rows that are written in one turn, some 200 KB

Row = tuple[bytes, bytes]
"""JSON, and a hash of it."""


class Minute:
    """The rows of a catalogue in one minute: hours begin and end with a minute."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._rows: dict[str, Row] = {}

    def row(self, persona: Persona) -> Row:
        """Of one, active or not: whether they take calls, and if not, when they do again."""
        if persona.id not in self._rows:
            data = orjson.dumps(self._shown(persona))
            self._rows[persona.id] = data, hashlib.sha256(data).digest()
        return self._rows[persona.id]

    def _shown(self, persona: Persona) -> dict[str, object]:
        shown = persona.public() | {"open": persona.open_at(self._now)}
        if not shown["open"] and persona.status == "active":
            shown["opens"] = persona.behaviour.availability.opens_next(self._now).isoformat()
        return shown


class Rows:
    """Keeps the newest minute, and of the catalogue its version only: to let go of a whole one takes milliseconds."""

    def __init__(self) -> None:
        self._of: tuple[str, datetime] | None = None
        self._minute: Minute

    def at(self, catalogue: Catalogue, now: datetime) -> Minute:
        """The minute of this moment, whose rows stay as they are."""
        of = catalogue.version, now.replace(second=0, microsecond=0)
        if of != self._of:
            self._of, self._minute = of, Minute(now)
        return self._minute


class Sheet(Payload):
    """The body of a list, written a piece at a time: to hand a thousand rows to the kernel takes a millisecond."""

    def __init__(self, rows: Sequence[bytes], tail: bytes, turnstile: Turnstile) -> None:
        """`tail` is what comes behind the list, from its bracket on."""
        super().__init__(rows, content_type="application/json")
        self._rows, self._tail, self._turnstile = rows, tail, turnstile
        self._size = sum(map(len, rows)) + max(len(rows) - 1, 0) + len(_HEAD) + len(tail)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """All of it."""
        return b"".join(self._pieces()).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """In the turn of whoever made it, and those that it takes more."""
        for number, piece in enumerate(self._pieces()):
            if number:
                await self._turnstile.turn()
            await writer.write(piece)

    def _pieces(self) -> Iterator[bytes]:
        rows, head = self._rows, _HEAD
        while len(rows) > AT_A_TIME:
            yield head + b",".join(rows[:AT_A_TIME])
            rows, head = rows[AT_A_TIME:], b","
        yield head + b",".join(rows) + self._tail


_HEAD = b'{"astrologers":['
