"""When a persona takes calls: hours of a week in a time zone, as a function of a moment. No clock is read here.

Hours are those of the wall clock, and belong to the day on which they begin, also when they end after midnight. Where
the clock is turned they follow RFC 5545 (3.3.5): a time that is skipped is counted by the clock from before, a time
that comes twice is the first of the two.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from personas.check import Unusable
from schemas.sentences import Parts, nearest

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = 24 * 60  # minutes
_EARLIER = -2  # days from today to the first whose hours may last until now; a zone once skipped a day
_TIME = re.compile(r"(\d{1,2})(?::(\d\d))?\s*(am|pm)?", re.IGNORECASE)
_HELP = "Write always, 9am-9pm, or 09:00-13:00, 14:00-18:30"

Faults = list[tuple[Parts, str]]
Span = tuple[int, int]
"""Minutes from the midnight before; the end lies beyond 1440 when it is after midnight."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Spans of each day from Monday, in the time of `zone`; none begin on a date that is off."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    off: frozenset[date]

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Availability":
        """From a value that has the shape of the feature; raises Unusable."""
        faults: Faults = []
        if value["timezone"] not in _zones():
            faults.append((("timezone",), _unknown_zone(value["timezone"])))
        week = _week(value, faults)
        off = {number: _date(text) for number, text in enumerate(value.get("closed", ()))}
        faults += [(("closed", number), _NO_DATE) for number, day in off.items() if day is None]
        if faults:
            raise Unusable(faults)
        return cls(ZoneInfo(value["timezone"]), week, frozenset(day for day in off.values() if day))

    @property
    def always(self) -> bool:
        """Whether nobody is ever turned away."""
        return not self.off and all(spans == ((0, _DAY),) for spans in self.week)

    def open_at(self, moment: datetime) -> bool:
        """Whether a call that comes at this moment is taken."""
        return self.always or any(begin <= moment < end for begin, end in _around(self, self._day(moment)))

    def opens_next(self, moment: datetime) -> datetime:
        """The first moment from this one on at which calls are taken, in the persona's zone; itself when it is one."""
        if self.open_at(moment):
            return moment.astimezone(self.zone)
        # There always is one: some day of the week has hours, and not all of the days to come are off.
        days = (self._day(moment) + timedelta(days=number) for number in count(_EARLIER))
        coming = (begin for day in days for begin, _ in self.spans(day) if begin > moment)
        return next(coming).astimezone(self.zone)

    def spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Those that begin on this day, in UTC."""
        for begin, end in self.week[day.weekday()] if day not in self.off else ():
            first, last = self._instant(day, begin), self._instant(day, end)
            if first < last:  # the turn of the clock may leave nothing of it
                yield first, last

    def _day(self, moment: datetime) -> date:
        if moment.tzinfo is None:
            raise ValueError(f"{moment} is of no time zone")
        return moment.astimezone(self.zone).date()

    def _instant(self, day: date, minute: int) -> datetime:
        days, rest = divmod(minute, _DAY)
        return datetime.combine(day + timedelta(days=days), time(*divmod(rest, 60)), self.zone).astimezone(UTC)


ALWAYS = Availability(ZoneInfo("UTC"), (((0, _DAY),),) * 7, frozenset())


@functools.lru_cache(maxsize=8192)
def _around(hours: Availability, today: date) -> tuple[tuple[datetime, datetime], ...]:
    """What may be going on today; kept, as a list of a thousand is asked for again and again."""
    return tuple(span for number in range(_EARLIER, 2) for span in hours.spans(today + timedelta(days=number)))


def _week(value: Mapping[str, Any], faults: Faults) -> tuple[tuple[Span, ...], ...]:
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


def _spans(text: str, at: tuple[str, ...], faults: Faults) -> tuple[Span, ...]:
    """Read the hours of a day: always, or spans such as 9am-1pm, 2pm-6:30pm."""
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
    """The minute of the day: 9am, 9:30 pm, 09:00, 24:00; a bare 9 could be either."""
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


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
