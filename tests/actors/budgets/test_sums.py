"""The sums of periods, in memory."""

from actors.budgets.sums import EVERYBODY, Memory

DAY = "2026-11-30"
HOUR = "2026-11-30T12"


def test_sums_are_added_up_by_period_and_by_whom() -> None:
    """What was never added is nothing."""
    memory = Memory()
    memory.add(DAY, "one", {"tokens": 3})
    memory.add(DAY, "one", {"tokens": 4, "talked_ms": 5})
    memory.add(HOUR, "one", {"tokens": 1})
    assert memory.read(DAY, "one") == {"tokens": 7, "talked_ms": 5}
    assert memory.read(HOUR, "one") == {"tokens": 1}
    assert memory.read(DAY, "two") == memory.read("2026-12-01", "one") == {}


def test_two_days_and_two_hours_are_kept() -> None:
    """The oldest of its kind goes; an hour sends away no day."""
    memory = Memory()
    for period in ("2026-11-29", "2026-11-30", HOUR, "2026-11-30T13", "2026-11-30T14", "2026-12-01"):
        memory.add(period, EVERYBODY, {"tokens": 1})
    assert memory.periods == ["2026-11-30", "2026-11-30T13", "2026-11-30T14", "2026-12-01"]
    memory.add("2026-12-03", EVERYBODY, {"tokens": 1})
    memory.add("2026-12-02", EVERYBODY, {"tokens": 1})  # the clock was put back
    memory.add("2026-12-04", EVERYBODY, {"tokens": 1})
    assert memory.periods[-2:] == ["2026-12-03", "2026-12-04"]


def test_it_is_bounded() -> None:
    """Whoever came to something longest ago is forgotten, but never what all have come to."""
    memory = Memory(users=2)
    for who in (EVERYBODY, "one", "two", "one", "three"):
        memory.add(DAY, who, {"tokens": 1})
    assert [memory.read(DAY, who).get("tokens", 0) for who in (EVERYBODY, "one", "two", "three")] == [1, 2, 0, 1]


def test_what_has_changed_is_told_once() -> None:
    """And again if it could not be written down; of a period that is over meanwhile nothing is left."""
    memory = Memory()
    memory.add(DAY, "one", {"tokens": 1})
    assert memory.take_changed() == {}  # nobody writes it down
    memory.noting = True
    memory.add(DAY, "one", {"tokens": 1})
    memory.add(DAY, "one", {"tokens": 1})
    assert memory.take_changed() == {(DAY, "one"): {"tokens": 3}}
    assert memory.take_changed() == {}
    memory.put_back([(DAY, "one")])
    assert memory.take_changed() == {(DAY, "one"): {"tokens": 3}}
