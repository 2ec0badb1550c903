"""Which calls may be in care."""

import datetime

from actors.caring.places import Places
from actors.caring.settings import Caring

TODAY = datetime.date(2026, 11, 30)
TOMORROW = TODAY + datetime.timedelta(days=1)


def test_a_user_has_so_many_a_day() -> None:
    """Others have theirs, and another day begins anew; what is over counts for the day, and takes no place."""
    places = Places(Caring(care_calls=2))
    taken = []
    for user in ("one", "one", "one", "two"):
        taken.append(places.take(user, TODAY))
        if taken[-1]:
            places.leave()
    assert taken == [True, True, False, True]
    assert places.take("one", TOMORROW)
    assert places.taken == 1


def test_so_many_are_there_at_once() -> None:
    """Whoever leaves makes room."""
    places = Places(Caring(care_at_once=1))
    assert places.take("one", TODAY)
    assert not places.take("two", TODAY)
    places.leave()
    assert places.take("two", TODAY)


def test_a_call_that_was_in_care_elsewhere_goes_on_here() -> None:
    """Its user had their calls of the day there; the places of this server hold all the same."""
    places = Places(Caring(care_calls=1, care_at_once=2))
    assert places.take("one", TODAY)
    assert not places.take("one", TODAY)
    assert places.take("one", TODAY, again=True)
    assert not places.take("one", TODAY, again=True)


def test_a_user_is_one_however_they_are_written() -> None:
    """Capitals, wide letters, and joiners that nobody sees make no other."""
    places = Places(Caring(care_calls=1))
    assert places.take("Asha", TODAY)
    for user in ("asha", "ASHA", "ＡＳＨＡ", "as\u200dha"):
        assert not places.take(user, TODAY), user
    assert places.take("usha", TODAY)
