"""The open connections, and what of new connections, calls and requests is admitted by address."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

from aiohttp import web

from actors.admission.rate import Rate
from actors.services import Limits
from web.addresses import Addresses
from web.rate_limits import AddressLimits

log = logging.getLogger(__name__)

MESSAGE_RATE = web.RequestKey("message rate", Rate)
"""The rate at which the calls of an address are read; absent where the address has no limit."""

UNLIMITED = 1_000_000  # connections
RETRY_SECONDS = 2  # after so long the burst of an address in a second is whole again
NAMES = {"handles": "connections for which no handle was left,", "half_open": "connections without a request"}
MOST_NAMED = 1_000  # pairs of kind and address that are counted for one log line
LOG_SECONDS = 1.0  # the refusals of this time are one log line


class ConnectionLease:
    """An admitted connection. `address` is empty if the socket is a trusted proxy's or has no limit."""

    def __init__(self, connections: "Connections", address: str) -> None:
        self._connections: Connections | None = connections
        self.address = address
        self.drop: Callable[[], object] | None = None
        """Ends the connection at once."""

    def asked(self) -> None:
        """The connection has brought a whole request: it is half open no longer. Idempotent."""
        if connections := self._connections:
            connections.half_open.gone(self)

    def release(self) -> None:
        """The connection has ended. Idempotent."""
        if connections := self._connections:
            self._connections = self.drop = None
            connections.half_open.gone(self)
            connections.released(self.address)


class Connections:
    """Counts connections and requests by address. Each refusal is counted in `refused`, by kind.

    `most` connections may be open at once, so that file descriptors are left for the upstream connections of calls;
    half as many may be half open.
    """

    def __init__(
        self, limits: Limits, refused: Counter[str], addresses: Addresses | None = None, most: int = UNLIMITED
    ) -> None:
        self.addresses = addresses or Addresses()
        self.refusals = Refusals(refused)
        self._address_limits, self._most, self._open = AddressLimits(limits), most, 0
        self.half_open = HalfOpen(max(1, most // 2))

    def admit(self, peer: str) -> ConnectionLease | None:
        """Admit a connection from this IP address; None if it must be closed at once."""
        address = "" if self.addresses.trusts(peer) else self.addresses.of_socket(peer)
        if self._open >= self._most:
            self.refusals.refuse("handles", peer)
        elif address and not self._address_limits.connect(address, _now()):
            self.refusals.refuse("connections", address)
        else:
            self._open += 1
            lease = ConnectionLease(self, address)
            if address and (oldest := self.half_open.add(lease)):
                self.refusals.refuse("half_open", oldest)
            return lease
        return None

    def released(self, address: str) -> None:
        """An admitted connection has ended."""
        self._open -= 1
        if address:
            self._address_limits.disconnect(address, _now())

    def may_call(self, address: str) -> bool:
        """Count one more call; False if it must be refused."""
        return self._address_limits.may_call(address, _now()) or self.refusals.refuse("calls", address)

    def call_wait(self, address: str) -> int:
        """The whole seconds until one more call is admitted, at least RETRY_SECONDS."""
        return max(RETRY_SECONDS, ceil(self._address_limits.call_wait(address, _now())))

    def may_resume(self, address: str) -> bool:
        """Count one more attempt to resume a call; False if it must be refused."""
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


class HalfOpen:
    """The connections of strangers that have brought no whole request yet, oldest first.

    Beyond `most` the oldest is dropped: who means to call has asked within a second.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._leases: dict[ConnectionLease, None] = {}

    def __len__(self) -> int:
        return len(self._leases)

    def add(self, lease: ConnectionLease) -> str:
        """One more; returns the address of the one that is dropped for it, or an empty string."""
        self._leases[lease] = None
        if len(self._leases) <= self._most:
            return ""
        oldest = next(iter(self._leases))
        self.gone(oldest)
        if oldest.drop:
            oldest.drop()
        return oldest.address

    def gone(self, lease: ConnectionLease) -> None:
        """It is half open no longer. Idempotent."""
        self._leases.pop(lease, None)


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
