"""The line of a caller who may come back, as a test breaks it."""

from typing import Any

from actors.messages.caller import Close, Pong
from actors.testing.fragile import FragileLine
from actors.testing.stage import Stage


class Told(FragileLine):
    """It knows what it was told, whether that is written or waits."""

    def __init__(self) -> None:
        super().__init__(full=True)
        self.all: list[Any] = []

    def tell(self, message: Any, /) -> None:
        self.all.append(message)
        super().tell(message)


def test_an_end_that_waited_is_told_once(stage: Stage) -> None:
    """It is written behind what waits, and is no second end."""
    line, end = Told(), Close(1000, "the end")
    line.tell(Pong())
    line.tell(end)
    assert line.take() == []
    line.drain()
    assert line.take() == [Pong(), end]
    assert line.all == [Pong(), end]
