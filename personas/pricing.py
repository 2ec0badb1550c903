"""What a call costs, in whole numbers of the smallest unit of the currency; no floats anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from iso4217 import Currency

from personas.loading.faults import InvalidValue
from schemas.explain import nearest

Rounding: TypeAlias = Literal["second", "minute"]

DIGITS: Mapping[str, int] = {one.code: one.exponent for one in Currency if one.exponent is not None}
"""ISO 4217 code -> digits after the point, of every currency that has any (precious metals do not)."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money: `amount` in the smallest unit of `currency`, which has `digits` digits after the point."""

    amount: int
    currency: str
    digits: int
    text: str


def amount_of(amount: int, currency: str, digits: int) -> Amount:
    """Make an Amount with its text, in whole units: 1050 of INR is "10.50 INR"."""
    return Amount(amount, currency, digits, f"{Decimal(amount).scaleb(-digits):f} {currency}")


@dataclass(frozen=True, slots=True)
class Tariff:
    """The price of a minute, as callers are shown it: `per_minute` in the smallest unit of `currency`."""

    per_minute: int
    currency: str
    digits: int
    free_seconds: int
    rounding: Rounding
    text: str


@dataclass(frozen=True, slots=True)
class Pricing:
    """`per_minute` in the smallest unit of `currency`, which has `digits` digits: 1050 of INR is 10.50.

    The first `free_seconds` of a user's day cost nothing. Then each second counts, or, with `whole_minutes`, each
    minute begun: tab.py counts them.
    """

    per_minute: int
    currency: str
    digits: int
    free_seconds: int = 0
    whole_minutes: bool = False

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Pricing":
        """Parse a value that fits the schema of the feature `pricing`, in whole units. Raises InvalidValue."""
        currency = value["currency"]
        digits = DIGITS.get(currency)
        if digits is None:
            message = f"'{currency}' is not a currency of ISO 4217 that is money today, such as INR."
            raise InvalidValue([(("currency",), message + nearest(currency, DIGITS))])
        # repr gives the shortest decimal that yields this float: the one in the file.
        exact = Decimal(repr(value["per_minute"])).scaleb(digits)
        if exact != int(exact):
            raise InvalidValue([(("per_minute",), f"has a part that cannot be paid: {currency} has {digits} digits.")])
        whole = value.get("rounding") == "minute"
        return cls(int(exact), currency, digits, int(value.get("free_seconds", 0)), whole)

    def price_of(self, seconds: int) -> int:
        """The price of so many whole seconds, none of which is free, rounded down to the smallest unit."""
        counted = -(-seconds // 60) * 60 if self.whole_minutes else seconds
        return self.per_minute * counted // 60

    @property
    def row(self) -> str:
        """The price as a key: what is paid at one of them is added up by itself."""
        return f"{self.per_minute} {self.currency}{' minutes' if self.whole_minutes else ''}"

    def amount(self, smallest: int) -> Amount:
        """An amount in this currency, given in its smallest unit."""
        return amount_of(smallest, self.currency, self.digits)

    @property
    def tariff(self) -> Tariff:
        """The price of a minute, as callers are shown it before the call."""
        begun = ", each minute begun counts" if self.whole_minutes else ""
        free = f", the first {self.free_seconds} seconds of a day free" if self.free_seconds else ""
        text = f"{self.amount(self.per_minute).text} a minute{begun}{free}"
        rounding: Rounding = "minute" if self.whole_minutes else "second"
        return Tariff(self.per_minute, self.currency, self.digits, self.free_seconds, rounding, text)
