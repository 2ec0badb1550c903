"""Languages by their English names, as CLDR has them."""

import functools
from collections.abc import Mapping

from babel import Locale

from schemas.sentences import nearest

# Names that people write and CLDR does not.
_ALSO = {"bengali": "bn", "oriya": "or", "panjabi": "pa", "farsi": "fa", "mandarin": "zh"}


def code_of(language: str) -> str | None:
    """ISO 639-1 code of a language's English name, in any case ("Hindi" is "hi"), or None."""
    return _codes().get(language.strip().casefold())


def unknown_language(language: str) -> str:
    """Say that nobody knows this language, and which one was probably meant."""
    names = [name.title() for name in _codes()]
    return f"'{language}' is not the English name of a language.{nearest(language, names)}"


@functools.cache
def _codes() -> Mapping[str, str]:
    names = Locale("en").languages
    return {name.casefold(): code for code, name in names.items() if len(code) == 2} | _ALSO
