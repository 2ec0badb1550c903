"""What waits for callers, in bytes: by caller, by address and in all, so that nobody fills the memory of the others.

A ledger: it holds no bytes itself. Who keeps some for a caller counts them in a parcel, and gives it back.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from enum import IntEnum

MIB = 2**20
CROWDED = "Too much of yours waits already: send it again when what you said before is answered."
LARGE = 64 * 1024
"""Bytes: smaller frames are not counted. What comes 50 times a second must cost nothing, and is bounded elsewhere."""


class Kind(IntEnum):
    """What waits. Of a caller who must lose something, the first of these goes first."""

    CLIP = 0
    """One that has come whole: it may be refused, and the call goes on."""
    FRAME = 1
    """One that is still coming. It cannot be passed over, so only the limits of all and of an address hold for it."""
    REPLY = 2
    """What the caller does not read. It was not their choice how much that is: as for FRAME."""


class Parcel:
    """Some bytes that wait. `lost`: others needed the room, `lose` was called, and nothing more is counted here."""

    __slots__ = ("holding", "kind", "lose", "lost", "size")

    def __init__(self, holding: "Holding", kind: Kind, lose: "Callable[[Parcel], object]") -> None:
        self.holding, self.kind, self.lose = holding, kind, lose
        self.size = 0
        self.lost = False

    def resize(self, size: int) -> bool:
        """It is so large now; False, and nothing changed, where that is more than may wait."""
        return self.holding.ledger.resize(self, size)

    def release(self) -> None:
        """Nothing of it waits any more."""
        self.holding.ledger.resize(self, 0)


class Holding:
    """Whoever keeps something for one connection of a caller: its shore, or its session."""

    def __init__(self, ledger: "Ledger", caller: int, address: str) -> None:
        self.ledger, self.caller, self.address = ledger, caller, address
        self.closed = False

    @property
    def group(self) -> Hashable:
        """With whom they share: those of their address; without one they are alone."""
        return self.address or self.caller

    def parcel(self, kind: Kind, lose: Callable[[Parcel], object] = lambda parcel: None) -> Parcel:
        """An empty one. `lose` is called while somebody else is being served: it may only tell."""
        return Parcel(self, kind, lose)

    def close(self) -> None:
        """Nothing is kept here any more, and nothing will be."""
        self.closed = True
        self.ledger.forget(self)


class Ledger:
    """`caller`, `address` and `most` are bytes that may wait for one caller, one address, and in all."""

    def __init__(self, caller: int = 12 * MIB, address: int = 32 * MIB, most: int = 256 * MIB) -> None:
        self.caller, self._address, self._most = caller, address, most
        self.bytes = 0
        self._parcels: dict[Hashable, dict[Parcel, None]] = {}  # of a group, the oldest first
        self._groups: Counter[Hashable] = Counter()
        self._callers: Counter[int] = Counter()  # of what their own limit holds for

    def holding(self, caller: int, address: str = "") -> Holding:
        """For this connection, by its number; `address` is empty where callers are not limited by it."""
        return Holding(self, caller, address)

    def parcels(self, group: Hashable) -> tuple[Parcel, ...]:
        """What waits of a group, the oldest first; see Holding for what that is."""
        return tuple(self._parcels.get(group, ()))

    def resize(self, parcel: Parcel, size: int) -> bool:
        """See Parcel."""
        more = size - parcel.size
        if more > 0 and (parcel.lost or parcel.holding.closed or not self._room(parcel, more)):
            return False
        if more:
            self._count(parcel, more)
        return True

    def forget(self, holding: Holding) -> None:
        """Give back all that was counted by this one."""
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
            ours = self._groups[holding.group] + more >= self._groups[others]
            if not self._displace(holding.group if ours else others, parcel, more):
                return False
        return True

    def _displace(self, group: Hashable, parcel: Parcel, more: int) -> bool:
        """The largest holder of a group loses their newest; False where that is the one who asks."""
        asking, held = parcel.holding, Counter[int]()
        for one in self.parcels(group):
            held[one.holding.caller] += one.size
        if group == asking.group:
            held[asking.caller] += more
        largest = max(held, key=held.__getitem__)
        if largest == asking.caller:
            return False
        theirs = [one for one in reversed(self.parcels(group)) if one.holding.caller == largest]
        victim = min(theirs, key=lambda one: one.kind)
        self._count(victim, -victim.size)
        victim.lost = True
        victim.lose(victim)
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
        """Of whom nothing waits, nothing is known."""
        if not self._parcels[holding.group]:
            del self._parcels[holding.group], self._groups[holding.group]
        if not self._callers[holding.caller]:
            del self._callers[holding.caller]
