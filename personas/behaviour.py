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
    """The parsed values of these features. `max_callers`: most callers at once, None for no limit.

    `adults_only`: who is known to be a minor may not call.
    """

    availability: Availability = ALWAYS
    pricing: Pricing | None = None
    max_callers: int | None = None
    adults_only: bool = False

    @property
    def priced(self) -> bool:
        """True if a minute costs something."""
        return bool(self.pricing and self.pricing.per_minute)

    @property
    def open_to_minors(self) -> bool:
        """True if callers may call who are known to be minors."""
        return not (self.priced or self.adults_only)


PARSERS: Mapping[str, Callable[[Any], object]] = MappingProxyType(
    {"availability": Availability.read, "pricing": Pricing.read, "max_callers": int, "adults_only": bool}
)
"""Parsers by the name of the feature, which is also a field of Behaviour. They raise InvalidValue."""
