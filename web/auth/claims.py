"""What a token, or a request for one, says of a call: the user, what is locked in, and how old the user is.

Of the age: `birthdate` (OpenID Connect Core 1.0, 5.1: YYYY-MM-DD, YYYY, or 0000-MM-DD, which says nothing of an age),
and of ISO/IEC 18013-5 `birth_date`, `age_in_years` and `age_over_NN`. Of several that differ, the youngest counts.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any, get_args

from actors.messages.caller import Mode
from actors.messages.identity import Identity
from care.ages import Age, age_of, age_on, agreed
from web.user_id import read_user_id

MOST_PERSONAS = 50  # a token travels in a header
_LONGEST_ID = 200  # characters
_OLDEST = 150  # years
_OVER = re.compile(r"age_over_([0-9]{2})")
_BORN = {
    "birthdate": re.compile("[0-9]{4}(-[0-9]{2}-[0-9]{2})?"),
    "birth_date": re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}


def read(claims: Mapping[str, Any], user: str = "user", today: datetime.date | None = None) -> Identity:
    """The identity that these claims name; `user` is the claim that has the user. Raises ValueError, fit to be shown.

    A claim that is null is as if it were left out. Ages are those of `today`, the server's day in UTC if left out.
    """
    name = claims.get(user)
    if not isinstance(name, str):
        raise ValueError(f"{user}: send a user id.")  # noqa: TRY004
    personas, age = _personas(claims.get("astrologer_ids")), agreed(_ages(claims, today or _today()))
    return Identity(read_user_id(name), personas, _mode(claims), _seconds(claims), age)


def write(identity: Identity) -> dict[str, Any]:
    """The claims of an identity, as `read` reads them; what is not locked in is left out."""
    personas = sorted(identity.personas) if identity.personas is not None else None
    claims = {"user": identity.user, "astrologer_ids": personas, "mode": identity.mode, "seconds": identity.seconds}
    if identity.age and identity.age.least:
        claims[f"age_over_{identity.age.least}"] = True
    if identity.age and identity.age.under:
        claims[f"age_over_{identity.age.under}"] = False
    return {name: value for name, value in claims.items() if value is not None}


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _ages(claims: Mapping[str, Any], today: datetime.date) -> Iterator[Age]:
    """What each claim says of the age. Raises ValueError, without what the claim says."""
    for name, written in _BORN.items():
        if claims.get(name) not in (None, "") and (born := _born(name, written, claims[name], today)):
            yield age_of(age_on(born, today))
    years = claims.get("age_in_years")
    if years is not None:
        if isinstance(years, bool) or not isinstance(years, int) or not 0 <= years <= _OLDEST:
            raise ValueError(f"age_in_years: send a whole number from 0 to {_OLDEST}, or leave it out.")
        yield age_of(years)
    for name, over in claims.items():
        if (limit := _OVER.fullmatch(name)) and over is not None:
            if not isinstance(over, bool):
                raise ValueError(f"{name}: send true or false, or leave it out.")
            yield Age(least=int(limit[1])) if over else Age(under=int(limit[1]))


def _born(name: str, written: re.Pattern[str], value: object, today: datetime.date) -> datetime.date | None:
    """The day of birth; of a year alone its last one, and None where the year is left out."""
    if isinstance(value, str) and written.fullmatch(value):
        if value.startswith("0000"):
            return None
        try:
            born = datetime.date.fromisoformat(value if "-" in value else f"{value}-12-31")
        except ValueError:
            born = None
        if born and today.year - _OLDEST <= born.year and (born <= today or value == f"{today.year}"):
            return min(born, today)
    raise ValueError(f"{name}: send a day such as 1990-05-31 that is not in the future, or leave it out.")


def _personas(ids: object) -> frozenset[str] | None:
    if ids is None:
        return None
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_PERSONAS:
        raise ValueError(f"astrologer_ids: send a list of 1 to {MOST_PERSONAS} ids, or leave it out.")
    if not all(isinstance(one, str) and 0 < len(one) <= _LONGEST_ID for one in ids):
        raise ValueError("astrologer_ids: each is the id of an astrologer.")
    return frozenset(ids)


def _mode(claims: Mapping[str, Any]) -> Mode | None:
    mode: Mode | None = claims.get("mode")
    if mode is not None and mode not in get_args(Mode):
        raise ValueError(f"mode: send one of {', '.join(get_args(Mode))}, or leave it out.")
    return mode


def _seconds(claims: Mapping[str, Any]) -> float | None:
    seconds = claims.get("seconds")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds < inf:
        raise ValueError("seconds: send a number from 1 on, or leave it out.")
    return float(seconds)
