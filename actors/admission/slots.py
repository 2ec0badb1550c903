"""Who is on the line with whom: counted for all calls of this process, so that a persona has no more than it may."""

from collections import Counter
from collections.abc import Collection, Hashable

from personas import Persona


class PersonaSlots:
    """A call holds the persona that is on its line and the one that it is switching to. The supervisor owns it."""

    def __init__(self) -> None:
        self._held: dict[Hashable, frozenset[str]] = {}
        self._callers: Counter[str] = Counter()

    def claim(self, call: Hashable, persona: Persona) -> bool:
        """Whether the call may have this one; then it holds it, besides what it held before."""
        held = self._held.get(call, frozenset())
        if persona.id not in held and self.full(persona):
            return False
        self._hold(call, held | {persona.id})
        return True

    def let_go(self, call: Hashable, keeps: Collection[str] = ()) -> None:
        """Of those that the call holds it needs only these any more."""
        self._hold(call, self._held.get(call, frozenset()).intersection(keeps))

    def full(self, persona: Persona) -> bool:
        """Whether nobody else may have this one."""
        most = persona.behaviour.max_callers
        return most is not None and self.callers(persona.id) >= most

    def callers(self, astrologer_id: str) -> int:
        """How many calls hold this one."""
        return self._callers[astrologer_id]

    def _hold(self, call: Hashable, held: frozenset[str]) -> None:
        self._callers -= Counter(self._held.pop(call, ()))  # who comes to none is not counted any more
        if held:
            self._held[call] = held
            self._callers += Counter(held)
