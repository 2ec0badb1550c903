"""The open connections, and what of new connections, calls and requests is admitted by address."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from actors.admission.rate import Rate
from actors.services import Limits
from web.addresses import Addresses
from web.rate_limits import AddressLimits

log = logging.getLogger(__name__)

MESSAGE_RATE = web.RequestKey("message rate", Rate)
"""The rate at which the calls of an address are read; absent where the address has no limit."""

UNLIMITED = 1_000_000  # connections
NAMES = {"handles": "connections for which no handle was left,"}
MOST_NAMED = 1_000  # pairs of kind and address that are counted for one log line
LOG_SECONDS = 1.0  # the refusals of this time are one log line


class ConnectionLease:
    """An admitted connection. `address` is empty if the socket is a trusted proxy's or has no limit."""

    def __init__(self, connections: "Connections", address: str) -> None:
        self._connections: Connections | None = connections
        self._address = address

    def release(self) -> None:
        """The connection has ended. Idempotent."""
        if connections := self._connections:
            self._connections = None
            connections.released(self._address)


class Connections:
    """Counts connections and requests by address. Each refusal is counted in `refused`, by kind.

    `most` connections may be open at once, so that file descriptors are left for the upstream connections of calls.
    """

    def __init__(
        self, limits: Limits, refused: Counter[str], addresses: Addresses | None = None, most: int = UNLIMITED
    ) -> None:
        self.addresses = addresses or Addresses()
        self.refusals = Refusals(refused)
        self._address_limits, self._most, self._open = AddressLimits(limits), most, 0

    def admit(self, peer: str) -> ConnectionLease | None:
        """Admit a connection from this IP address; None if it must be closed at once."""
        address = "" if self.addresses.trusts(peer) else self.addresses.of_socket(peer)
        if self._open >= self._most:
            self.refusals.refuse("handles", peer)
        elif address and not self._address_limits.connect(address, _now()):
            self.refusals.refuse("connections", address)
        else:
            self._open += 1
            return ConnectionLease(self, address)
        return None

    def released(self, address: str) -> None:
        """An admitted connection has ended."""
        self._open -= 1
        if address:
            self._address_limits.disconnect(address, _now())

    def may_call(self, address: str) -> bool:
        """Count one more call; False if it must be refused."""
        return self._address_limits.may_call(address, _now()) or self.refusals.refuse("calls", address)

    def may_resume(self, address: str) -> bool:
        """Count one more attempt to resume a call without a token; False if it must be refused."""
        return self._address_limits.may_resume(address, _now()) or self.refusals.refuse("resumes", address)

    def may_request(self, address: str) -> bool:
        """Count one more request; False if it must be refused."""
        return self._address_limits.may_request(address, _now()) or self.refusals.refuse("questions", address)

    def message_rate(self, address: str) -> Rate:
        """The rate at which the calls of this address are read."""
        return self._address_limits.message_rate(address, _now())

    @contextmanager
    def proxied(self, address: str) -> Iterator[bool]:
        """Count a proxied request as an open connection of `address`; yields False if it must be refused."""
        if not self._address_limits.open(address, _now()):
            yield self.refusals.refuse("connections", address)
            return
        try:
            yield True
        finally:
            self._address_limits.disconnect(address, _now())

    def close(self) -> None:
        """Log the refusals that are not logged yet."""
        self.refusals.close()


class Refusals:
    """Counts refusals at once, but logs one line per second, so that no client can flood the log."""

    def __init__(self, refused: Counter[str]) -> None:
        self._refused = refused
        self._unlogged: Counter[tuple[str, str]] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def refuse(self, kind: str, address: str) -> bool:
        """Count one more; returns False."""
        self._refused[kind] += 1
        if (kind, address) in self._unlogged or len(self._unlogged) < MOST_NAMED:
            self._unlogged[kind, address] += 1
        if not self._timer:
            self._timer = asyncio.get_running_loop().call_later(LOG_SECONDS, self._log)
        return False

    def close(self) -> None:
        """Log what is not logged yet."""
        if self._timer:
            self._timer.cancel()
            self._log()

    def _log(self) -> None:
        total = self._unlogged.total()
        ((kind, address), most), *_ = self._unlogged.most_common(1)
        self._timer = None
        self._unlogged.clear()
        log.warning("refused %d in a second, %d of them %s of %s", total, most, NAMES.get(kind, kind), address)


def _now() -> float:
    return asyncio.get_running_loop().time()
