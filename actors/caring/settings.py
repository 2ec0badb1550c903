"""How a server cares for its callers: what its owner may set."""

from dataclasses import dataclass
from typing import Annotated

from actors.setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Caring:
    """Each field is a setting of the server. Seconds."""

    country: Annotated[
        str,
        Setting(
            help="Country of helplines, of callers who name none.",
            doc="the country whose helplines a caller hears who names none in their profile: two letters of ISO 3166, "
            "see [safety](safety.md)",
        ),
    ] = "IN"
    leave_out_disclosure: Annotated[
        bool,
        Setting(
            help="Do not tell callers that an AI speaks.",
            doc="leave out what callers are told at the beginning of a call, that an AI speaks. The log warns of it at "
            "the start, since many countries ask for these words",
        ),
    ] = False
    care_silent_seconds: Annotated[
        float,
        Setting(
            help="That a call in care waits for its caller.",
            doc="a call in care, of a caller in danger, in which nothing is said for so long is closed with 4408",
            least=60,
        ),
    ] = 300.0
    care_seconds: Annotated[
        float,
        Setting(
            help="That a call is in care, at most.",
            doc="the longest time that a call in care is kept from its other limits; then it ends",
            least=60,
        ),
    ] = 3600.0
    care_calls: Annotated[
        int,
        Setting(
            help="In care, of one user, a day.",
            doc="calls in care of one user a day; in more of them help is named, and the limits hold",
            least=1,
        ),
    ] = 2
    care_at_once: Annotated[
        int,
        Setting(
            help="Calls in care, at the same time.",
            doc="calls in care at the same time; in more of them help is named, and the limits hold",
            least=1,
        ),
    ] = 100
