"""The public JSON of personas: each is rendered once a minute, and cached for all clients."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

import orjson
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from personas import Catalogue, Persona
from web.request_scheduler import RequestScheduler

AT_A_TIME = 200  # rows that are written in one turn of the scheduler, about 200 KB

Row = tuple[bytes, bytes]
"""The JSON of one persona, and its hash."""


class Minute:
    """The rows of one catalogue in one minute: office hours begin and end on the minute."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._rows: dict[str, Row] = {}

    def row(self, persona: Persona) -> Row:
        """The row of a persona, active or not; it says whether they take calls, and else when they do again."""
        if persona.id not in self._rows:
            data = orjson.dumps(self._shown(persona))
            self._rows[persona.id] = data, hashlib.sha256(data).digest()
        return self._rows[persona.id]

    def _shown(self, persona: Persona) -> dict[str, object]:
        shown = persona.public() | {"open": persona.open_at(self._now)}
        if not shown["open"] and persona.status == "active":
            shown["opens"] = persona.behaviour.availability.opens_next(self._now).isoformat()
        return _for_first_app(persona, bool(shown["open"])) | shown


def _for_first_app(persona: Persona, open_now: bool) -> dict[str, object]:
    """The same facts under the names that the first app reads; features of the file with such names go before."""
    pricing = persona.behaviour.pricing
    return {
        "id": persona.id,
        "category": persona.speciality,
        "languages": [persona.language],
        "isOnline": open_now,
        "price_per_minute": pricing.per_minute / 10**pricing.digits if pricing else 0,
    }


class Rows:
    """Caches the newest minute. It refers to a catalogue by version only, because to free one takes milliseconds."""

    def __init__(self) -> None:
        self._key: tuple[str, datetime] | None = None
        self._minute: Minute

    def at(self, catalogue: Catalogue, now: datetime) -> Minute:
        """The rows of this minute; they do not change once rendered."""
        key = catalogue.version, now.replace(second=0, microsecond=0)
        if key != self._key:
            self._key, self._minute = key, Minute(now)
        return self._minute


class ListPayload(Payload):
    """The body of a list, written in pieces, because to write a thousand rows at once takes a millisecond."""

    def __init__(self, rows: Sequence[bytes], tail: bytes, scheduler: RequestScheduler) -> None:
        """`tail` is what follows the rows, beginning with the closing bracket."""
        super().__init__(rows, content_type="application/json")
        self._rows, self._tail, self._scheduler = rows, tail, scheduler
        self._size = sum(map(len, rows)) + max(len(rows) - 1, 0) + len(_HEAD) + len(tail)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole body."""
        return b"".join(self._pieces()).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the first piece in the present turn of the scheduler, and each further one in a turn of its own."""
        for number, piece in enumerate(self._pieces()):
            if number:
                await self._scheduler.turn()
            await writer.write(piece)

    def _pieces(self) -> Iterator[bytes]:
        rows, head = self._rows, _HEAD
        while len(rows) > AT_A_TIME:
            yield head + b",".join(rows[:AT_A_TIME])
            rows, head = rows[AT_A_TIME:], b","
        yield head + b",".join(rows) + self._tail


_HEAD = b'{"astrologers":['
