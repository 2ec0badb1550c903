"""Countries by their two letters (ISO 3166-1 alpha-2). Source: CLDR, without what is in CLDR alone."""

import functools

from babel import Locale

_OTHERS = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"])


def is_country(code: str) -> bool:
    """True if there is a country with this code, in capitals or not."""
    return code.upper() in _codes()


@functools.cache
def _codes() -> frozenset[str]:
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - _OTHERS
