"""Languages by their English names, and the scripts in which they are written. Source: CLDR and Unicode."""

import functools
from collections import Counter
from collections.abc import Mapping

import regex
from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers

from schemas.explain import nearest, shown

# Names in use that CLDR does not have.
_ALSO = {"bengali": "bn", "oriya": "or", "panjabi": "pa", "farsi": "fa", "mandarin": "zh"}

# ISO 15924 scripts that consist of several scripts of Unicode.
_MIXED = {"Jpan": ("Hira", "Kana", "Hani"), "Kore": ("Hang", "Hani"), "Hans": ("Hani",), "Hant": ("Hani",)}
# Excluded: CLDR has romanised Hindi and Chinese, but a voice reads these as if they were English.
_ROMANISED = {"hi_Latn", "zh_Latn"}


def code_of(language: str) -> str | None:
    """The ISO 639-1 code for the English name of a language, without case ("Hindi" gives "hi"), or None."""
    return _codes().get(language.strip().casefold())


def name_of(code: str) -> str:
    """The English name of the language with this ISO 639-1 code; the code itself if it has none."""
    return str(Locale("en").languages.get(code, code))


def unknown_language(language: str) -> str:
    """The sentence for an unknown language, with the one that was probably meant."""
    names = [name.title() for name in _codes()]
    return f"'{shown(language)}' is not the English name of a language.{nearest(language, names)}"


@functools.lru_cache(maxsize=4096)
def spelled_in(text: str, code: str) -> bool:
    """True if at least half of the letters of a text are of a script of this language, or if it has no letters."""
    letters = _letters(text)
    own = sum(letters[part] for script in scripts_of(code) for part in _MIXED.get(script, (script,)))
    return 2 * own >= letters.total() or not scripts_of(code)


def has_words(text: str) -> bool:
    """True if a text has a letter or a digit: a voice has nothing to say of dots and emoji."""
    return any(map(str.isalnum, text))


def wrong_script(text: str, code: str) -> str | None:
    """Say in which script a spoken text should be written, or None if it is."""
    if spelled_in(text, code):
        return None
    english = Locale("en")
    own = Locale(code).get_language_name(code) if code in locale_identifiers() else None
    return (
        f"is not written as {english.languages[code]} is. Write it in {english.scripts[scripts_of(code)[0]]} letters"
        f"{f', like {own}' if own else ''}: a voice reads what it is given letter by letter."
    )


@functools.cache
def scripts_of(code: str) -> tuple[str, ...]:
    """The ISO 15924 codes of the scripts of a language, the usual one first; empty if CLDR has none."""
    usual = get_global("likely_subtags").get(code, "").split("_")[1:2]
    return tuple(dict.fromkeys([*usual, *_marked().get(code, [])]))


@functools.cache
def _marked() -> Mapping[str, list[str]]:
    """By language, the scripts in names of CLDR's locales, such as sr_Latn and sr_Latn_RS."""
    marked: dict[str, list[str]] = {}
    for name in sorted(locale_identifiers()):
        code, script, *_ = [*name.split("_"), ""]
        if len(script) == 4 and name[:7] not in _ROMANISED:
            marked.setdefault(code, []).append(script)
    return marked


def _letters(text: str) -> Counter[str]:
    """The number of letters by script of Unicode."""
    return Counter(_script(letter) for letter in _LETTER.findall(text))


_LETTER = regex.compile(r"\p{L}")


@functools.lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return next((script for script, pattern in _scripts() if pattern.match(letter)), "")


@functools.cache
def _scripts() -> tuple[tuple[str, "regex.Pattern[str]"], ...]:
    of_all = {script for code in _codes().values() for script in scripts_of(code)}
    parts = sorted({part for script in of_all for part in _MIXED.get(script, (script,))})
    return tuple((part, regex.compile(rf"\p{{Script={part}}}")) for part in parts)


@functools.cache
def _codes() -> Mapping[str, str]:
    names = Locale("en").languages
    return {name.casefold(): code for code, name in names.items() if len(code) == 2} | _ALSO
