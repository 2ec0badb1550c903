"""The fair queue alone, without decoders."""

from collections.abc import Iterator

import pytest

from audio.fair_queue import (
    EXPECTED_SECONDS,
    HALF_LIFE,
    HEAVY_SECONDS,
    MOST_KEYS,
    OLDEST_EVERY,
    Entry,
    FairQueue,
    Sender,
)

ATTACKER: Sender = (("address", "192.0.2.1"), ("user", "attacker"))
HONEST: Sender = (("user", "honest"),)
MOST = 8


class Clock:
    """A clock that stands still unless the test sets it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock for one test."""
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> FairQueue[str]:
    """An empty queue in front of two decoders."""
    return FairQueue(2, MOST, clock)


def taken(queue: FairQueue[str]) -> Iterator[Entry[str]]:
    """Take entries until there is none; none of them is done."""
    while entry := queue.next():
        yield entry


def used(queue: FairQueue[str], sender: Sender, seconds: float) -> None:
    """Record that a sender used so many seconds."""
    queue.add(sender, "earlier")
    entry = queue.next()
    assert entry
    queue.done(entry, seconds)


def test_they_come_in_their_order_where_nobody_used_more(queue: FairQueue[str]) -> None:
    """First come, first served."""
    for item in "abc":
        queue.add((("user", item),), item)
    assert [entry.item for entry in taken(queue)] == ["a", "b", "c"]


def test_who_used_least_goes_next(queue: FairQueue[str]) -> None:
    """Even if it came last."""
    used(queue, ATTACKER, 0.9)
    queue.add(ATTACKER, "costly")
    queue.add(HONEST, "short")
    assert [entry.item for entry in taken(queue)] == ["short", "costly"]


def test_another_name_from_the_same_address_is_the_same(queue: FairQueue[str]) -> None:
    """The address counts first: a new user name for each clip does not help."""
    used(queue, ATTACKER, 0.9)
    queue.add((ATTACKER[0], ("user", "another name")), "costly")
    queue.add(HONEST, "short")
    assert [entry.item for entry in taken(queue)] == ["short", "costly"]


def test_what_was_used_is_forgotten(queue: FairQueue[str], clock: Clock) -> None:
    """What was used is halved in each half-life."""
    used(queue, ATTACKER, 0.8)
    used(queue, HONEST, 0.2)
    clock.now += 20 * HALF_LIFE
    used(queue, HONEST, 0.2)
    used(queue, (), 0.2)
    queue.add(HONEST, "late")
    queue.add(ATTACKER, "reformed")
    assert [entry.item for entry in taken(queue)] == ["reformed", "late"]


def test_one_place_is_kept_from_who_used_much(queue: FairQueue[str]) -> None:
    """However many clips of a heavy sender wait, one runs at a time."""
    used(queue, ATTACKER, HEAVY_SECONDS + 0.5)
    for item in "ab":
        queue.add(ATTACKER, item)
    (first,) = taken(queue)
    queue.add(HONEST, "short")
    assert [entry.item for entry in taken(queue)] == ["short"]
    queue.done(first, 0.5)
    assert [entry.item for entry in taken(queue)] == ["b"]


def test_nobody_waits_for_ever(queue: FairQueue[str]) -> None:
    """Even if clips of new senders come all the time, that of a heavy sender is taken at last."""
    used(queue, ATTACKER, 50.0)
    queue.add(ATTACKER, "costly")
    came = []
    for number in range(OLDEST_EVERY):
        for name in (number, -number - 1):
            queue.add((("user", name),), "short")
        entry = queue.next()
        assert entry
        came.append(entry.item)
        queue.done(entry, EXPECTED_SECONDS)
    assert came.count("costly") == 1


def test_a_full_queue_takes_the_clip_of_who_used_least(queue: FairQueue[str]) -> None:
    """The newest clip of the sender with most load is removed and returned."""
    used(queue, ATTACKER, 0.5)
    for number in range(MOST):
        assert queue.add(ATTACKER, f"costly {number}") is None
    assert queue.add(HONEST, "short") == f"costly {MOST - 1}"
    assert queue.add(ATTACKER, "one more") == "one more"
    assert len(queue) == MOST


def test_many_names_of_one_address_do_not_keep_the_queue_full(queue: FairQueue[str]) -> None:
    """Even if none of them has used anything yet."""
    for number in range(MOST):
        queue.add((ATTACKER[0], ("user", number)), f"costly {number}")
    assert queue.add(HONEST, "short") == f"costly {MOST - 1}"


def test_in_a_full_queue_of_equals_the_last_has_to_go(queue: FairQueue[str]) -> None:
    """Of senders with equal load, the newest clip is removed."""
    for number in range(MOST):
        queue.add((("user", number),), "short")
    assert queue.add(HONEST, "late") == "late"


def test_what_is_dropped_leaves_no_trace(queue: FairQueue[str]) -> None:
    """Its place is free, and it no longer adds to its sender's load."""
    for item in "abc":
        queue.add(ATTACKER, item)
    assert all(queue.drop(item) for item in "abc")
    assert not queue.drop("a")
    queue.add(ATTACKER, "again")
    queue.add(HONEST, "late")
    assert [entry.item for entry in taken(queue)] == ["again", "late"]


def test_what_is_remembered_is_bounded(queue: FairQueue[str]) -> None:
    """A new name for each clip does not fill the memory, and heavy senders are not forgotten."""
    used(queue, ATTACKER, 50.0)
    for number in range(3 * MOST_KEYS):
        used(queue, (("user", number),), 0.01)
    assert len(queue._used) <= MOST_KEYS
    queue.add(ATTACKER, "costly")
    queue.add(HONEST, "short")
    assert [entry.item for entry in taken(queue)] == ["short", "costly"]


def test_an_address_counts_before_its_users(queue: FairQueue[str]) -> None:
    """A new user at a heavy address is heavy, both in the order and for the reserved place."""
    used(queue, ATTACKER, 1.1 * HEAVY_SECONDS)
    used(queue, (("address", "192.0.2.2"), ("user", "neighbour")), HEAVY_SECONDS / 2)
    for name in ("new", "newer"):
        queue.add((("address", "192.0.2.1"), ("user", name)), name)
    queue.add((("address", "192.0.2.2"), ("user", "neighbour")), "neighbour")
    assert [entry.item for entry in taken(queue)] == ["neighbour", "new"]
