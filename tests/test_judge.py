"""Calls on the real server whose words a judge model reads along, on a real socket of its own."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from actors.counters import Counters
from phone import Phone
from tests.kit import secrets
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import MOHIT
from tests.kit.judge import JudgeModel, completion, judge_model
from tests.kit.story import run, until
from web.judge import JudgeServer, judge_client

KEY = secrets.key("the-key-of-a-judge.in-a-call-of-its-own")
CORNER = "I gave my dog to the neighbours, she will have a good life there."
"""No list finds anything in it."""
PROFILE = {"name": "Asha", "birth_date": "1990-05-31", "birth_place": "Pune", "country": "GB"}


@asynccontextmanager
async def judged(pause: float = 0.0) -> AsyncIterator[tuple[Exchange, JudgeModel]]:
    """A server with a judge."""
    counters = Counters()
    async with (
        judge_model() as (model, url),
        judge_client(JudgeServer(url, "judge-1", KEY), counters, pause, at_once=20) as judge,
        exchange(judge=judge, counters=counters) as line,
    ):
        yield line, model


async def help_told(phone: Phone) -> dict[str, Any]:
    """Wait until the caller is told whom to call."""
    while True:
        message = await phone.hear("notice")
        if message["code"] == "help":
            return message


def test_what_the_judge_finds_is_cared_for() -> None:
    """The numbers, the place in care; it was sent the words of both, and nothing of the profile."""

    async def worried(_: Any) -> Any:
        return completion(("suicide", False))

    async def story() -> None:
        async with judged() as (line, model), line.phone() as phone:
            model.answers = worried
            await phone.say(type="config", astrologer_id=MOHIT, profile=PROFILE)
            await phone.answer()
            await phone.say(type="text", text=CORNER)
            told = await help_told(phone)
            assert told["numbers"][0]["number"] == "116 123"
            assert told["metered"] is False
            ((headers, body),) = model.asked
            assert headers["Authorization"] == f"Bearer {KEY}"
            said = json.loads(body["messages"][1]["content"])
            assert [[*one] for one in said] == [["persona"], ["caller"]]
            assert said[1] == {"caller": CORNER}
            assert not any(told in json.dumps(body) for told in ("Asha", "1990", "Pune"))
            await until(lambda: line.counters.worries == {"suicide": 1})
            async with aiohttp.ClientSession() as client, client.get(line.metrics) as answer:
                assert 'voice_care_judged_total{outcome="worried"} 1.0' in await answer.text()

    run(story())


def test_a_judge_that_hangs_costs_a_call_nothing() -> None:
    """Answers come, the lists find what they find, and the end of the call gives the question up."""

    async def story() -> None:
        async with judged() as (line, model):
            model.answers = model.hang
            async with line.phone() as phone:
                await phone.choose(MOHIT)
                await phone.answer()
                await phone.say(type="text", text=CORNER)
                await phone.answer()
                await until(lambda: model.asked)
                await phone.say(type="text", text="I want to die.")
                await help_told(phone)
                assert len(model.asked) == 1
                assert "a question to the judge" in line.left()["tasks"]
                await phone.say(type="end")
                await phone.closed()
            await until(lambda: "a question to the judge" not in line.left()["tasks"])
            assert line.counters.judged == {}

    run(story())
