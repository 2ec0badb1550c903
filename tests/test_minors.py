"""Callers under age, through the real server: by a login, by a token of a call, by their profile, and what is kept."""

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from personas import SHIPPED, Catalogue
from phone import Phone
from tests.kit.doors import KEY, entrance_of, login
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import MOHIT, TINA
from tests.kit.story import run

CHILD, GROWN = {"birth_date": "2015-05-31"}, {"birth_date": "1990-05-31"}


def one_free() -> Catalogue:
    """Mohit costs nothing."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        if row["astrologer_id"] == MOHIT:
            del row["pricing"]
    return Catalogue.from_data(data)


async def chooses(line: Exchange, who: str, token: str = "", **profile: Any) -> str:
    """Choose Tina, who costs money: "on the line", or why not."""
    async with Phone(line.url, who, bearer=token) as phone:
        await phone.say(type="config", astrologer_id=TINA, profile=profile)
        answer = await phone.next()
        if answer["type"] == "config_ack":
            return "on the line"
        assert "Choose one of: " + MOHIT in answer["message"]
        await phone.choose(MOHIT)
        await phone.answer()
        return str(answer["code"])


def test_a_login_says_how_old_its_user_is(tmp_path: Path) -> None:
    """Its word is the last, and one that cannot be read lets nobody in."""

    async def story() -> None:
        async with exchange(catalogue=one_free(), doors=entrance_of(tmp_path)) as line:
            assert await chooses(line, "user-1", login(birthdate="2015-05-31")) == "not_for_minors"
            assert await chooses(line, "user-1", login(age_over_18=False), **GROWN) == "not_for_minors"
            assert await chooses(line, "user-1", login(age_over_18=True), **CHILD) == "on the line"
            assert await chooses(line, "user-1", login()) == "not_for_minors"  # as they told a moment ago
            async with Phone(line.url, "user-1", bearer=login(birthdate="31/05/2015")) as phone:
                closed = await phone.closed()
                assert closed.code == 4401
                assert "2015" not in closed.reason

    run(story())


def says(token: str) -> str:
    """What a token of a call holds of its caller, without what is drawn and counted."""
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    del claims["jti"], claims["exp"]
    return json.dumps(claims)


def test_a_token_of_a_call_says_it_as_well(tmp_path: Path) -> None:
    """And holds no birth date."""

    async def story() -> None:
        async with (
            exchange(catalogue=one_free(), doors=entrance_of(tmp_path)) as line,
            aiohttp.ClientSession() as owner,
        ):
            tokens = []
            for said in ({"birthdate": "2015-05-31"}, {"age_in_years": 40}, {"birthdate": "yesterday"}):
                body, key = {"user": "user-1", **said}, {"Authorization": f"Bearer {KEY}"}
                async with owner.post(f"{line.http}/api/calls", json=body, headers=key) as answer:
                    told = await answer.json()
                    tokens.append(told.get("token", ""))
                    assert (answer.status, "birthdate" in told.get("message", "")) in ((201, False), (400, True))
            assert all("user-1" in says(token) and "2015" not in says(token) for token in tokens[:2])
            assert await chooses(line, "user-1", tokens[0]) == "not_for_minors"
            assert await chooses(line, "user-1", tokens[1], **CHILD) == "on the line"

    run(story())


def test_the_youngest_age_holds_for_the_next_call_of_the_same_user_only() -> None:
    """On an open server, too; the birth data of somebody else are nobody's age."""

    async def story() -> None:
        async with exchange(catalogue=one_free()) as line:
            assert await chooses(line, "a", birth_date="2015-05-31", birth_of="other") == "on the line"
            assert await chooses(line, "a", **CHILD) == "not_for_minors"
            assert await chooses(line, "a", **GROWN) == "not_for_minors"
            assert await chooses(line, "b", **GROWN) == "on the line"
            assert line.counters.minors == 2

    run(story())
