"""How a call ends: nothing more is heard, the bill is made up, the caller is told, and the last facts come in."""

from collections.abc import Mapping

from actors.caller import Caller
from actors.messages import Close, Notice, Summary
from actors.meter import Bill


class Farewell:
    """`begun`: the call is over. `done`: the caller knows, and whoever is left may end."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._close: Close | None = None
        self.begun = self.done = False
        self.why = "it was stopped"
        self.bill = Bill()

    def begin(self, close: Close | None) -> None:
        """It is over; without a `close` the connection is gone."""
        self.begun, self._close = True, close
        self.why = close.reason if close else "the connection is gone"

    def settle(self, bill: Bill) -> None:
        """The bill is made up: tell the caller, and close."""
        self.bill = bill
        if bill.stays:
            self._caller.tell(Summary(bill))
        self.say()

    def say(self) -> None:
        """Close, if that was not said yet."""
        self.done = True
        if self._close:
            self._caller.tell(self._close)
            self._close = None

    def told(self, counted: Mapping[str, object]) -> str:
        """For the log: whom the caller talked to, in which versions and for how many seconds, the price, and why."""
        stays = ",".join(f"{stay.persona.id}@{'+'.join(stay.versions)}:{stay.seconds}" for stay in self.bill.stays)
        price = ",".join(amount.text.replace(" ", "") for amount in self.bill.price)
        facts = {"personas": stays or "-", **({"price": price} if price else {}), **counted}
        return " ".join([*(f"{what}={value}" for what, value in facts.items()), f"why={self.why!r}"])


def minute(bill: Bill) -> Notice:
    """What the caller is told when one more minute is full."""
    spent = ", ".join(amount.text for amount in bill.price)
    return Notice("minute", f"So far this call costs {spent}.", bill.seconds, bill.price)
