"""The file of personas: its bytes, what is JSON in them, and what it shares with the file that ships."""

import functools
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from personas.loading.check import CatalogueBroken, Fault
from personas.loading.shape import shape_faults
from schemas.explain import Parts

SHIPPED = Path(__file__).parents[1] / "astrologer_personas.json"

_LARGEST = 64 * 1024 * 1024  # bytes; as many personas as are read, of the size of those that ship


def read_bytes(path: Path) -> bytes:
    """What is in a file; raises CatalogueBroken if it cannot be read, or could keep us waiting."""
    try:
        with open(path, "rb", opener=_at_once) as file:  # Path.open knows no opener
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CatalogueBroken([Fault("$", f"cannot read {path}: it is not a regular file.")])
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise CatalogueBroken([Fault("$", f"cannot read {path}: {error.strerror}.")]) from error


def _at_once(path: str, flags: int) -> int:
    """A named pipe would wait for somebody to write into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def decode(raw: bytes) -> tuple[str, object]:
    """The text and the JSON value in it; raises CatalogueBroken."""
    if len(raw) > _LARGEST:
        raise CatalogueBroken([Fault("$", f"is too large: at most {_LARGEST >> 20} MiB are read.")])
    raw = raw.removeprefix(b"\xef\xbb\xbf")  # some editors begin a file with a byte order mark
    try:
        if b"\0" in raw[:4]:
            raise CatalogueBroken([Fault("$", "is not text in UTF-8, but in UTF-16 or UTF-32: save it as UTF-8.")])
        return raw.decode(), orjson.loads(raw)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        told = Fault("$", "is not text in UTF-8 from here on: save it as UTF-8.", line=line, column=column)
        raise CatalogueBroken([told]) from None
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


def with_shipped(rest: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says besides its rows, added to what ships: an entry of the same name is the file's own.

    What ships is read each time: it may be the file that is edited, and then nothing is added to it.
    """
    shipped = _rest()
    return shipped | {key: _added(shipped.get(key), value, _LEVELS.get(key, 1)) for key, value in rest.items()}


_LEVELS = {"voice_mappings": 2}  # gender, then language


def _added(shipped: Any, own: Any, levels: int) -> Any:
    match shipped, own:
        case dict(), dict() if levels:
            return shipped | {name: _added(shipped.get(name), entry, levels - 1) for name, entry in own.items()}
        case list(), list() if levels:  # the file's own first, so that faults in them have their places
            return own + [entry for entry in shipped if entry not in own]
        case _:
            return own


@functools.cache
def shipped_rest() -> dict[str, Any]:
    """What the file that ships says besides its rows, as it was when this process first asked."""
    return _rest()


def _rest() -> dict[str, Any]:
    _, data = decode(read_bytes(SHIPPED))
    _, rest, _ = parts_of(data)
    return rest
