"""Features that do something: which ones, and what becomes of their values. All others are words in a prompt.

They are declared in the file like any other. A file may declare its own shape for one, as long as its values also fit
the one that ships.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from personas.availability import ALWAYS, Availability
from personas.pricing import Pricing


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the features of a persona make it do. `max_callers`: how many callers it may have at once; None: any."""

    availability: Availability = ALWAYS
    pricing: Pricing | None = None
    max_callers: int | None = None


READERS: Mapping[str, Callable[[Any], object]] = MappingProxyType(
    {"availability": Availability.read, "pricing": Pricing.read, "max_callers": int}
)
"""By the feature's name, which is also the field of Behaviour; they raise Unusable."""
