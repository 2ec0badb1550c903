"""How long the caller has talked to whom, and what that costs: whole numbers, and no clock."""

from collections import Counter
from dataclasses import dataclass

from personas import Persona
from personas.pricing import Pricing

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a minute costs: `per_minute` in the smallest unit of `currency`, which has `digits` digits."""

    per_minute: int
    currency: str
    digits: int
    free_seconds: int
    text: str


@dataclass(frozen=True, slots=True)
class Amount:
    """So much money: `amount` in the smallest unit of `currency`, which has `digits` digits."""

    amount: int
    currency: str
    digits: int
    text: str


@dataclass(frozen=True, slots=True)
class Stay:
    """The time that a persona, in one version, was on the line in this call, and what it costs if it has a price."""

    persona: Persona
    seconds: int

    @property
    def price(self) -> Amount | None:
        """To be paid for it."""
        pricing = self.persona.behaviour.pricing
        return _amount(pricing, pricing.price_of(self.seconds)) if pricing else None


@dataclass(frozen=True, slots=True)
class Bill:
    """Everybody who was on the line, in the order in which they came."""

    stays: tuple[Stay, ...] = ()

    @property
    def seconds(self) -> int:
        """Of all of them."""
        return sum(stay.seconds for stay in self.stays)

    @property
    def price(self) -> tuple[Amount, ...]:
        """One for each currency; empty when nobody had a price."""
        sums: Counter[str] = Counter()
        pricings = {}
        for stay in self.stays:
            if (pricing := stay.persona.behaviour.pricing) and (price := stay.price):
                pricings[pricing.currency] = pricing
                sums[pricing.currency] += price.amount
        return tuple(_amount(pricing, sums[currency]) for currency, pricing in pricings.items())


class Meter:
    """Runs while somebody is on the line. `now` is in seconds, on one clock that never goes back."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, str], tuple[Persona, int]] = {}  # (id, version) -> ms of stays that have ended
        self._on: Persona | None = None
        self._since = 0.0

    @property
    def on(self) -> Persona | None:
        """Who is on the line."""
        return self._on

    def serve(self, persona: Persona, now: float) -> None:
        """From now on this one is on the line."""
        self.rest(now)
        self._on, self._since = persona, now
        self._spent.setdefault((persona.id, persona.version), (persona, 0))

    def rest(self, now: float) -> None:
        """From now on nobody is."""
        if self._on:
            self._spent[self._on.id, self._on.version] = (self._on, self._ms(self._on, now))
        self._on = None

    def ms(self, now: float) -> int:
        """All that was metered."""
        return sum(self._ms(persona, now) for persona, _ in self._spent.values())

    def bill(self, now: float) -> Bill:
        """What it comes to by now; a second that is not over does not count."""
        return Bill(tuple(Stay(persona, self._ms(persona, now) // 1000) for persona, _ in self._spent.values()))

    def _ms(self, persona: Persona, now: float) -> int:
        _, ended = self._spent[persona.id, persona.version]
        running = self._on is not None and (self._on.id, self._on.version) == (persona.id, persona.version)
        return ended + round((now - self._since) * 1000) if running else ended


def tariff(persona: Persona) -> Tariff | None:
    """What a minute with this persona costs, if it has a price."""
    pricing = persona.behaviour.pricing
    if pricing is None:
        return None
    free = f", the first {pricing.free_seconds} seconds free" if pricing.free_seconds else ""
    text = f"{pricing.text(pricing.per_minute)} a minute{free}"
    return Tariff(pricing.per_minute, pricing.currency, pricing.digits, pricing.free_seconds, text)


def _amount(pricing: Pricing, amount: int) -> Amount:
    return Amount(amount, pricing.currency, pricing.digits, pricing.text(amount))
