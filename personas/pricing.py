"""What a call costs: whole numbers of the currency's smallest unit, from the file to the bill; never a float."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from iso4217 import Currency

from personas.loading.check import Unusable
from schemas.explain import nearest

Rounding: TypeAlias = Literal["second", "minute"]

DIGITS: Mapping[str, int] = {one.code: one.exponent for one in Currency if one.exponent is not None}
"""Of every currency in use, how many its smallest unit has; metals and the like have none."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So much money: `amount` in the smallest unit of `currency`, which has `digits` digits."""

    amount: int
    currency: str
    digits: int
    text: str


def amount_of(amount: int, currency: str, digits: int) -> Amount:
    """An amount, with its text: a number of whole units and the currency, so that 1050 is "10.50 INR"."""
    return Amount(amount, currency, digits, f"{Decimal(amount).scaleb(-digits):f} {currency}")


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a minute costs: `per_minute` in the smallest unit of `currency`, which has `digits` digits."""

    per_minute: int
    currency: str
    digits: int
    free_seconds: int
    rounding: Rounding
    text: str


@dataclass(frozen=True, slots=True)
class Pricing:
    """`per_minute` in the smallest unit of `currency`, which has `digits` digits: 1050 of INR is 10.50.

    The first `free_seconds` cost nothing. Then each second counts, or, with `whole_minutes`, each minute begun.
    """

    per_minute: int
    currency: str
    digits: int
    free_seconds: int = 0
    whole_minutes: bool = False

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Pricing":
        """From a value that has the shape of the feature, with the price in whole units; raises Unusable."""
        currency = value["currency"]
        digits = DIGITS.get(currency)
        if digits is None:
            raise Unusable([(("currency",), f"'{currency}' is not a currency of ISO 4217 that is money today, such as "
                             f"INR.{nearest(currency, DIGITS)}")])  # fmt: skip
        # The shortest way to write a float is how it stood in the file.
        exact = Decimal(repr(value["per_minute"])).scaleb(digits)
        if exact != int(exact):
            raise Unusable([(("per_minute",), f"has a part that cannot be paid: {currency} has {digits} digits.")])
        whole = value.get("rounding") == "minute"
        return cls(int(exact), currency, digits, int(value.get("free_seconds", 0)), whole)

    def price_of(self, seconds: int) -> int:
        """The price of a call of so many whole seconds; what is less than a smallest unit is not asked for."""
        counted = max(0, seconds - self.free_seconds)
        if self.whole_minutes:
            counted = -(-counted // 60) * 60
        return self.per_minute * counted // 60

    def amount(self, smallest: int) -> Amount:
        """So much in this currency."""
        return amount_of(smallest, self.currency, self.digits)

    @property
    def tariff(self) -> Tariff:
        """What a caller is told of it beforehand."""
        begun = ", each minute begun counts" if self.whole_minutes else ""
        free = f", the first {self.free_seconds} seconds free" if self.free_seconds else ""
        text = f"{self.amount(self.per_minute).text} a minute{begun}{free}"
        rounding: Rounding = "minute" if self.whole_minutes else "second"
        return Tariff(self.per_minute, self.currency, self.digits, self.free_seconds, rounding, text)
