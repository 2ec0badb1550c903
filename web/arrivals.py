"""How much one address may have of a server: connections, new ones, calls and questions. Arithmetic alone."""

from collections import OrderedDict

from actors.admission.rate import Rate
from actors.services import Limits

KEPT_SECONDS = 10.0  # of who has nothing open: by then whatever came at once is allowed again
MOST_KEPT = 65_536  # addresses with nothing open; then the one that came first is forgotten sooner
CALLS_AT_ONCE = 2.0  # seconds of new connections, or calls, that may come at once
SHARE_OF_CALLS = 0.25  # of those that all may begin: also where they are few, no address can use them up
QUESTIONS_AT_ONCE = 5.0  # a page asks for all that it shows
MESSAGES_AT_ONCE = 1.0  # seconds of them


class _Caller:
    """What an address has open, and how fast more of it comes."""

    __slots__ = ("calls", "connects", "messages", "open", "questions", "seen")

    def __init__(self, limits: Limits) -> None:
        connects, questions = limits.address_connects, limits.address_questions
        calls = min(connects, limits.connects * SHARE_OF_CALLS)
        self.connects = Rate(connects, connects * CALLS_AT_ONCE)
        self.calls = Rate(calls, max(1.0, calls * CALLS_AT_ONCE))
        self.questions = Rate(questions, questions * QUESTIONS_AT_ONCE)
        self.messages = Rate(limits.address_messages, limits.address_messages * MESSAGES_AT_ONCE)
        self.open = 0
        self.seen = 0.0


class Arrivals:
    """By address. Times are seconds on one clock that never goes back."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[str, _Caller] = {}
        self._idle: OrderedDict[str, _Caller] = OrderedDict()  # who has nothing open, by when they were last seen

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._open) + len(self._idle)

    def connect(self, address: str, now: float) -> bool:
        """Whether one more connection may be opened; then it is, until `leave`."""
        caller = self._caller(address, now)
        return caller.connects.take(now) and self._enter(address, caller)

    def enter(self, address: str, now: float) -> bool:
        """Whether one more request may be open of those that a proxy passes on; then it is, until `leave`."""
        return self._enter(address, self._caller(address, now))

    def leave(self, address: str, now: float) -> None:
        """A connection, or a request, is over."""
        caller = self._open[address]
        caller.open -= 1
        if not caller.open:
            caller.seen = now
            self._idle[address] = self._open.pop(address)

    def call(self, address: str, now: float) -> bool:
        """Whether one more call may begin."""
        return self._caller(address, now).calls.take(now)

    def ask(self, address: str, now: float) -> bool:
        """Whether one more question may be asked."""
        return self._caller(address, now).questions.take(now)

    def pace(self, address: str, now: float) -> Rate:
        """How fast all calls of an address are read; it is the same one as long as something is open."""
        return self._caller(address, now).messages

    def _enter(self, address: str, caller: _Caller) -> bool:
        if caller.open >= self._limits.address_connections:
            return False
        caller.open += 1
        self._idle.pop(address, None)
        self._open[address] = caller
        return True

    def _caller(self, address: str, now: float) -> _Caller:
        if caller := self._open.get(address):
            return caller
        caller = self._idle.pop(address, None) or _Caller(self._limits)
        caller.seen = now
        self._idle[address] = caller
        self._forget(now)
        return caller

    def _forget(self, now: float) -> None:
        """Those who were last seen long ago; each who comes lets go of two, so that it never takes long."""
        for _ in range(2):
            address, oldest = next(iter(self._idle.items()))
            if now - oldest.seen < KEPT_SECONDS and len(self._idle) <= MOST_KEPT:
                return
            del self._idle[address]
            if not self._idle:
                return
