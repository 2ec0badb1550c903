"""The player of `call --stream`."""

import asyncio
from typing import Any, cast

import pytest

from phone import Phone, stream
from tests.kit.story import run
from upstream.facts import BYTES_PER_MS


class Line:
    """Takes down the first thing that is said."""

    def __init__(self) -> None:
        self.said: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def say(self, **message: Any) -> None:
        if not self.said.done():
            self.said.set_result(message)


def test_a_reply_that_waits_for_the_one_before_it_has_not_been_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported as 0 ms: less is no time."""
    monkeypatch.setattr(stream, "REPORT_SECONDS", 0.01)

    async def story() -> None:
        line = Line()
        player = stream.Player(cast(Phone, line))
        sound = bytes(60_000 * BYTES_PER_MS)
        player.hear({"type": "response_started", "response_id": "1.1"})
        player.hear({"type": "sound", "pcm": sound})
        player.hear({"type": "response_started", "response_id": "1.2"})
        player.hear({"type": "sound", "pcm": sound})
        work = asyncio.create_task(player.run())
        assert await line.said == {"type": "played", "response_id": "1.2", "ms": 0}
        work.cancel()

    run(story())
