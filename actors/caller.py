"""The caller's connection as a session sees it: where to tell, and how much nonsense has come from there."""

import time
from collections import deque

from actors.base import Ref
from actors.messages import Close, Error, ToCaller

MINUTE = 60.0


class Caller:
    """The newest connection, by number. Before the first and after the last, what it is told is dropped."""

    def __init__(self, bad_messages: int) -> None:
        self.connection = 0
        self._outbox: Ref[ToCaller] | None = None
        self._allowed = bad_messages
        self._bad: deque[float] = deque(maxlen=bad_messages + 1)

    def attach(self, connection: int, outbox: Ref[ToCaller]) -> None:
        """From now on the caller is here."""
        self.connection, self._outbox = connection, outbox

    def tell(self, message: ToCaller, /) -> None:
        """Say something to the caller; after a Close nothing more is said."""
        if self._outbox:
            self._outbox.tell(message)
        if isinstance(message, Close):
            self._outbox = None

    def refuse(self, code: str, message: str) -> Close | None:
        """Say what was wrong with a message; the Close to end with once there were too many in a minute."""
        self.tell(Error(code, message))
        self._bad.append(time.monotonic())
        if len(self._bad) > self._allowed and self._bad[-1] - self._bad[0] < MINUTE:
            self.tell(
                Error(
                    "too_many_messages", f"More than {self._allowed} messages a minute were refused: see docs/wire.md."
                )
            )
            return Close(4400, "too many messages were not understood: check the client against docs/wire.md")
        return None
