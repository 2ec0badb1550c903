"""One call learns that the upstream refuses our account; the others need not learn it again."""

from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from phone import CallEnded, Phone
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import FOUR, MOHIT, TINA
from tests.kit.story import run
from upstream.link import Frames, Link, Upstream


@dataclass(frozen=True)
class Fickle(Upstream):
    """The real one, but its key can be spoilt and mended, and each dialling is written down."""

    spoilt: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    def dial(self, user: str, to: Any, frames: Frames) -> Link:
        self.dialled.append(user)
        return super().dial(user, to, frames)

    def headers(self, user: str) -> dict[str, str]:
        return super().headers(user) | ({"Authorization": "Bearer wrong"} if self.spoilt else {})


def fickle(real: Upstream) -> Fickle:
    """In place of the real one."""
    return Fickle(real.url, real.model, real.key)


async def refused(phone: Phone) -> CallEnded:
    """Place the call, and be turned away."""
    try:
        await phone.say(type="config", astrologer_id=TINA)
        return await phone.closed()
    except CallEnded as ended:
        return ended


async def ready(line: Exchange) -> int:
    """The status of /ready."""
    async with aiohttp.ClientSession() as client, client.get(f"{line.http}/ready") as answer:
        return answer.status


def upstream(line: Exchange) -> Fickle:
    """What the calls of this server dial."""
    model = line.upstream
    assert isinstance(model, Fickle)
    return model


def test_the_second_call_is_refused_without_a_connection() -> None:
    """At once, with the same error; who is on the line already goes on, and the server is not ready meanwhile."""

    async def story() -> None:
        async with exchange(upstream=fickle) as line, line.phone("early") as early:
            await early.choose(MOHIT)
            await early.answer()
            assert await ready(line) == 200
            upstream(line).spoilt.append("the key")
            for user in ("one", "two"):
                async with line.phone(user) as phone:
                    ended = await refused(phone)
                    assert ended.code == 4503
                    assert ended.error is not None
                    assert ended.error["code"] == "upstream_refused"
            assert upstream(line).dialled == ["early", "one"]
            assert await ready(line) == 503
            await early.say(type="text", text="still here?")
            assert (await early.answer()).text == "You said still here?."
            async with line.phone("three") as phone:
                assert (await refused(phone)).code == 4503
            assert upstream(line).dialled == ["early", "one"]

    run(story())


def test_a_persona_that_is_refused_bars_nobody() -> None:
    """The upstream does not know her voice: that call fails, the next one to somebody else is answered."""
    hoarse = replace(FOUR.get(TINA), voice="hoarse")

    async def story() -> None:
        async with exchange(catalogue=replace(FOUR, personas={**FOUR.personas, TINA: hoarse})) as line:
            async with line.phone("one") as one:
                ended = await refused(one)
                assert ended.error is not None
                assert ended.error["code"] == "upstream_refused"
            async with line.phone("two") as two:
                await two.choose(MOHIT)
                await two.answer()
            assert await ready(line) == 200

    run(story())
