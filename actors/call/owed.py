"""What was asked of the connection that serves and is not answered, and so what the caller waits for."""

from collections import Counter

from actors.call.greeting import Greeting
from actors.call.line import Leg
from actors.call.replies import Replies
from actors.call.turns import TurnOrder
from actors.call.uplink import Uplink
from actors.call.watch import For, Waiting
from upstream.facts import TurnId


class Owed:
    """By the numbers of the asks. `tally` counts the answers that came to an end."""

    def __init__(self, turns: TurnOrder, replies: Replies, stream: Uplink, tally: Counter[str]) -> None:
        self._turns, self._replies, self._stream, self._tally = turns, replies, stream, tally
        self._put_off: dict[TurnId, float] = {}  # ask -> for how many seconds in all the upstream had no time for it
        self._heard_of = 0  # so many asks came to an end of any kind: a turn that replaces another waits no longer

    def asks(self, greeting: Greeting | None) -> list[TurnId]:
        """What was asked, or is about to be because the caller has stopped, and is not answered."""
        asked = [said.number for said in self._turns if said.asked and not said.cancelled]
        if greeting and greeting.asked:
            asked.append(greeting.number)
        if self._stream.stopped:
            asked.append(self._stream.speaking)
        return asked

    def waits(self, leg: Leg, greeting: Greeting | None) -> list[Waiting]:
        """What the caller waits for, of this connection."""
        answers = self._tally["replies"] + self._tally["interrupted"]
        waits = [] if leg.ready else [Waiting(For.CONSENT, leg.generation)]
        if self._stream.unheard:
            waits.append(Waiting(For.WORDS, leg.generation))
        if self._stream.hangs:
            waits.append(Waiting(For.PAUSE, (leg.generation, self._stream.speaking)))
        if come := self._replies.come(leg.generation):
            return [*waits, Waiting(For.REST, (leg.generation, *come), answers=answers)]
        if asked := self.asks(greeting):
            longer = max((self._put_off.get(ask, 0.0) for ask in asked), default=0.0)
            about = (leg.generation, self._heard_of)
            waits.append(Waiting(For.LATER if longer else For.ANSWER, about, None, longer, answers))
        return waits

    def put_off(self, ask: TurnId, seconds: float) -> None:
        """The upstream has no time for this, for so many seconds more."""
        self._put_off[ask] = self._put_off.get(ask, 0.0) + seconds

    def settled(self, ask: TurnId) -> None:
        """It is answered, or never will be."""
        self._put_off.pop(ask, None)

    def heard_of(self) -> None:
        """One came to an end of any kind."""
        self._heard_of += 1

    def lost(self) -> None:
        """The connection is gone, and whatever it had no time for is asked of another."""
        self._put_off.clear()
