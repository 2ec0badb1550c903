"""The player of `call --stream`."""

import asyncio
from typing import Any, cast

from actors.testing.stage import Stage
from phone import Phone
from phone.stream import Player
from upstream.facts import BYTES_PER_MS


class Line:
    """Records the messages that are sent."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    async def say(self, **message: Any) -> None:
        self.said.append(message)


def test_a_reply_that_waits_for_the_one_before_it_has_not_been_played(stage: Stage) -> None:
    """A reply that has not begun to play is reported as 0 ms, never as a negative time."""
    line = Line()
    player = Player(cast(Phone, line))
    for response, seconds in (("1.1", 0.75), ("1.2", 10)):
        player.receive({"type": "response_started", "response_id": response})
        player.receive({"type": "sound", "pcm": bytes(int(seconds * 1000) * BYTES_PER_MS)})
    work = asyncio.get_running_loop().create_task(player.run())
    stage.advance(1)
    work.cancel()
    assert line.said == [{"type": "played", "response_id": "1.2", "ms": ms} for ms in (0, 250)]
