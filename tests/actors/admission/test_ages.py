"""The youngest age that a user told."""

from actors.admission.ages import DAY, ToldAges
from care.ages import Age, age_of


def test_the_youngest_counts_whatever_is_told_later() -> None:
    """Of each user for themselves."""
    told = ToldAges()
    told.tell("a", age_of(19), 0.0)
    told.tell("a", age_of(16), 1.0)
    told.tell("a", age_of(19), 2.0)
    told.tell("a", age_of(30), 3.0)
    assert told.youngest("a", 4.0) == Age(0, 18)
    assert told.youngest("b", 4.0) is None


def test_it_is_forgotten_after_a_day() -> None:
    """A day after it was told last; an older age in between does not prolong it."""
    told = ToldAges()
    told.tell("a", age_of(16), 0.0)
    told.tell("b", age_of(16), 1.0)
    told.tell("a", age_of(15), 100.0)
    told.tell("a", age_of(19), 200.0)
    assert told.youngest("a", DAY + 99.0)
    assert told.youngest("b", DAY + 99.0) is None
    assert told.youngest("a", DAY + 100.0) is None
    assert len(told) == 0


def test_what_was_told_elsewhere_is_known_for_as_long_as_there() -> None:
    """It prolongs nothing, and nobody is told of it again; what is told here is told on, if it says something new."""
    told, heard = ToldAges(), list[str]()
    told.heard = heard.append
    told.tell("a", age_of(16), 0.0)
    told.tell("a", age_of(19), 1.0)
    told.tell("a", age_of(16), 2.0)
    assert heard == ["a", "a"]
    assert told.learn("b", age_of(16), 0.0, 100.0)
    assert not told.learn("b", age_of(16), 10.0, 50.0)
    assert not told.learn("b", age_of(19), 10.0, DAY)
    assert not told.learn("b", age_of(30), 10.0, DAY)
    assert told.left("b", 10.0) == 90.0
    assert told.learn("b", age_of(16), 10.0, 200.0)
    assert told.learn("c", age_of(19), 0.0, 5.0)
    assert told.learn("c", age_of(16), 0.0, 1.0)
    assert [bool(told.youngest(user, 209.0)) for user in ("a", "b", "c")] == [True, True, False]
    assert told.youngest("b", 210.0) is None
    assert heard == ["a", "a"]


def test_nothing_is_kept_of_the_grown_up() -> None:
    """Nor of more users than are allowed: whoever told it first is forgotten first."""
    told = ToldAges(most=2)
    told.tell("grown", age_of(30), 0.0)
    assert len(told) == 0
    for number, user in enumerate(("a", "b", "a", "c")):
        told.tell(user, age_of(16), float(number))
    assert [bool(told.youngest(user, 9.0)) for user in ("a", "b", "c")] == [True, False, True]
