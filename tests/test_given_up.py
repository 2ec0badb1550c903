"""A connection that its client has given up comes late: it must not cost the call that goes on over another one."""

import asyncio
from pathlib import Path

import pytest

from phone.lasting import LastingPhone
from tests.kit.doors import call_token, entrance_of
from tests.kit.exchange import exchange
from tests.kit.raw import Raw
from tests.kit.story import run, until
from tests.test_resuming import talked
from web.auth.used_tokens import MemoryUsedTokens


def test_an_attempt_that_was_given_up_begins_no_call() -> None:
    """What it asks for is stale, and comes with its end: nobody is there for the call that would begin instead."""

    async def story() -> None:
        async with exchange() as line, LastingPhone(line.url, "user-1") as phone:
            await talked(phone)
            late = await Raw.dial(line.url, query="?resume=true")
            late.say(type="resume", token=phone.token, attach=7, received=0)
            late.writer.close()
            await until(lambda: line.counters.not_resumed["stale"] == 1)
            await phone.say(type="text", text="Are you there?")
            await phone.reply()
            assert line.counters.begun == 1

    run(story())


def test_who_is_gone_while_their_token_is_looked_up_begins_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a fleet the register is asked about it, and may take its time."""
    looks, goes_on, take = asyncio.Event(), asyncio.Event(), MemoryUsedTokens.take

    async def slow(self: MemoryUsedTokens, token_id: str, expires: int) -> bool:
        looks.set()
        await goes_on.wait()
        return await take(self, token_id, expires)

    async def story() -> None:
        async with (
            exchange(doors=entrance_of(tmp_path)) as line,
            LastingPhone(line.url, "user-1", bearer=call_token()) as phone,
        ):
            await talked(phone)
            monkeypatch.setattr(MemoryUsedTokens, "take", slow)
            before = line.left()["connections"]
            late = await Raw.dial(line.url, query=f"?token={call_token()}")
            await looks.wait()
            late.vanish()
            await until(lambda: line.left()["connections"] == before)
            goes_on.set()
            await phone.say(type="text", text="Are you there?")
            await phone.reply()
            assert line.counters.begun == 1

    run(story())
