"""What keeps one caller from holding up the others, through the real server."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from actors.equipment import Limits
from actors.session import UserSessionActor
from tests.kit.exchange import exchange
from tests.kit.four import TINA
from web import endpoint


def run(story: Coroutine[Any, Any, None]) -> None:
    """One story, half a minute at most."""
    asyncio.run(asyncio.wait_for(story, 30))


def test_a_flood_waits_in_the_network_and_not_in_the_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that is slow is read from no faster than it hears; every message is handled in the end."""
    deepest = [0]
    real = UserSessionActor._hear

    def slowly(session: UserSessionActor, said: Any) -> None:
        deepest[0] = max(deepest[0], session.me.backlog)
        threading.Event().wait(0.0011)  # longer than a turn: one message at a time
        real(session, said)

    monkeypatch.setattr(UserSessionActor, "_hear", slowly)

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            for _ in range(1000):
                await phone.say(type="ping")
            for _ in range(1000):
                await phone.hear("pong")

    run(story())
    assert endpoint.MOST_UNHANDLED - 2 <= deepest[0] <= endpoint.MOST_UNHANDLED


def test_too_many_valid_messages_close_the_call() -> None:
    """A burst of ten seconds' worth is taken, then comes too_many_messages and 4400."""

    async def story() -> None:
        async with exchange(Limits(messages=10)) as line, line.phone() as phone:
            for _ in range(130):
                await phone.say(type="ping")
            ended = await phone.closed()
            assert ended.code == 4400
            assert ended.error is not None
            assert ended.error["code"] == "too_many_messages"
            assert "10 a second" in ended.reason
            assert 100 <= sum(message["type"] == "pong" for message in phone.seen) <= 110

    run(story())


def test_streamed_frames_are_within_the_rate() -> None:
    """A thousand messages at once, twenty seconds of audio frames, are no offence."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            for _ in range(1000):
                await phone.say(type="ping")
            for _ in range(1000):
                await phone.hear("pong")
            assert (await phone.choose(TINA))["astrologer_id"] == TINA

    run(story())
