"""Notices the first frame of a caller, and then stands aside, so that no later frame takes one step more."""

from collections.abc import Callable
from typing import Protocol

from actors.messages.admission import Detached, From, Wished
from web.outbox import Session
from web.receiver import Told


class Reader(Protocol):
    """Whoever reads a connection, and tells a session."""

    session: Told


class FirstFrame:
    """Stands in the place of the `session` until a frame comes; `heard` is called then."""

    def __init__(self, reader: Reader, session: Session, heard: Callable[[], None]) -> None:
        self._reader, self._session, self._heard = reader, session, heard

    @property
    def backlog(self) -> int:
        """As of the session."""
        return self._session.backlog

    def tell(self, message: From | Wished | Detached, /) -> None:
        """Tell the session, which takes its place again with a frame, or at the end."""
        if not isinstance(message, Wished):
            self._reader.session = self._session
        if isinstance(message, From):
            self._heard()
        self._session.tell(message)
