"""The limits of each address: open connections, and the rates of connections, calls, requests and messages. Pure."""

from collections import OrderedDict

from actors.admission.rate import Rate
from actors.services import Limits

KEPT_SECONDS = 30.0  # an address without connections is kept for so long; by then each of its rates is full again
MOST_KEPT = 65_536  # addresses without connections; beyond that the oldest is forgotten early
RESUMES_A_CALL = 5.0  # as many attempts to resume a call, for each call that may begin
RESUMES_AT_ONCE = 4.0  # burst of these, in seconds: 200 callers come back within a second when their server dies
MINUTE_AT_ONCE = 0.5  # of the calls of a minute
CALLS_AT_ONCE = 2.0  # burst of connections, and of calls, in seconds of their rate
SHARE_OF_CALLS = 0.25  # of `Limits.connects`: the most that one address may use, however low that limit is
REQUESTS_AT_ONCE = 5.0  # burst of requests, in seconds: a page loads all its files at once
MESSAGES_AT_ONCE = 1.0  # burst of messages, in seconds


class _Address:
    """The open connections of one address, and its rates."""

    __slots__ = ("calls", "connects", "messages", "minute", "open", "requests", "resumes", "seen")

    def __init__(self, limits: Limits) -> None:
        connects, requests = limits.address_connects, limits.address_questions
        calls = min(connects, limits.connects * SHARE_OF_CALLS)
        self.connects = Rate(connects, connects * CALLS_AT_ONCE)
        self.calls = Rate(calls, max(1.0, calls * CALLS_AT_ONCE))
        self.minute = Rate(limits.address_minute / 60, limits.address_minute * MINUTE_AT_ONCE)
        resumes = calls * RESUMES_A_CALL
        self.resumes = Rate(resumes, max(1.0, resumes * RESUMES_AT_ONCE))
        self.requests = Rate(requests, requests * REQUESTS_AT_ONCE)
        self.messages = Rate(limits.address_messages, limits.address_messages * MESSAGES_AT_ONCE)
        self.open = 0
        self.seen = 0.0


class AddressLimits:
    """By address. `now` is in seconds, on a monotonic clock."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[str, _Address] = {}
        self._idle: OrderedDict[str, _Address] = OrderedDict()  # without connections, least recently seen first

    def __len__(self) -> int:
        """The number of addresses in memory."""
        return len(self._open) + len(self._idle)

    def connect(self, address: str, now: float) -> bool:
        """Open one more connection until `disconnect`; False if there are too many, or too many new ones."""
        one = self._get(address, now)
        return one.connects.take(now) and self._add(address, one)

    def open(self, address: str, now: float) -> bool:
        """Open one more connection until `disconnect`, without counting it as new: a request through a proxy."""
        return self._add(address, self._get(address, now))

    def disconnect(self, address: str, now: float) -> None:
        """Close a connection that `connect` or `open` has opened."""
        one = self._open[address]
        one.open -= 1
        if not one.open:
            one.seen = now
            self._idle[address] = self._open.pop(address)

    def may_call(self, address: str, now: float) -> bool:
        """Count one more call; False if that is too many, of a second or of a minute."""
        one = self._get(address, now)
        return one.calls.take(now) and one.minute.take(now)

    def call_wait(self, address: str, now: float) -> float:
        """The seconds until one more call is allowed."""
        one = self._get(address, now)
        return max(one.calls.wait(now), one.minute.wait(now))

    def may_resume(self, address: str, now: float) -> bool:
        """Count one more attempt to resume a call; False if that is too many."""
        return self._get(address, now).resumes.take(now)

    def may_request(self, address: str, now: float) -> bool:
        """Count one more request; False if that is too many."""
        return self._get(address, now).requests.take(now)

    def message_rate(self, address: str, now: float) -> Rate:
        """The rate of all messages of an address; the same object as long as a connection is open."""
        return self._get(address, now).messages

    def _add(self, address: str, one: _Address) -> bool:
        if one.open >= self._limits.address_connections:
            return False
        one.open += 1
        self._idle.pop(address, None)
        self._open[address] = one
        return True

    def _get(self, address: str, now: float) -> _Address:
        if one := self._open.get(address):
            return one
        one = self._idle.pop(address, None) or _Address(self._limits)
        one.seen = now
        self._idle[address] = one
        self._forget(now)
        return one

    def _forget(self, now: float) -> None:
        """Forget up to two expired addresses: each call adds one at most, and none takes long."""
        for _ in range(2):
            address, oldest = next(iter(self._idle.items()))
            if now - oldest.seen < KEPT_SECONDS and len(self._idle) <= MOST_KEPT:
                return
            del self._idle[address]
            if not self._idle:
                return
