"""What a session shows of its call, to tests and to whoever watches the server."""

from dataclasses import dataclass

from actors.call.turns import Utterance
from actors.runtime import Snapshot


@dataclass(frozen=True, slots=True)
class SessionSnapshot(Snapshot):
    """What a session shows of its call.

    `connection` and `address` are the caller's. `holds` are the personas, by id, that are on the line or wanted there.
    `turns` wait for an answer, the oldest first; `unsent` are the bytes of replies that the caller was not sent yet.
    `away`: the caller's connection is lost, and they may come back.
    """

    connection: int
    address: str
    holds: frozenset[str]
    turns: tuple[Utterance, ...]
    unsent: int
    away: bool
