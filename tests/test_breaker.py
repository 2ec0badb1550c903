"""One call learns that the upstream refuses our account; the others need not learn it again."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from actors.services import Trials
from actors.trial import USER
from engine.faults.script import Script, read
from phone import CallEnded, Phone
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import FOUR, MOHIT, TINA
from tests.kit.story import WITHIN, run, until
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


async def becomes_ready(line: Exchange, status: int) -> None:
    """Wait until /ready has this status: an answer holds for a second."""
    async with asyncio.timeout(WITHIN):
        while await ready(line) != status:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.05)


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
            await becomes_ready(line, 200)
            upstream(line).spoilt.append("the key")
            for user in ("one", "two"):
                async with line.phone(user) as phone:
                    ended = await refused(phone)
                    assert ended.code == 4503
                    assert ended.error is not None
                    assert ended.error["code"] == "upstream_refused"
            assert upstream(line).dialled == ["early", "one"]
            await becomes_ready(line, 503)
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
            await becomes_ready(line, 200)

    run(story())


def refusing(*connections: list[dict[str, Any]]) -> Script:
    """What goes wrong on each connection to the model; later ones behave."""
    return read({"connections": list(connections)})


SPENT = [{"on": "response.create", "do": "error", "code": "insufficient_quota", "echo": True}]
SPENT_LATER = [{"on": "response.created", "do": "fail", "code": "insufficient_quota"}]
HUNG = [{"on": "open", "do": "stall"}]
QUICK = Trials(every=0.05)


def test_the_server_finds_out_by_itself_that_it_is_served_again() -> None:
    """Over its own connections, while strangers who connect and say nothing are turned away; then all are let in."""

    async def story() -> None:
        faults = refusing(SPENT, SPENT, SPENT_LATER, HUNG, SPENT)
        async with exchange(upstream=fickle, faults=faults, trials=Trials(every=0.05, within=1.0)) as line:
            before = line.left()
            async with line.phone("one") as one:
                assert (await refused(one)).code == 4503
            strangers = 0
            while line.counters.account_blocked:
                async with line.phone(f"stranger-{strangers}") as stranger:
                    with suppress(CallEnded, TimeoutError):
                        async with asyncio.timeout(0.2):
                            await stranger.closed()
                strangers += 1
            assert strangers
            assert upstream(line).dialled[:6] == ["one", USER, USER, USER, USER, USER]
            assert set(upstream(line).dialled) == {"one", USER}
            async with line.phone("two") as two:
                await two.choose(MOHIT)
                await two.answer()
            await becomes_ready(line, 200)
            await line.settles_to(before)

    run(story())


def test_a_trial_costs_next_to_nothing() -> None:
    """A few tokens of text, no audio, in the figures of the server."""

    async def story() -> None:
        async with exchange(upstream=fickle, faults=refusing(SPENT), trials=QUICK) as line:
            async with line.phone("one") as one:
                await refused(one)
            await until(lambda: not line.counters.account_blocked)
            used = line.counters.used
            assert 0 < used.text_in < 100
            assert 0 < used.text_out < 10
            assert used.audio_in == used.audio_out == 0
            assert line.tones.asked == []

    run(story())


def test_a_server_ends_while_it_tries() -> None:
    """The upstream hangs; the server is told to end, and leaves nothing behind."""

    async def story() -> None:
        async with exchange(upstream=fickle, faults=refusing(SPENT, HUNG), trials=QUICK) as line:
            async with line.phone("one") as one:
                await refused(one)
            await until(lambda: upstream(line).dialled == ["one", USER])
            await until(lambda: len(line.engine.calls) == 1)

    run(story())
