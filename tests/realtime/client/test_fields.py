"""A field is what the API says it is, or the frame does not count."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from realtime.client import fields
from realtime.client.fields import LARGEST, Malformed


@pytest.mark.parametrize("value", ["true", "false", '"1"', "[1]", "{}", "1e308", "-1e308", "9007199254740992"])
def test_what_is_no_number_is_malformed(value: str) -> None:
    """Nor is one that no whole number can be made of."""
    for read in (fields.number, fields.number_if_any):
        with pytest.raises(Malformed):
            read(orjson.loads(f'{{"at": {value}}}'), "at")


@pytest.mark.parametrize("value", [0, -1, 1.5, LARGEST - 1])
def test_what_is_a_number_is_read(value: float) -> None:
    """As a float, whichever it was."""
    assert (type(fields.number({"at": value}, "at")), fields.number({"at": value}, "at")) == (float, value)


@pytest.mark.parametrize(
    ("must", "may", "none"),
    [
        (fields.text, fields.text_if_any, ""),
        (fields.number, fields.number_if_any, 0.0),
        (fields.part, fields.part_if_any, {}),
        (fields.parts, fields.parts_if_any, []),
    ],
)
def test_null_is_as_if_it_were_missing(must: Callable[..., Any], may: Callable[..., Any], none: object) -> None:
    """Which some fields may be."""
    for event in ({}, {"it": None}):
        assert may(event, "it") == none
        with pytest.raises(Malformed):
            must(event, "it")
