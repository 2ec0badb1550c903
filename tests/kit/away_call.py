"""A call in one of its states, and what a scenario needs to say of it what is so while the caller is away."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from actors.messages.admission import GONE, Detached
from actors.messages.caller import Chose, Error, Notice, Typed
from actors.messages.resuming import Resumed
from tests.kit.away import FragileCall, sound
from tests.kit.four import MOHIT
from tests.kit.streaming import asked, begin, give

LONGEST = 90.0  # seconds of a call
LATER = 2.0  # seconds of talk after the return


class TableCall(FragileCall):
    """What a scenario needs to know: what came `before`, and for how many seconds after the return nobody was there."""

    before = b""
    off = 0.0
    seen_at: float | None = None
    resumed: Resumed

    def loses(self) -> None:
        """The line goes, and the server knows."""
        self.scene.session.tell(Detached(self.scene.connection, GONE, self.seen_at))
        self.scene.stage.settle()

    def returns(self) -> None:
        """They are back."""
        self.resumed = self.comes_back()


Scenario: TypeAlias = Callable[[TableCall], Iterator[str]]


def all_heard(call: TableCall, seconds: float) -> float:
    """So much of what comes is received, with receipts: seconds of sound."""
    amount = 0
    for _ in range(round(seconds * 2)):
        amount += len(sound(call.line.take()))
        call.acknowledge()
        call.scene.stage.advance(0.5)
    return (amount + len(sound(call.line.take()))) / 48_000


def notices(call: TableCall) -> list[str]:
    """The codes of what was told since the line was looked at last."""
    return [one.code for one in call.line.take() if isinstance(one, Notice | Error)]


def answering(call: TableCall, seconds: int, name: str = "answer") -> None:
    """The persona answers a question, and the model has made so many seconds of it."""
    call.scene.says(Typed("a question"))
    begin(call.wire, name, asked(call.wire))
    for number in range(seconds):
        give(call.wire, name, f"word{number} ")


def switched(call: TableCall) -> None:
    """Another persona is wanted, and their connection is dialled."""
    call.scene.says(Chose(MOHIT))
    call.scene.stage.settle()
