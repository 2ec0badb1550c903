"""The index by fields and hours gives the same results as a linear search, without its cost."""

import datetime
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from personas import Catalogue
from personas.availability import Availability
from tests.kit.steps import calls, steps

Make = Callable[..., dict[str, Any]]

NOON = datetime.datetime(2026, 11, 23, 6, 30, tzinfo=datetime.UTC)  # in India
CODES = {"hindi": "hi", "english": "en"}
HOURS = ("9am-5pm", "9pm-2am", "always", "11:59-12:00")


def many(row: Make, number: int) -> Catalogue:
    """Of four kinds of hours, two languages, genders and specialities; each tenth is inactive."""
    hindi = {"language": "Hindi", "greeting": "नमस्ते", "gender": "Female"}
    return Catalogue.from_data(
        [
            row(
                astrologer_id=f"a{n}",
                availability={"timezone": ("Asia/Kolkata", "Europe/London")[n // 4 % 2], "hours": HOURS[n % 4]},
                speciality=("Vedic Love", "Vedic  Love", "Tarot")[n % 3],
                status="inactive" if n % 10 == 9 else "active",
                **(hindi if n % 2 else {}),
            )
            for n in range(number)
        ]
    )


def test_whoever_fits_is_found_in_the_order_of_the_file(row: Make) -> None:
    """For every combination of filters, at several moments."""
    catalogue = many(row, 70)
    moments = [None, *(NOON + datetime.timedelta(minutes=minutes) for minutes in (-1, 0, 330, 600, 61 * 1440))]
    asked = itertools.product(
        moments,
        (None, "", "Hindi", " hindi ", "hi", "HI", "English", "Klingon", " "),
        (None, "female", " Female ", "x"),
        (None, "vedic love", "VEDIC  LOVE", "Tarot ", " "),
        (None, "Active", "inactive", "gone"),
    )
    for moment, language, gender, speciality, status in asked:
        found = catalogue.find(moment, language=language, gender=gender, speciality=speciality, status=status)
        assert found == tuple(
            one
            for one in catalogue.all()
            if (
                not language
                or one.language_code == {"hindi": "hi", "english": "en"}.get(plain(language), plain(language))
            )
            and (not gender or one.gender.casefold() == plain(gender))
            and (not speciality or one.speciality.casefold() == plain(speciality))
            and (not status or one.status == plain(status))
            and (not moment or one.open_at(moment))
        )


def plain(text: str) -> str:
    return text.strip().casefold()


def test_hours_are_asked_once_a_minute(row: Make) -> None:
    """Equal hours are evaluated once for all personas and callers, and again in another minute."""
    catalogue = many(row, 70)
    for seconds, times in ((0, 8), (59, 0), (60, 8), (90, 0), (59, 8)):
        moment = NOON + datetime.timedelta(seconds=seconds)
        assert calls(Availability.open_at, partial(catalogue.open, moment)) == times
        assert calls(Availability.open_at, partial(catalogue.match, "love", moment=moment)) == 0


def test_a_moment_of_no_time_zone_is_no_moment(row: Make) -> None:
    """As for one persona."""
    with pytest.raises((ValueError, TypeError)):
        many(row, 4).open(NOON.replace(tzinfo=None))


def test_a_question_costs_the_same_of_four_and_of_a_thousand(row: Make) -> None:
    """Within a minute the cost does not depend on the number of personas, except for listing them."""
    few, all_ = many(row, 4), many(row, 1000)
    words = ("my love marriage career husband delay shaadi " * 12)[:500]
    questions: list[Callable[[Catalogue], object]] = [
        lambda of: of.match(words, moment=NOON),
        lambda of: of.match("x" * 500, "Hindi", moment=NOON),
        lambda of: of.find(NOON, language="Hindi", status="active"),
        lambda of: of.alternatives_to(of.all()[0], NOON),
    ]
    for ask in questions:
        costs = []
        for catalogue in (few, all_):
            ask(catalogue)
            costs.append(steps(partial(ask, catalogue)))
        assert costs[1] < 2 * costs[0] + 100


def test_words_are_not_compared_with_phrases_that_only_begin_alike(row: Make) -> None:
    """The cost of a query does not depend on the number of phrases that begin with one of its words."""
    phrases = [row(astrologer_id=f"a{n}", expertise_keywords=[f"career way{n} end{n}"]) for n in range(500)]
    few, many = Catalogue.from_data(phrases[:5]), Catalogue.from_data(phrases)
    query = "career way3 end3 " * 20
    assert many.match(query)[0] == few.match(query)[0]
    assert steps(lambda: many.match(query)) < 2 * steps(lambda: few.match(query))


def test_all_who_fit_are_those_of_a_match_without_its_limit(row: Make) -> None:
    """In its order."""
    catalogue = many(row, 70)
    for query in ("love", "asha tarot", "nothing of the kind"):
        for language in (None, "Hindi"):
            matches = catalogue.match(query, language, 70, moment=NOON)
            assert catalogue.match_all(query, language, NOON) == tuple(match.persona for match in matches)
