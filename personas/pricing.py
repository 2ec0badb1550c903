"""What a call costs: whole numbers of the currency's smallest unit, from the file to the bill; never a float."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from iso4217 import Currency

from personas.check import Unusable
from schemas.sentences import nearest

DIGITS: Mapping[str, int] = {one.code: one.exponent for one in Currency if one.exponent is not None}
"""Of every currency in use, how many its smallest unit has; metals and the like have none."""


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

    def text(self, amount: int) -> str:
        """An amount as a number of whole units and the currency: 1050 is "10.50 INR"."""
        return f"{Decimal(amount).scaleb(-self.digits):f} {self.currency}"
