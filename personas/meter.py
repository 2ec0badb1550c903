"""Meters a call: how long the caller talked to each persona, and the price. Whole numbers; times are arguments."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from personas import Persona
from personas.pricing import Amount, Pricing, amount_of
from personas.tab import OneDay, Tab

LATELY_SECONDS = 120.0  # of what was metered is known exactly when: a caller who is not seen for 60 s is gone


@dataclass(frozen=True, slots=True)
class Stay:
    """The whole seconds that a persona was on the line at one price. `persona` is its latest version of `versions`."""

    persona: Persona
    seconds: int
    versions: tuple[str, ...] = ()
    cost: int = 0
    """In the smallest unit of the currency, of what was charged."""

    @property
    def price(self) -> Amount | None:
        """The price of these seconds, or None if the persona has no price."""
        pricing = self.persona.behaviour.pricing
        return pricing.amount(self.cost) if pricing else None


@dataclass(frozen=True, slots=True)
class Bill:
    """The stays of a call, in the order in which they began."""

    stays: tuple[Stay, ...] = ()

    @property
    def seconds(self) -> int:
        """The sum of all stays."""
        return sum(stay.seconds for stay in self.stays)

    @property
    def priced_seconds(self) -> int:
        """The sum of the stays that have a price."""
        return sum(stay.seconds for stay in self.stays if stay.persona.behaviour.pricing)

    @property
    def price(self) -> tuple[Amount, ...]:
        """The total for each currency; empty if no stay has a price."""
        sums: dict[tuple[str, int], int] = defaultdict(int)
        for stay in self.stays:
            if pricing := stay.persona.behaviour.pricing:
                sums[pricing.currency, pricing.digits] += stay.cost
        return tuple(amount_of(smallest, *unit) for unit, smallest in sums.items())


@dataclass(frozen=True, slots=True)
class KeptTime:
    """What was metered of a persona at one price, and charged, to go on with elsewhere."""

    persona: Persona
    ms: int
    versions: tuple[str, ...] = ()
    cost: int = 0


@dataclass(slots=True)
class _Time:
    """The milliseconds of a stay up to the last stop of the meter, how many were charged, and what they cost."""

    persona: Persona
    versions: dict[str, None] = field(default_factory=dict)
    ms: int = 0
    charged: int = 0
    cost: int = 0


class Meter:
    """Runs while a persona is on the line. `now` is in seconds of a monotonic clock."""

    def __init__(self, tab: Tab | None = None) -> None:
        """What is talked goes on the `tab` of the caller, which says what it costs."""
        self._tab = tab or OneDay()
        self._metered: list[tuple[_Time, float, float]] = []  # lately: of whom, from when to when
        self._times: dict[tuple[str, Pricing | None], _Time] = {}
        self._on: _Time | None = None
        self._since = 0.0
        self._paused = False
        self._paused_on: _Time | None = None

    def start(self, persona: Persona, now: float) -> None:
        """Start the meter for a persona; it is stopped for the one before."""
        self.stop(now)
        time = self._times.setdefault((persona.id, persona.behaviour.pricing), _Time(persona))
        time.persona, time.versions[persona.version] = persona, None
        self._on, self._since = time, now

    def stop(self, now: float) -> None:
        """Stop the meter."""
        if on := self._on:
            on.ms = self._ms(on, now)
            self._on = None
            if not self._paused:
                lately = (span for span in self._metered if span[2] > now - LATELY_SECONDS)
                self._metered = [*lately, (on, self._since, now)]
            self._charge(on, now)

    def pause(self, now: float) -> None:
        """Nothing is metered from `now` on, whoever is on the line, until `resume`. `now` may be a while ago."""
        if self._on:
            self._on.ms = self._ms(self._on, max(now, self._since))
        if not self._paused:
            for time, since, until in self._metered:
                time.ms -= round(max(0.0, until - max(now, since)) * 1000)
            self._paused, self._paused_on, self._metered = True, self._on, []
        self._charge_all(now)

    def resume(self, now: float, seconds: float = 0.0) -> None:
        """The caller is back; the last `seconds` are metered, too, if whoever is on the line was there all the time."""
        stayed = self._on is self._paused_on
        self._paused, self._since = False, now - seconds if stayed else now

    def bill(self, now: float) -> Bill:
        """The bill up to now, which is charged. Only full seconds of each stay count."""
        self._charge_all(now)
        return Bill(tuple(self._stay(time, now) for time in self._times.values()))

    def priced_seconds(self, now: float) -> int:
        """The whole seconds of the stays that have a price, which are not charged by that."""
        priced = [time for time in self._times.values() if time.persona.behaviour.pricing]
        return sum(self._ms(time, now) // 1000 for time in priced)

    def seconds_to_full_minute(self, now: float) -> float | None:
        """The seconds until the next full minute of priced time; None if no priced time is being counted."""
        if not self._on or self._paused or not self._on.persona.behaviour.pricing:
            return None
        return 60 - self.priced_seconds(now) % 60 - self._ms(self._on, now) % 1000 / 1000

    def kept(self, now: float) -> tuple[KeptTime, ...]:
        """What was metered up to now; it is charged by that."""
        self._charge_all(now)
        times = self._times.values()
        return tuple(KeptTime(one.persona, self._ms(one, now), tuple(one.versions), one.cost) for one in times)

    def adopt(self, times: Iterable[KeptTime]) -> None:
        """Go on with what was metered elsewhere, and charged there."""
        for kept in times:
            key, charged = (kept.persona.id, kept.persona.behaviour.pricing), kept.ms // 1000 * 1000
            self._times[key] = _Time(kept.persona, dict.fromkeys(kept.versions), kept.ms, charged, kept.cost)

    def _stay(self, time: _Time, now: float) -> Stay:
        return Stay(time.persona, self._ms(time, now) // 1000, tuple(time.versions), time.cost)

    def _charge_all(self, now: float) -> None:
        for time in self._times.values():
            self._charge(time, now)

    def _charge(self, time: _Time, now: float) -> None:
        """Put on the tab the whole seconds of this stay that are not there yet, or take back what is too much."""
        if pricing := time.persona.behaviour.pricing:
            ms = self._ms(time, now) // 1000 * 1000 - time.charged
            if ms:
                time.cost += self._tab.charge(f"{time.persona.id} {pricing.row}", pricing, ms, now)
                time.charged += ms

    def _ms(self, time: _Time, now: float) -> int:
        runs = time is self._on and not self._paused
        return time.ms + round((now - self._since) * 1000) if runs else time.ms
