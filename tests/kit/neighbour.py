"""A server of a neighbouring version, in the middle of an upgrade: `NEIGHBOUR=1 python -m tests.kit.neighbour serve`.

It is this server, but that its records have another version. 1 is the next: it knows of a call on which node that
began (`first`), and of a turn how many `letters` it has. -1 is the one before: it neither tells a caller that an AI
speaks, nor knows whether that was told.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from register import record
from register.record import Record, Said

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class NewerSaid(Said):
    """What the next version knows of a turn."""

    letters: int = 0


@dataclass(frozen=True, slots=True)
class NewerRecord(Record):
    """What the next version knows of a call."""

    turns: tuple[NewerSaid, ...] = ()
    first: str = ""
    """The node on which it began."""


class Newer:
    """Writes what it knows, and goes on with what it reads."""

    def __init__(self, encode: Encode, decode: Decode) -> None:
        self._encode, self._decode = encode, decode
        self._first: dict[str, str] = {}  # by user

    def encode(self, kept: NewerRecord) -> bytes:
        """As the next version writes it."""
        first = self._first.setdefault(kept.identity.user, os.environ["NODE"])
        turns = tuple(replace(one, letters=len(one.text)) for one in kept.turns)
        return self._encode(replace(kept, first=first, turns=turns))

    def decode(self, encoded: bytes) -> NewerRecord:
        """As the next version reads it."""
        read: NewerRecord = self._decode(encoded)
        self._first[read.identity.user] = read.first
        return read


class Older:
    """Keeps what it does not know, and does not write it of itself."""

    def __init__(self, encode: Encode, decode: Decode) -> None:
        self._encode, self._decode = encode, decode

    def encode(self, kept: Record) -> bytes:
        """As the version before writes it."""
        return self._encode(replace(kept, disclosed=False))

    def decode(self, encoded: bytes) -> Record:
        """As the version before reads it."""
        read: Record = self._decode(encoded)
        unknown = {"disclosed": True} if read.disclosed else {}
        return replace(read, disclosed=False, other={**read.other, **unknown})


def become(neighbour: int) -> None:
    """From now on records are those of the version after this, or before it. Nobody has imported them yet."""
    module: Any = record
    module.VERSION = record.VERSION + neighbour
    module.READABLE = range(record.VERSION - 1, record.VERSION + 2)
    if neighbour > 0:
        module.Record, module.Said = NewerRecord, NewerSaid
    else:
        os.environ["LEAVE_OUT_DISCLOSURE"] = "1"
    kind = Newer if neighbour > 0 else Older
    one = kind(record.encode, record.decode)
    module.encode, module.decode = one.encode, one.decode


if __name__ == "__main__":
    become(int(os.environ.pop("NEIGHBOUR")))
    from cli import main

    main()
