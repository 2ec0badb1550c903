"""Who is late: the register, or this process itself."""

import asyncio
import time
from typing import cast

import pytest
from redis.asyncio import Redis

from register import Bounds, Presence, RegisterAway
from register.patience import LATE_SECONDS
from register.redis_commands import Commands
from tests.kit.story import run

BRIEF = 0.01


def commands() -> tuple[Commands, Presence]:
    """For questions that ask no Redis."""
    presence = Presence(time.monotonic)
    return Commands(cast(Redis, None), presence, Bounds(answer=BRIEF)), presence


async def never() -> None:
    """An answer that does not come."""
    await asyncio.Event().wait()


def test_an_answer_that_does_not_come_is_a_register_that_is_away() -> None:
    """However busy the machine is: this process looks often enough, or it is asked again."""

    async def story() -> None:
        asked, presence = commands()
        while presence.here:
            with pytest.raises(RegisterAway):
                await asked._bounded("save", never)
        assert presence.reason == "it did not answer in time"

    run(story())


def test_who_was_late_itself_blames_nobody() -> None:
    """The answer may have come while nothing was done here: the next question is asked."""

    async def stands_still() -> None:
        time.sleep(BRIEF + LATE_SECONDS + 0.1)  # noqa: ASYNC251  # it is the fault
        await never()

    async def story() -> None:
        asked, presence = commands()
        with pytest.raises(RegisterAway, match="this server was late itself"):
            await asked._bounded("save", stands_still)
        assert presence.here
        assert presence.unanswered["save"] == 1

    run(story())
