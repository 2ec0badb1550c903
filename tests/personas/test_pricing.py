"""Prices: whole numbers of the smallest unit, for any currency."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.loading.faults import InvalidValue
from personas.pricing import Pricing


def price(per_minute: float, currency: str = "INR", **more: Any) -> Pricing:
    return Pricing.read({"per_minute": per_minute, "currency": currency, **more})


@pytest.mark.parametrize(
    ("per_minute", "currency", "smallest", "text"),
    [
        (10, "INR", 1000, "10.00 INR"),
        (10.5, "INR", 1050, "10.50 INR"),
        (0.1, "EUR", 10, "0.10 EUR"),
        (1.15, "USD", 115, "1.15 USD"),
        (100, "JPY", 100, "100 JPY"),
        (0.125, "KWD", 125, "0.125 KWD"),
        (12.5, "RSD", 1250, "12.50 RSD"),
        (0.005, "IQD", 5, "0.005 IQD"),
        (2_500_000, "LBP", 250_000_000, "2500000.00 LBP"),
        (0, "INR", 0, "0.00 INR"),
        (99999.99, "INR", 9999999, "99999.99 INR"),
        (1e2, "JPY", 100, "100 JPY"),
    ],
)
def test_a_price_is_exact_in_any_currency(per_minute: float, currency: str, smallest: int, text: str) -> None:
    """No digits for the yen, three for the dinar; 1.15 is 115, not 114.99."""
    read = price(per_minute, currency)
    assert (read.per_minute, read.amount(read.per_minute).text) == (smallest, text)
    assert isinstance(read.per_minute, int)


@pytest.mark.parametrize(
    ("per_minute", "currency", "way", "says"),
    [
        (10.005, "INR", "per_minute", "cannot be paid: INR has 2 digits"),
        (0.5, "JPY", "per_minute", "cannot be paid: JPY has 0 digits"),
        (0.0001, "KWD", "per_minute", "KWD has 3 digits"),
        (10, "INX", "currency", "'INX' is not a currency of ISO 4217 that is money today, such as INR. Did you mean"),
        (10, "inr", "currency", "Did you mean 'INR'?"),
        (10, "DEM", "currency", "that is money today"),
        (10, "BGN", "currency", "that is money today"),
        (10, "XAU", "currency", "that is money today"),
        (10, "XXX", "currency", "is not a currency"),
    ],
)
def test_what_nobody_can_pay_is_a_fault(per_minute: float, currency: str, way: str, says: str) -> None:
    """Fractions of the smallest unit; currencies that do not exist, or no longer do."""
    with pytest.raises(InvalidValue) as unusable:
        price(per_minute, currency)
    ((told, message),) = unusable.value.faults
    assert told == (way,)
    assert says in message


@pytest.mark.parametrize(
    ("more", "seconds", "amount"),
    [
        ({}, 0, 0),
        ({}, 1, 16),
        ({}, 60, 1000),
        ({}, 90, 1500),
        ({}, 3599, 59983),
        ({"rounding": "minute"}, 0, 0),
        ({"rounding": "minute"}, 1, 1000),
        ({"rounding": "minute"}, 60, 1000),
        ({"rounding": "minute"}, 61, 2000),
        ({"rounding": "second"}, 59, 983),
    ],
)
def test_a_call_costs(more: dict[str, Any], seconds: int, amount: int) -> None:
    """By the second or by minutes begun; fractions of a paisa are not charged, and what is free test_tab.py says."""
    assert price(10, **more).price_of(seconds) == amount


@pytest.mark.parametrize(
    ("more", "rounding", "text"),
    [
        ({}, "second", "0.333 KWD a minute"),
        ({"rounding": "minute"}, "minute", "0.333 KWD a minute, each minute begun counts"),
        ({"free_seconds": 30}, "second", "0.333 KWD a minute, the first 30 seconds of a day free"),
    ],
)
def test_a_tariff_says_what_is_counted(more: dict[str, Any], rounding: str, text: str) -> None:
    """The text says that each minute begun counts, as 61 s cost two minutes."""
    tariff = price(0.333, "KWD", **more).tariff
    assert (tariff.per_minute, tariff.rounding, tariff.text) == (333, rounding, text)


@given(st.integers(0, 10_000_000), st.integers(0, 100_000), st.integers(0, 600), st.booleans())
def test_no_second_makes_a_call_cheaper(per_minute: int, seconds: int, free: int, whole: bool) -> None:
    """And an hour is sixty minutes, to the last digit."""
    some = Pricing(per_minute, "INR", 2, free, whole)
    assert some.price_of(seconds) <= some.price_of(seconds + 1)
    assert some.price_of(3600) == 60 * per_minute
    assert isinstance(some.price_of(seconds), int)


@given(st.integers(0, 9_999_999))
def test_every_price_of_two_digits_is_read_exactly(smallest: int) -> None:
    """However a float holds it."""
    assert price(float(Decimal(smallest) / 100)).per_minute == smallest
