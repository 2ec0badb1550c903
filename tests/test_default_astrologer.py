"""Callers who never choose: clients that send no config."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from cli.checks import check_default
from cli.failure import CannotServe
from personas import SHIPPED, Catalogue
from phone import CallFailed, Phone
from tests.kit.exchange import CLIPS, exchange
from tests.kit.four import FOUR, MOHIT, TINA, first_words
from tests.kit.story import run

CLIP = (CLIPS / "hi_love_me.m4a").read_bytes()
GREETING = {one.id: first_words(one) for one in FOUR.all()}


def closed(astrologer: str) -> Catalogue:
    """The personas who ship, of whom this one takes no calls today."""
    day = f"{datetime.now(UTC) + timedelta(days=3):%a}"
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        if row["astrologer_id"] == astrologer:
            row["availability"] = {"weekly": {day: "9am-5pm"}, "timezone": "UTC"}
    return Catalogue.from_data(data)


async def errors(phone: Phone) -> list[str]:
    """The codes of those that were said so far."""
    await phone.say(type="ping")
    while (await phone.next())["type"] != "pong":
        pass
    return [message["code"] for message in phone.seen if message["type"] == "error"]


@pytest.mark.parametrize("typed", [True, False])
def test_who_speaks_to_nobody_is_answered_by_the_default(typed: bool) -> None:
    """With a clip or a typed turn: the greeting comes first, then the answer, and nothing is refused."""

    async def story() -> None:
        async with exchange(default_astrologer=TINA) as line, line.phone() as phone:
            if typed:
                await phone.say(type="text", text="hello")
            else:
                await phone.send_clip(CLIP)
            assert (await phone.hear("config_ack"))["astrologer_id"] == TINA
            assert (await phone.answer()).text == GREETING[TINA]
            assert (await phone.answer()).text == ("You said hello." if typed else "You said 3.4 seconds in hi.")
            assert (await phone.ask(CLIP)).text.endswith("3.4 seconds in hi.")
            assert await errors(phone) == []

    run(story())


def test_who_streams_to_nobody_is_answered_by_the_default() -> None:
    """From the first frame on."""

    async def story() -> None:
        async with exchange(default_astrologer=TINA) as line, line.phone() as phone:
            await phone.speak(bytes(960))
            assert (await phone.hear("config_ack"))["astrologer_id"] == TINA
            assert (await phone.reply()).text == GREETING[TINA]

    run(story())


def test_who_chooses_gets_whom_they_choose() -> None:
    """The default is for those who never did: a first config is no switch, and a choice that came to nothing is one."""

    async def story() -> None:
        async with exchange(default_astrologer=TINA) as line:
            async with line.phone("one") as phone:
                await phone.choose(MOHIT)
                assert (await phone.answer()).text == GREETING[MOHIT]
                assert [message["type"] for message in phone.seen].count("config_ack") == 1
            async with line.phone("two", match="qqq") as phone:
                assert (await phone.hear("error"))["code"] == "no_persona"
                with pytest.raises(CallFailed, match="no_persona"):
                    await phone.ask(CLIP)

    run(story())


def test_a_default_who_takes_no_calls_is_tried_once() -> None:
    """The caller is told why, and that somebody else is to be chosen; then they may."""

    async def story() -> None:
        async with exchange(catalogue=closed(TINA), default_astrologer=TINA) as line, line.phone() as phone:
            for _ in range(25):
                await phone.send_clip(CLIP)
            await phone.hear("error")
            assert (await errors(phone))[0] == "closed_now"
            assert {*(await errors(phone))[1:]} == {"no_persona"}
            await phone.choose(MOHIT)

    run(story())


def test_without_a_default_it_is_said_once_and_not_for_each_clip() -> None:
    """Of a stream likewise; a typed turn is answered each time."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            for _ in range(3):
                await phone.send_clip(CLIP)
            assert await errors(phone) == ["no_persona"]
            for _ in range(3):
                await phone.speak(bytes(960))
            assert await errors(phone) == ["no_persona"] * 2
            for _ in range(2):
                await phone.say(type="text", text="hello")
            assert await errors(phone) == ["no_persona"] * 4
            await phone.choose(TINA)

    run(story())


@pytest.mark.parametrize(
    ("astrologer", "says"),
    [("tina_kulkarni_vedic_mariage", f"Did you mean '{TINA}'"), ("x" * 300, "nobody who takes calls"), (TINA, None)],
)
def test_a_default_who_is_nobody_is_told_at_start(astrologer: str, says: str | None) -> None:
    """With the nearest id, and exit code 2."""
    if says is None:
        check_default(astrologer, FOUR)
        check_default("", FOUR)
        return
    with pytest.raises(CannotServe, match=says) as refused:
        check_default(astrologer, FOUR)
    assert refused.value.code == 2
