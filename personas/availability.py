"""When a persona takes calls: opening hours of a week in a time zone. Times are arguments; no clock is read here.

Opening hours are local time. On a change to or from daylight saving time, an hour that is skipped does not occur, and
one that is repeated is open twice. A span belongs to the day on which it begins, also if it ends after midnight.
"""

import functools
import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from personas.loading.faults import InvalidValue
from schemas.explain import Parts, nearest

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = 24 * 60  # minutes
_A_DAY, _A_MINUTE = timedelta(days=1), timedelta(minutes=1)
_TIME = re.compile(r"(\d{1,2})(?::(\d\d))?\s*(am|pm)?", re.IGNORECASE)
_HELP = "Write always, 9am-9pm, or 09:00-13:00, 14:00-18:30"

_PathFaults = list[tuple[Parts, str]]
Span = tuple[int, int]
"""Begin and end in minutes after the midnight before it begins; the end is over 1440 if it is on the next day."""


@dataclass(frozen=True, slots=True)
class Availability:
    """The spans of each day, from Monday, in local time of `zone`. On the dates in `off` none begin."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    off: frozenset[date]

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Availability":
        """Parse a value that fits the schema of the feature `availability`. Raises InvalidValue."""
        faults: _PathFaults = []
        if value["timezone"] not in _zones():
            faults.append((("timezone",), _unknown_zone(value["timezone"])))
        week = _week(value, faults)
        off = {number: _date(text) for number, text in enumerate(value.get("closed", ()))}
        faults += [(("closed", number), _NO_DATE) for number, day in off.items() if day is None]
        if faults:
            raise InvalidValue(faults)
        return cls(ZoneInfo(value["timezone"]), week, frozenset(day for day in off.values() if day))

    @property
    def always(self) -> bool:
        """True if it is open at all times."""
        return not self.off and all(spans == ((0, _DAY),) for spans in self.week)

    def open_at(self, moment: datetime) -> bool:
        """True if it is open at an aware datetime. Raises ValueError for a naive one."""
        wall = self._wall(moment)
        minute, today = wall.hour * 60 + wall.minute, wall.date()
        return any(begin <= minute < end for begin, end in self._of(today)) or any(
            minute + _DAY < end for _, end in self._of(today - _A_DAY)
        )

    def opens_next(self, moment: datetime) -> datetime:
        """The first moment at or after this one at which it is open, as an aware datetime in `zone`."""
        if self.open_at(moment):
            return moment.astimezone(self.zone)
        # The search ends: some day of the week has hours, and only finitely many dates are off.
        days = (self._wall(moment).date() + number * _A_DAY for number in count())
        begins = (begin for day in days for begin in self._begins(day))
        return next(one for one in begins if one > moment and self.open_at(one)).astimezone(self.zone)

    def _begins(self, day: date) -> list[datetime]:
        """The moments at which it may open on a day, sorted: begins of spans (both, if repeated), and a DST change."""
        if not (self._of(day) or self._of(day - _A_DAY)):
            return []
        times = {self._instant(day, begin, fold) for begin, _ in self._of(day) for fold in (0, 1)}
        first, last = self._instant(day, 0), self._instant(day + _A_DAY, 0)
        if last - first != _A_DAY:
            times.add(self._dst_change(first, last))
        return sorted(times)

    def _dst_change(self, first: datetime, last: datetime) -> datetime:
        """The minute between two moments at which the UTC offset changes."""
        before = self._wall(first - _A_MINUTE).utcoffset()
        minutes = range((last - first) // _A_MINUTE)
        number = bisect_left(minutes, True, key=lambda n: self._wall(first + n * _A_MINUTE).utcoffset() != before)
        return first + number * _A_MINUTE

    def _of(self, day: date) -> tuple[Span, ...]:
        return self.week[day.weekday()] if day not in self.off else ()

    def _wall(self, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            raise ValueError(f"{moment} is of no time zone")
        return moment.astimezone(self.zone)

    def _instant(self, day: date, minute: int, fold: int = 0) -> datetime:
        return datetime.combine(day, time(*divmod(minute, 60), fold=fold), self.zone).astimezone(UTC)


ALWAYS = Availability(ZoneInfo("UTC"), (((0, _DAY),),) * 7, frozenset())


def _week(value: Mapping[str, Any], faults: _PathFaults) -> tuple[tuple[Span, ...], ...]:
    hours, weekly, days = value.get("hours"), value.get("weekly"), value.get("days", DAYS)
    if (hours is None) == (weekly is None):
        which = "has both hours and weekly" if hours else "has neither hours nor weekly"
        faults.append(((), f"{which}; write one of them."))
    if weekly == {}:
        faults.append((("weekly",), "names no day; whoever takes no calls has the status inactive."))
    if weekly is not None and "days" in value:
        faults.append((("days",), "stands beside weekly, which names its days itself; take it out."))
    if weekly is None:
        spans = _spans(hours or "always", ("hours",), faults)
        return tuple(spans if day in days else () for day in DAYS)
    return tuple(_spans(weekly[day], ("weekly", day), faults) if day in weekly else () for day in DAYS)


def _spans(text: str, at: tuple[str, ...], faults: _PathFaults) -> tuple[Span, ...]:
    """Parse the hours of a day: "always", or spans such as "9am-1pm, 2pm-6:30pm". Faults are appended."""
    if text.strip().casefold() == "always":
        return ((0, _DAY),)
    spans = [_span(part) for part in text.split(",")]
    read = sorted(span for span in spans if span)
    if len(read) < len(spans):
        faults.append((at, f"'{text}' cannot be read as hours. {_HELP}."))
    for (_, end), (begin, _) in pairwise(read):
        if begin < end:
            faults.append((at, f"'{text}' has hours that overlap. Write each hour once."))
    return tuple(read)


def _span(text: str) -> Span | None:
    begin, dash, end = re.sub(r"[\u2012-\u2014]", "-", text).partition("-")
    first, last = _minute(begin.strip()), _minute(end.strip())
    if not dash or first is None or last is None or first in (last, _DAY):
        return None
    return first, last if last > first else last + _DAY


def _minute(text: str) -> int | None:
    """Parse a time to the minute of the day: 9am, 9:30 pm, 09:00, 24:00. None for others, also for an ambiguous 9."""
    found = _TIME.fullmatch(text)
    if not found or not (found[2] or found[3]):
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (found[3].casefold() == "pm")
    total = hour * 60 + minute
    return total if minute < 60 and total <= _DAY else None


_NO_DATE = "is not a day that exists. Write year, month and day, such as 2026-11-08."


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        return None


def _unknown_zone(name: str) -> str:
    return f"'{name}' is not a time zone of the IANA list, such as Asia/Kolkata.{nearest(name, _zones())}"


_NOT_ZONES = {"localtime", "posixrules", "Factory"}  # files of tzdata that depend on the machine, or are placeholders


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_ZONES
