"""How long the caller has talked to whom, and what that costs: whole numbers, and no clock."""

from collections import defaultdict
from dataclasses import dataclass, field

from personas import Persona
from personas.pricing import Amount, Pricing, amount_of


@dataclass(frozen=True, slots=True)
class Stay:
    """The time that a persona was on the line at one price: as it was last, and all the versions that it had."""

    persona: Persona
    seconds: int
    versions: tuple[str, ...] = ()

    @property
    def price(self) -> Amount | None:
        """To be paid for it."""
        pricing = self.persona.behaviour.pricing
        return pricing.amount(pricing.price_of(self.seconds)) if pricing else None


@dataclass(frozen=True, slots=True)
class Bill:
    """Everybody who was on the line, in the order in which they came."""

    stays: tuple[Stay, ...] = ()

    @property
    def seconds(self) -> int:
        """Of all of them."""
        return sum(stay.seconds for stay in self.stays)

    @property
    def priced_seconds(self) -> int:
        """Of those who have a price."""
        return sum(stay.seconds for stay in self.stays if stay.persona.behaviour.pricing)

    @property
    def price(self) -> tuple[Amount, ...]:
        """One for each currency; empty when nobody had a price."""
        sums: dict[tuple[str, int], int] = defaultdict(int)
        for stay in self.stays:
            if pricing := stay.persona.behaviour.pricing:
                sums[pricing.currency, pricing.digits] += pricing.price_of(stay.seconds)
        return tuple(amount_of(smallest, *unit) for unit, smallest in sums.items())


@dataclass(slots=True)
class _Time:
    """What a stay has come to, without what is running now."""

    persona: Persona
    versions: dict[str, None] = field(default_factory=dict)
    ms: int = 0


class Meter:
    """Runs while somebody is on the line. `now` is in seconds, on one clock that never goes back."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, Pricing | None], _Time] = {}
        self._on: _Time | None = None
        self._since = 0.0

    def serve(self, persona: Persona, now: float) -> None:
        """From now on this one is on the line."""
        self.rest(now)
        time = self._times.setdefault((persona.id, persona.behaviour.pricing), _Time(persona))
        time.persona, time.versions[persona.version] = persona, None
        self._on, self._since = time, now

    def rest(self, now: float) -> None:
        """From now on nobody is."""
        if self._on:
            self._on.ms = self._ms(self._on, now)
        self._on = None

    def bill(self, now: float) -> Bill:
        """What it comes to by now; a second of a stay that is not over does not count."""
        times = self._times.values()
        return Bill(tuple(Stay(time.persona, self._ms(time, now) // 1000, tuple(time.versions)) for time in times))

    def minute_in(self, now: float) -> float | None:
        """The seconds until another minute with a price is full; None while it is not coming nearer."""
        if not self._on or not self._on.persona.behaviour.pricing:
            return None
        return 60 - self.bill(now).priced_seconds % 60 - self._ms(self._on, now) % 1000 / 1000

    def _ms(self, time: _Time, now: float) -> int:
        return time.ms + round((now - self._since) * 1000) if time is self._on else time.ms
