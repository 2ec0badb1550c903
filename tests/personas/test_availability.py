"""Opening hours at given moments: daylight saving time, nights, dates off. No clock is read."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas.availability import ALWAYS, DAYS, Availability
from personas.loading.faults import InvalidValue

BERLIN, YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"
APIA, HOWE, CAIRO = "Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo"


def hours(zone: str, hours: str | None = None, **more: Any) -> Availability:
    return Availability.read({"timezone": zone, **({"hours": hours} if hours else {}), **more})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("written", "opens", "closes"),
    [
        ("9am-9pm", "09:00", "21:00"),
        ("9 AM \u2013 9 PM", "09:00", "21:00"),
        ("09:00-18:30", "09:00", "18:30"),
        ("12am-12pm", "00:00", "12:00"),
        ("12pm-24:00", "12:00", "23:59"),
        ("9:15am-10:45pm", "09:15", "22:45"),
    ],
)
def test_hours_are_read_as_people_write_them(written: str, opens: str, closes: str) -> None:
    """Hours with am and pm, or with 24 hours; the beginning is included, the end is not."""
    open_ = hours(KOLKATA, written)
    first, last = at(f"2026-11-23T{opens}+05:30"), at(f"2026-11-23T{closes}+05:30")
    minute = timedelta(minutes=1)
    assert (open_.open_at(first - minute), open_.open_at(first)) == (False, True)
    assert (open_.open_at(last - minute), open_.open_at(last)) == (True, closes == "23:59")


@pytest.mark.parametrize(
    ("value", "way", "says"),
    [
        ({"hours": "9-21"}, ("hours",), "'9-21' cannot be read as hours. Write always, 9am-9pm"),
        ({"hours": "13pm-2pm"}, ("hours",), "cannot be read"),
        ({"hours": "9am-9am"}, ("hours",), "cannot be read"),
        ({"hours": "9am"}, ("hours",), "cannot be read"),
        ({"hours": "09:60-12:00"}, ("hours",), "cannot be read"),
        ({"hours": "24:00-25:00"}, ("hours",), "cannot be read"),
        ({"hours": "9am-1pm,"}, ("hours",), "cannot be read"),
        ({"hours": "9am-1pm, 12pm-6pm"}, ("hours",), "overlap"),
        ({"hours": "9am-9pm", "weekly": {"Mon": "9am-9pm"}}, (), "has both hours and weekly"),
        ({}, (), "has neither hours nor weekly"),
        ({"weekly": {"Mon": "9am-9pm"}, "days": ["Mon"]}, ("days",), "take it out"),
        ({"weekly": {}}, ("weekly",), "has the status inactive"),
        ({"weekly": {"Mon": "nine"}}, ("weekly", "Mon"), "cannot be read"),
        ({"hours": "always", "closed": ["2026-02-29"]}, ("closed", 0), "is not a day that exists"),
        ({"hours": "always", "closed": ["2026-02-28", "2026-2-8xx"]}, ("closed", 1), "is not a day that exists"),
        ({"hours": "always", "timezone": "Asia/Kolkatta"}, ("timezone",), "Did you mean 'Asia/Kolkata'?"),
        ({"hours": "always", "timezone": "../etc/passwd"}, ("timezone",), "is not a time zone of the IANA list"),
        ({"hours": "always", "timezone": "Asia"}, ("timezone",), "is not a time zone of the IANA list"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(value: dict[str, Any], way: tuple[str, ...], says: str) -> None:
    """Invalid times, dates and zones; each fault has its path."""
    with pytest.raises(InvalidValue) as unusable:
        Availability.read({"timezone": KOLKATA, **value})
    ((told, message),) = unusable.value.faults
    assert told == way
    assert says in message


@pytest.mark.parametrize(
    ("zone", "written", "moment", "expected"),
    [
        # Berlin skips 2 to 3 o'clock on 29 March 2026, and has it twice on 25 October.
        (BERLIN, "01:00-04:00", "2026-03-29T00:59+01:00", False),
        (BERLIN, "01:00-04:00", "2026-03-29T01:59+01:00", True),
        (BERLIN, "01:00-04:00", "2026-03-29T03:59+02:00", True),
        (BERLIN, "01:00-04:00", "2026-03-29T04:00+02:00", False),
        (BERLIN, "02:30-05:00", "2026-03-29T01:59+01:00", False),
        (BERLIN, "02:30-05:00", "2026-03-29T03:00+02:00", True),
        (BERLIN, "02:00-03:00", "2026-03-29T03:00+02:00", False),
        (BERLIN, "02:30-03:00", "2026-03-29T03:15+02:00", False),
        (BERLIN, "01:00-03:00", "2026-10-25T02:30+02:00", True),
        (BERLIN, "01:00-03:00", "2026-10-25T02:59+01:00", True),
        (BERLIN, "01:00-03:00", "2026-10-25T03:00+01:00", False),
        (BERLIN, "02:30-05:00", "2026-10-25T02:29+02:00", False),
        (BERLIN, "02:30-05:00", "2026-10-25T02:30+02:00", True),
        (BERLIN, "02:30-05:00", "2026-10-25T02:15+01:00", False),
        (BERLIN, "22:00-02:30", "2026-10-25T02:29+02:00", True),
        (BERLIN, "22:00-02:30", "2026-10-25T02:15+01:00", True),
        # New York: 8 March and 1 November 2026.
        (YORK, "9pm-2:30am", "2026-03-08T01:59-05:00", True),
        (YORK, "9pm-2:30am", "2026-03-08T03:00-04:00", False),
        (YORK, "9am-5pm", "2026-03-08T13:00+00:00", True),
        (YORK, "9am-5pm", "2026-03-07T13:59+00:00", False),
        (YORK, "1:30am-2am", "2026-11-01T01:45-04:00", True),
        (YORK, "1:30am-2am", "2026-11-01T01:45-05:00", True),
        (YORK, "1am-1:30am", "2026-11-01T01:15-05:00", True),
        # Samoa went from 29 to 31 December 2011; Lord Howe turns by half an hour, Cairo at midnight.
        (APIA, "9am-5pm", "2011-12-30T23:00+00:00", True),
        (HOWE, "02:10-03:00", "2026-10-04T02:30+11:00", True),
        (CAIRO, "00:30-01:45", "2026-04-24T01:00+03:00", True),
        # India never turns its clock.
        (KOLKATA, "9pm-2am", "2026-03-29T20:29+00:00", True),
        (KOLKATA, "9pm-2am", "2026-03-29T20:30+00:00", False),
    ],
)
def test_where_the_clock_is_turned(zone: str, written: str, moment: str, expected: bool) -> None:
    """Local time counts: skipped hours do not occur, repeated hours are open twice."""
    assert hours(zone, written).open_at(at(moment)) is expected


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    """Open on Fridays until two at night: it is open on Saturday at one, but not on Friday at one."""
    friday = hours(KOLKATA, weekly={"Fri": "9pm-2am"})
    assert friday.open_at(at("2026-11-28T01:59+05:30"))
    assert not friday.open_at(at("2026-11-28T02:00+05:30"))
    assert not friday.open_at(at("2026-11-27T01:00+05:30"))


def test_a_date_off_takes_the_night_after_it_along() -> None:
    """The night before continues into a date that is off."""
    off = hours(KOLKATA, "9pm-2am", closed=["2026-11-28"])
    assert off.open_at(at("2026-11-28T01:00+05:30"))
    assert not off.open_at(at("2026-11-28T22:00+05:30"))
    assert not off.open_at(at("2026-11-29T01:00+05:30"))
    assert off.open_at(at("2026-11-29T21:00+05:30"))


def test_a_leap_day_may_be_off_and_is_open_otherwise() -> None:
    """29 February 2028 is a Tuesday like any other."""
    assert hours(BERLIN, "9am-5pm").open_at(at("2028-02-29T12:00+01:00"))
    off = hours(BERLIN, "9am-5pm", closed=["2028-02-29"])
    assert not off.open_at(at("2028-02-29T12:00+01:00"))
    assert off.opens_next(at("2028-02-28T17:00+01:00")) == at("2028-03-01T09:00+01:00")


def test_a_break_closes() -> None:
    """Between two spans of a day it is closed; the next opening is after the break."""
    split = hours(KOLKATA, "9am-1pm, 2pm-6pm")
    assert not split.open_at(at("2026-11-23T13:30+05:30"))
    assert split.opens_next(at("2026-11-23T13:30+05:30")) == at("2026-11-23T14:00+05:30")


def test_it_opens_next_in_the_zone_of_the_persona() -> None:
    """The moment itself while it is open, else the next day with hours."""
    monday = hours(BERLIN, "9am-5pm", days=["Mon"])
    now = at("2026-11-23T10:00+00:00")
    assert monday.opens_next(now) == now
    later = monday.opens_next(at("2026-11-23T16:00+00:00"))
    assert later == at("2026-11-30T09:00+01:00")
    assert str(later.tzinfo) == BERLIN


def test_it_opens_after_every_only_day_that_is_off() -> None:
    """Ten Mondays off in a row are skipped; so is an opening in an hour that does not occur."""
    off = [(date(2026, 11, 23) + timedelta(weeks=week)).isoformat() for week in range(10)]
    assert hours(BERLIN, "9am-5pm", days=["Mon"], closed=off).opens_next(at("2026-11-20T10:00+00:00")) == at(
        "2027-02-01T09:00+01:00"
    )
    skipped = hours(BERLIN, "02:00-03:00")
    assert skipped.opens_next(at("2026-03-28T12:00+01:00")) == at("2026-03-30T02:00+02:00")


def test_the_turn_of_the_clock_may_swallow_the_only_hours_of_a_week() -> None:
    """Then it opens a week later; on 2026-03-29 the clock of Berlin has no time between two and three."""
    hours = Availability.read({"timezone": "Europe/Berlin", "weekly": {"Sun": "2am-3am"}})
    opens = hours.opens_next(datetime(2026, 3, 23, 12, tzinfo=UTC))
    assert opens.isoformat() == "2026-04-05T02:00:00+02:00"


def test_always_is_always_but_for_days_and_dates() -> None:
    """Without either it is told at once; with them a day is from midnight to midnight."""
    assert hours(KOLKATA, "Always").always
    assert ALWAYS.open_at(datetime.max.replace(tzinfo=UTC))
    weekend = hours(KOLKATA, "always", days=["Sat", "Sun"])
    assert not weekend.always
    assert weekend.open_at(at("2026-11-29T23:59+05:30"))
    assert not weekend.open_at(at("2026-11-30T00:00+05:30"))


def test_a_moment_without_a_zone_is_a_mistake_of_ours() -> None:
    """A naive datetime could be any of 38 moments."""
    with pytest.raises(ValueError, match="of no time zone"):
        hours(KOLKATA, "9am-9pm").open_at(datetime(2026, 11, 23, 12))


SPANS = st.lists(st.integers(0, 95), min_size=2, max_size=6, unique=True).map(sorted)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
ZONES = st.sampled_from([BERLIN, YORK, KOLKATA, HOWE, CAIRO, APIA, "UTC"])
TURNS = st.sampled_from(
    [(BERLIN, 3, 29), (BERLIN, 10, 25), (YORK, 11, 1), (HOWE, 10, 4), (CAIRO, 4, 24), (CAIRO, 10, 29)]
)


@settings(deadline=None)
@given(ZONES, SPANS, st.sets(st.sampled_from(DAYS), min_size=1), MOMENTS)
def test_the_clock_on_the_wall_decides(zone: str, quarters: list[int], days: set[str], moment: datetime) -> None:
    """Hours of a day in local time, computed minute by minute."""
    local = moment.astimezone(ZoneInfo(zone))
    pairs = list(zip(quarters[::2], quarters[1::2], strict=False))
    text = ", ".join(f"{a // 4:02}:{a % 4 * 15:02}-{b // 4:02}:{b % 4 * 15:02}" for a, b in pairs)
    now = local.hour * 4 + local.minute / 15 + local.second / 900 + local.microsecond / 9e8
    expected = DAYS[local.weekday()] in days and any(a <= now < b for a, b in pairs)
    assert hours(zone, text, days=sorted(days)).open_at(moment) is expected


@settings(deadline=None)
@given(ZONES, SPANS, st.sets(st.sampled_from(DAYS), min_size=1), MOMENTS)
def test_it_is_open_when_it_opens_next_and_closed_until_then(
    zone: str, quarters: list[int], days: set[str], moment: datetime
) -> None:
    """Over midnight too: the last span of a day may end in the next."""
    a, b = quarters[-1], quarters[0]
    text = f"{a // 4:02}:{a % 4 * 15:02}-{b // 4:02}:{b % 4 * 15:02}"
    some = hours(zone, text, days=sorted(days))
    opens = some.opens_next(moment)
    assert opens is not None
    assert some.open_at(opens)
    if opens != moment:
        assert not some.open_at(moment)
        assert not some.open_at(opens - timedelta(microseconds=1))
        assert not some.open_at(moment + (opens - moment) / 2)


@settings(deadline=None)
@given(TURNS, st.integers(0, 2 * 24 * 4), SPANS)
def test_it_opens_at_the_first_open_minute_also_where_the_clock_is_turned(
    turn: tuple[str, int, int], quarter: int, quarters: list[int]
) -> None:
    """Compared at every quarter of an hour around a change of the clock."""
    zone, month, day = turn
    a, b = quarters[0], quarters[1]
    some = hours(zone, f"{a // 4:02}:{a % 4 * 15:02}-{b // 4:02}:{b % 4 * 15:02}")
    moment = datetime(2026, month, day, tzinfo=UTC) + timedelta(days=-1, minutes=15 * quarter)
    later = (moment + timedelta(minutes=15 * number) for number in range(3 * 24 * 4))
    assert some.opens_next(moment).astimezone(UTC) == next(one for one in later if some.open_at(one))
