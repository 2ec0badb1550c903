"""Who is turned away from an engine before a session is thought of: strangers' requests, and one session too many."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from websockets.http11 import Request

UNLIMITED = 1_000_000  # sessions

Stranger: TypeAlias = Callable[[str, str | None], bool]


def nobody(host: str, origin: str | None) -> bool:
    """No request is a stranger's."""
    return False


@dataclass(frozen=True, slots=True)
class Gate:
    """`stranger` says of a `Host` and an `Origin` that their request is refused; `sessions` may be open at once."""

    stranger: Stranger = nobody
    sessions: int = UNLIMITED

    def keeps_out(self, request: Request) -> bool:
        """True for a page of another site, and for a name that leads to us and is not ours (DNS rebinding)."""
        hosts, origins = request.headers.get_all("Host"), request.headers.get_all("Origin")
        if len(hosts) > 1 or len(origins) > 1:
            return True
        return self.stranger("".join(hosts), "".join(origins) or None)
