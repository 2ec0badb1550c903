"""Which day and which hour it is, for whoever adds up by them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from actors.runtime import Clock

HOUR = timedelta(hours=1)
MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Days begin at midnight in `zone`, hours are those of UTC."""

    clock: Clock
    zone: ZoneInfo

    def day(self) -> str:
        """The day, as "2026-11-29"."""
        return f"{self._local.date()}"

    def hour(self) -> str:
        """The hour, as "2026-11-29T23"."""
        return f"{self.clock.wall():%Y-%m-%dT%H}"

    def next_day(self) -> str:
        """When the next day begins, for callers."""
        return f"00:00 {self.zone.key}"

    def next_hour(self) -> str:
        """When the next hour begins, for callers."""
        return f"{self.clock.wall() + HOUR:%H}:00 UTC"

    def split(self, ms: int, until: float) -> Iterator[tuple[str, int]]:
        """So many milliseconds that ended at `until`, on the clock of calls: how many of them were on which day."""
        end = (self.clock.wall() - timedelta(seconds=self.clock.now() - until)).astimezone(self.zone)
        midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
        today = min(ms, (end.astimezone(UTC) - midnight.astimezone(UTC)) // MS)
        if ms > today:
            yield f"{end.date() - timedelta(days=1)}", ms - today
        yield f"{end.date()}", today

    @property
    def _local(self) -> datetime:
        return self.clock.wall().astimezone(self.zone)
