"""The file of personas: its bytes, what is JSON in them, and the file that ships."""

import functools
from pathlib import Path
from typing import Any

import orjson

from personas.check import CatalogueBroken, Fault
from personas.shape import shape_faults
from schemas.sentences import Parts

SHIPPED = Path(__file__).with_name("astrologer_personas.json")

_LARGEST = 8 * 1024 * 1024  # bytes; thousands of personas


def read_bytes(path: Path) -> bytes:
    """What is in a file; raises CatalogueBroken if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise CatalogueBroken([Fault("$", f"cannot read {path}: {error.strerror}.")]) from error


def decode(raw: bytes) -> tuple[str, object]:
    """The text and the JSON value in it; raises CatalogueBroken."""
    if len(raw) > _LARGEST:
        raise CatalogueBroken([Fault("$", f"is too large: at most {_LARGEST} bytes are read.")])
    raw = raw.removeprefix(b"\xef\xbb\xbf")  # some editors begin a file with a byte order mark
    try:
        return raw.decode(errors="replace"), orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        told = Fault("$", f"is not JSON: {error.msg}.", line=error.lineno, column=error.colno)
        raise CatalogueBroken([told]) from error


def parts_of(data: object) -> tuple[list[object], dict[str, Any], Parts]:
    """The rows, everything else, and where the rows stand; raises CatalogueBroken when there are no rows."""
    if isinstance(data, list):
        return data, {}, ()
    if not isinstance(data, dict):
        raise CatalogueBroken([Fault("$", "must be an object with the field astrologers, or a list of astrologers.")])
    rows = data.get("astrologers")
    if not isinstance(rows, list):
        raise CatalogueBroken(shape_faults("catalogue", data, ()))
    return rows, {key: value for key, value in data.items() if key != "astrologers"}, ("astrologers",)


@functools.cache
def shipped_rest() -> dict[str, Any]:
    """What a file leaves out is as in the file that ships."""
    _, data = decode(read_bytes(SHIPPED))
    _, rest, _ = parts_of(data)
    return rest
