"""Bytes that wait for callers, counted by caller, by address and in all, so that nobody uses up the server's memory.

The ledger holds no bytes itself. Whoever buffers some for a caller counts them in a parcel, and releases it afterwards.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from enum import IntEnum
from weakref import WeakMethod

MIB = 2**20
CROWDED = "Too much of yours waits already: send it again when what you said before is answered."
LARGE = 64 * 1024
"""Bytes; smaller frames are not counted: those that come 50 times a second must cost nothing. Others bound them."""


class Kind(IntEnum):
    """What a parcel counts. Of a caller who must lose a parcel, one of the lowest kind goes first."""

    CLIP = 0
    """A clip that has come whole: it may be refused, and the call goes on."""
    FRAME = 1
    """A frame that is still coming. It cannot be skipped, so only the limits of its address and of all hold for it."""
    REPLY = 2
    """A reply that the caller has not read. The caller did not choose its size: the limits are those of FRAME."""


class Parcel:
    """A count of bytes that wait.

    `lost`: others needed the bytes, `lose` was called, and nothing is counted here any more.
    """

    __slots__ = ("holding", "kind", "lose", "lost", "size")

    def __init__(self, holding: "Holding", kind: Kind, lose: "Callable[[Parcel], object]") -> None:
        self.holding, self.kind, self.lose = holding, kind, lose
        self.size = 0
        self.lost = False

    def resize(self, size: int) -> bool:
        """Count `size` bytes from now on; False, and nothing changes, if that is more than may wait."""
        return self.holding.ledger.resize(self, size)

    def release(self) -> None:
        """Count nothing any more."""
        self.holding.ledger.resize(self, 0)


def weakly(method: Callable[[], object]) -> "Callable[[Parcel], object]":
    """For `Holding.parcel`: calls this method of an object, which the parcel does not keep alive."""
    reference = WeakMethod(method)

    def lose(parcel: Parcel) -> None:
        if living := reference():
            living()

    return lose


class Holding:
    """The parcels of one owner: the endpoint of a connection, or its session."""

    def __init__(self, ledger: "Ledger", caller: int, address: str) -> None:
        self.ledger, self.caller, self.address = ledger, caller, address
        self.closed = False

    @property
    def group(self) -> Hashable:
        """The group that shares a limit: all callers of the address, or the caller alone where there is none."""
        return self.address or self.caller

    def parcel(self, kind: Kind, lose: Callable[[Parcel], object] = lambda parcel: None) -> Parcel:
        """A new, empty parcel. `lose` is called in the turn of another caller, so it may only tell an actor."""
        return Parcel(self, kind, lose)

    def leave(self) -> None:
        """The caller is away, and what is counted here waits for them."""
        self.ledger.away[self] = None

    def come_back(self) -> None:
        """The caller is not away any more."""
        self.ledger.away.pop(self, None)

    def close(self) -> None:
        """Release all parcels; what is counted from now on is refused."""
        self.closed = True
        self.come_back()
        self.ledger.forget(self)


class Ledger:
    """The ledger decides whether more bytes may wait for a caller, and whose must go instead.

    `caller`, `address` and `most` are the bytes that may wait for one caller, for one address, and in all. Where all is
    full the largest group gives way; if that has no more than one caller may have, whoever is longest away goes first.
    """

    def __init__(self, caller: int = 12 * MIB, address: int = 32 * MIB, most: int = 256 * MIB) -> None:
        self.caller, self._address, self._most = caller, address, most
        self.bytes = 0
        self.away: dict[Holding, None] = {}  # of callers who are away, the one longest away first
        self._parcels: dict[Hashable, dict[Parcel, None]] = {}  # of a group, the oldest first
        self._groups: Counter[Hashable] = Counter()
        self._callers: Counter[int] = Counter()  # of what their own limit holds for

    def holding(self, caller: int, address: str = "") -> Holding:
        """A new holding for the connection of this number; `address` is empty where callers are not limited by it."""
        return Holding(self, caller, address)

    def parcels(self, group: Hashable) -> tuple[Parcel, ...]:
        """The parcels of a group (Holding.group) that count something, the oldest first."""
        return tuple(self._parcels.get(group, ()))

    def resize(self, parcel: Parcel, size: int) -> bool:
        """See Parcel.resize."""
        more = size - parcel.size
        if more > 0 and (parcel.lost or parcel.holding.closed or not self._room(parcel, more)):
            return False
        if more:
            self._count(parcel, more)
        return True

    def forget(self, holding: Holding) -> None:
        """Release all parcels of this holding."""
        for parcel in self.parcels(holding.group):
            if parcel.holding is holding:
                self._count(parcel, -parcel.size)

    def _room(self, parcel: Parcel, more: int) -> bool:
        holding = parcel.holding
        if parcel.kind is Kind.CLIP and self._callers[holding.caller] + more > self.caller:
            return False
        while holding.address and self._groups[holding.group] + more > self._address:
            if parcel.kind is not Kind.REPLY or not self._displace(holding.group, parcel, more):
                return False
        while self.bytes + more > self._most:
            others = max(self._groups, key=self._groups.__getitem__, default=holding.group)
            if self._groups[others] <= self.caller and self._give_up_who_is_away(holding):
                continue
            ours = self._groups[holding.group] + more >= self._groups[others]
            if not self._displace(holding.group if ours else others, parcel, more):
                return False
        return True

    def _give_up_who_is_away(self, asking: Holding) -> bool:
        """The caller longest away loses all that waits for them; False if nothing waits for anybody who is away."""
        for holding in self.away:
            if theirs := [one for one in self.parcels(holding.group) if one.holding is holding and one.size]:
                if holding is asking:
                    continue
                for one in theirs:
                    self._lose(one)
                return True
        return False

    def _lose(self, victim: Parcel) -> None:
        self._count(victim, -victim.size)
        victim.lost = True
        victim.lose(victim)

    def _displace(self, group: Hashable, parcel: Parcel, more: int) -> bool:
        """The caller with most bytes of the group loses the newest parcel; False if that is the caller who asks."""
        asking, held = parcel.holding, Counter[int]()
        for one in self.parcels(group):
            held[one.holding.caller] += one.size
        if group == asking.group:
            held[asking.caller] += more
        largest = max(held, key=held.__getitem__)
        if largest == asking.caller:
            return False
        theirs = [one for one in reversed(self.parcels(group)) if one.holding.caller == largest]
        self._lose(min(theirs, key=lambda one: one.kind))
        return True

    def _count(self, parcel: Parcel, more: int) -> None:
        group, parcels = parcel.holding.group, self._parcels.setdefault(parcel.holding.group, {})
        parcel.size += more
        self.bytes += more
        self._groups[group] += more
        if parcel.kind is Kind.CLIP:
            self._callers[parcel.holding.caller] += more
        if parcel.size:
            parcels[parcel] = None
        else:
            parcels.pop(parcel, None)
            self._tidy(parcel.holding)

    def _tidy(self, holding: Holding) -> None:
        """Keep no entry for a group or caller of whom nothing waits."""
        if not self._parcels[holding.group]:
            del self._parcels[holding.group], self._groups[holding.group]
        if not self._callers[holding.caller]:
            del self._callers[holding.caller]
