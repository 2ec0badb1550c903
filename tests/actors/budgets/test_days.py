"""The day in a time zone, and talk over midnight."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from actors.budgets.days import Days
from actors.runtime import Clock

NOW = 5000.0


def days(wall: str, zone: str = "UTC") -> Days:
    """It is this time, of UTC."""
    return Days(Clock(lambda: NOW, lambda: datetime.fromisoformat(wall).replace(tzinfo=UTC)), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("wall", "zone", "day", "hour"),
    [
        ("2026-11-29 23:59:59", "UTC", "2026-11-29", "2026-11-29T23"),
        ("2026-11-30 00:00:00", "UTC", "2026-11-30", "2026-11-30T00"),
        ("2026-11-29 18:29:59", "Asia/Kolkata", "2026-11-29", "2026-11-29T18"),
        ("2026-11-29 18:30:00", "Asia/Kolkata", "2026-11-30", "2026-11-29T18"),
    ],
)
def test_a_day_begins_at_midnight_in_its_zone(wall: str, zone: str, day: str, hour: str) -> None:
    """Hours are those of UTC everywhere."""
    assert (days(wall, zone).day(), days(wall, zone).hour()) == (day, hour)


def test_callers_are_told_when_the_next_begins() -> None:
    """In the zone of the days."""
    it = days("2026-11-29 23:10:00", "Asia/Kolkata")
    assert (it.next_hour(), it.next_day()) == ("00:00 UTC", "00:00 Asia/Kolkata")


@pytest.mark.parametrize(
    ("ms", "ago", "parts"),
    [
        (10_000, 0, [("2026-11-30", 10_000)]),
        (20_000, 0, [("2026-11-30", 20_000)]),
        (20_001, 0, [("2026-11-29", 1), ("2026-11-30", 20_000)]),
        (15_000, 10, [("2026-11-29", 5_000), ("2026-11-30", 10_000)]),
        (15_000, 30, [("2026-11-29", 15_000)]),
    ],
)
def test_talk_is_of_the_day_on_which_it_was(ms: int, ago: int, parts: list[tuple[str, int]]) -> None:
    """It is twenty seconds after midnight, and the talk ended so many seconds ago."""
    assert list(days("2026-11-30 00:00:20").split(ms, NOW - ago)) == parts


def test_a_day_of_twenty_three_hours() -> None:
    """At three in the morning two hours have passed since midnight."""
    it = days("2026-03-29 01:00:00", "Europe/Berlin")
    day = timedelta(hours=2) // timedelta(milliseconds=1)
    assert list(it.split(day + 1, NOW)) == [("2026-03-28", 1), ("2026-03-29", day)]
