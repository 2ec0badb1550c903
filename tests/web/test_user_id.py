"""Which ids a user may have."""

import unicodedata
from typing import Literal

import pytest

from tests.kit.exchange import exchange
from tests.kit.story import run
from web.user_id import LONGEST, read_user_id

ASHA = unicodedata.normalize("NFC", "आशा")


@pytest.mark.parametrize(
    "user",
    [
        "user-1",
        "a.b:c@d+e_f",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "राज",
        "मीरा",
        "प्रिया",
        "தமிழ்",
        "বাংলা",
        "ไทยแลนด์",
        "مُحَمَّد",
        "שָׁלוֹם",
        "ශ්\u200dරී",  # with a joiner, as the word is written
        "می\u200cخواهم",
        "名前",
        "Nguyễn",
        "a" * LONGEST,
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_may_be_an_id_in_any_script(user: str, form: Literal["NFC", "NFD"]) -> None:
    """However it is typed it is one user."""
    assert read_user_id(unicodedata.normalize(form, user)) == unicodedata.normalize("NFC", user)


@pytest.mark.parametrize(
    "user",
    [
        "",
        " ",
        "a b",
        "a/b",
        "a\nb",
        "a\x00",
        "a=b",
        "a~b",
        "<b>",
        "a'b",
        "a\u200b",
        "\u200da",
        "a\u200d",
        "a\u200d\u200db",
        "a\u202eb",  # what follows is shown from right to left
        "\u0301",  # a mark on nothing
        "a" * (LONGEST + 1),
        "a\ud800",
        ".",
        "..",  # of a path, the folder above
    ],
)
def test_what_is_no_id(user: str) -> None:
    """What would break a line of the log, or cannot be seen, is refused."""
    with pytest.raises(ValueError, match="may hold letters, digits"):
        read_user_id(user)


def test_two_ways_to_type_a_name_are_one_user() -> None:
    """Through the real server: the newer connection replaces the older one."""

    async def story() -> None:
        async with exchange() as line, line.phone("jose\u0301") as older:
            async with line.phone("josé"):
                assert (await older.closed()).code == 4409
            async with line.phone(ASHA) as phone:
                await phone.say(type="ping")
                await phone.hear("pong")

    run(story())
