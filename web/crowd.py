"""All who are connected: who may come in, and how much of what they ask is answered, by their address."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from actors.admission.rate import Rate
from actors.services import Limits
from web.addresses import Addresses
from web.arrivals import Arrivals

log = logging.getLogger(__name__)

PACE = web.RequestKey("pace", Rate)
"""Of the calls of an address; absent for who is not limited by address."""

PLENTY = 1_000_000  # connections, where nobody says how many there is room for
NAMES = {"handles": "connections for which no handle was left,"}
MOST_NAMED = 1_000  # kinds and addresses of one second
TOLD_SECONDS = 1.0  # of refusals are one line of the log


class Visit:
    """A connection that was let in. `address` is empty where requests have addresses of their own, or no limit."""

    def __init__(self, crowd: "Crowd", address: str) -> None:
        self._crowd: Crowd | None = crowd
        self._address = address

    def end(self) -> None:
        """The connection is gone; said again, it changes nothing."""
        if crowd := self._crowd:
            self._crowd = None
            crowd.left(self._address)


class Crowd:
    """Counts connections and requests by address; what is refused is counted in `refused`, by kind.

    `most` connections are open at once: the handles that are left are for who answers calls.
    """

    def __init__(
        self, limits: Limits, refused: Counter[str], addresses: Addresses | None = None, most: int = PLENTY
    ) -> None:
        self.addresses = addresses or Addresses()
        self.refusals = Refusals(refused)
        self._arrivals, self._most, self._open = Arrivals(limits), most, 0

    def come(self, peer: str) -> Visit | None:
        """Let in a connection of this IP address; None: it must be closed at once."""
        address = "" if self.addresses.trusts(peer) else self.addresses.of_socket(peer)
        if self._open >= self._most:
            self.refusals.refuse("handles", peer)
        elif address and not self._arrivals.connect(address, _now()):
            self.refusals.refuse("connections", address)
        else:
            self._open += 1
            return Visit(self, address)
        return None

    def left(self, address: str) -> None:
        """A connection is gone."""
        self._open -= 1
        if address:
            self._arrivals.leave(address, _now())

    def call(self, address: str) -> bool:
        """Whether one more call may begin."""
        return self._arrivals.call(address, _now()) or self.refusals.refuse("calls", address)

    def ask(self, address: str) -> bool:
        """Whether one more question is answered."""
        return self._arrivals.ask(address, _now()) or self.refusals.refuse("questions", address)

    def pace(self, address: str) -> Rate:
        """How fast the calls of this address are read."""
        return self._arrivals.pace(address, _now())

    @contextmanager
    def behind(self, address: str) -> Iterator[bool]:
        """A request that a proxy passes on is open, as a connection would be; False: it must be refused."""
        if not self._arrivals.enter(address, _now()):
            yield self.refusals.refuse("connections", address)
            return
        try:
            yield True
        finally:
            self._arrivals.leave(address, _now())

    def close(self) -> None:
        """Nobody comes any more."""
        self.refusals.close()


class Refusals:
    """Counted at once; the log has one line for all of a second, so that no stranger can fill it."""

    def __init__(self, refused: Counter[str]) -> None:
        self._refused = refused
        self._untold: Counter[tuple[str, str]] = Counter()
        self._telling: asyncio.TimerHandle | None = None

    def refuse(self, kind: str, address: str) -> bool:
        """Another one; False."""
        self._refused[kind] += 1
        if (kind, address) in self._untold or len(self._untold) < MOST_NAMED:
            self._untold[kind, address] += 1
        if not self._telling:
            self._telling = asyncio.get_running_loop().call_later(TOLD_SECONDS, self._tell)
        return False

    def close(self) -> None:
        """Say what is still untold."""
        if self._telling:
            self._telling.cancel()
            self._tell()

    def _tell(self) -> None:
        total = self._untold.total()
        ((kind, address), most), *_ = self._untold.most_common(1)
        self._telling = None
        self._untold.clear()
        log.warning("refused %d in a second, %d of them %s of %s", total, most, NAMES.get(kind, kind), address)


def _now() -> float:
    return asyncio.get_running_loop().time()
