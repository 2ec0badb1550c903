"""The features that change what the server does. All other features only add a line to the prompt.

They are declared in the file like any other. A file may declare a schema of its own for one; its values must also fit
the schema of the file that ships.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from personas.availability import ALWAYS, Availability
from personas.pricing import Pricing


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The parsed values of these features. `max_callers`: most callers at once, None for no limit."""

    availability: Availability = ALWAYS
    pricing: Pricing | None = None
    max_callers: int | None = None


PARSERS: Mapping[str, Callable[[Any], object]] = MappingProxyType(
    {"availability": Availability.read, "pricing": Pricing.read, "max_callers": int}
)
"""Parsers by the name of the feature, which is also a field of Behaviour. They raise InvalidValue."""
