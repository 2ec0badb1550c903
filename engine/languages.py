"""The languages of the engine, and the errors for all others. What it can do is said in upstream/models.json."""

from typing import Any, Final

from upstream.models import LOCAL, named

_CAN: Final = named(LOCAL).can.languages
_NAMES: Final = {"eng": "en", "english": "en", "hin": "hi", "hindi": "hi"}
_UNSAID: Final = ("", "auto", "und", "multi", "mul")  # of the clients who leave the language to the ear
NOT_SERVED: Final = "language_not_served"


def code_of(language: str | None) -> str | None:
    """The ISO 639-1 code in a language tag ("hi-IN"), or of a language as clients name it; None for any language."""
    first = (language or "").strip().casefold().replace("_", "-").partition("-")[0]
    return None if first in _UNSAID else _NAMES.get(first, first)


def unheard(code: str | None) -> dict[str, Any] | None:
    """The error for audio in a language that the ear does not understand; None if it does, or may find out."""
    return None if code is None or code in _CAN.heard else _error(f"The engine hears {' and '.join(_CAN.heard)}")


def unspoken(text: str) -> dict[str, Any] | None:
    """The error for a text for which the voice has no sound; None if there is nothing in it that could be spoken."""
    letters = any(sign.isalnum() for sign in text)
    return _error("The engine speaks what is written in Latin letters or Devanagari") if letters else None


def _error(can: str) -> dict[str, Any]:
    return {"type": "invalid_request_error", "code": NOT_SERVED, "message": f"{can}; not this language."}
