"""How a call ends: nothing more is heard, the bill is made up, the caller is told, and the last facts come in."""

from collections.abc import Mapping

from actors.call.connection import Caller
from actors.messages.caller import Close, Notice, Summary
from actors.messages.caring import HelpNumber
from personas.meter import Bill

STOPPED = Close(4500, "it was stopped")  # what the supervisor tells the caller of a session that failed


class CallEnding:
    """`begun`: the call is over. `done`: the caller was told, and the session may end.

    `bill` is what it came to, `help` whom a caller in danger may call.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._close = STOPPED
        self.begun = self.done = False
        self.bill = Bill()
        self.help: tuple[HelpNumber, ...] = ()

    @property
    def code(self) -> int:
        """The close code of the caller's connection."""
        return self._close.code

    def begin(self, close: Close) -> None:
        """The call is over: once the bill is made up the caller is told this, if they are still there."""
        self.begun, self._close = True, close

    def settle(self, bill: Bill) -> None:
        """The bill is made up: tell the caller, and close."""
        self.bill = bill
        if bill.stays or self.help:
            self._caller.tell(Summary(bill, self.help))
        self.say()

    def say(self) -> None:
        """Tell the caller the Close, if they were not told."""
        if self.begun and not self.done:
            self._caller.tell(self._close)
        self.done = True

    def told(self, counted: Mapping[str, object], *, elsewhere: bool = False) -> str:
        """For the log: whom the caller talked to, in which versions and how long, the price, how it ended, and why.

        A call that goes on elsewhere has its price there.
        """
        stays = ",".join(f"{stay.persona.id}@{'+'.join(stay.versions)}:{stay.seconds}" for stay in self.bill.stays)
        price = ",".join(amount.text.replace(" ", "") for amount in self.bill.price)
        priced = {"price": price} if price and not elsewhere else {}
        facts = {"personas": stays or "-", **priced, **counted}
        facts = {**facts, "code": self._close.code, "why": repr(self._close.reason)}
        return " ".join(f"{what}={value}" for what, value in facts.items())


def minute(bill: Bill) -> Notice:
    """What the caller is told when one more minute is full."""
    spent = ", ".join(amount.text for amount in bill.price)
    return Notice("minute", f"So far this call costs {spent}.", bill.seconds, bill.price)
