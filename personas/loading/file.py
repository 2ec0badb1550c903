"""The file of personas: reads its bytes, decodes its JSON, and merges it with the file that ships."""

import functools
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from personas.loading.faults import CatalogueBroken, Fault
from personas.loading.shape import shape_faults
from schemas.explain import Parts

SHIPPED = Path(__file__).parents[1] / "astrologer_personas.json"

_LARGEST = 64 * 1024 * 1024  # bytes: the largest number of personas, each as large as those that ship


def read_bytes(path: Path) -> bytes:
    """Read a file. Raises CatalogueBroken if it cannot be read, or is not a regular file, as that could block."""
    try:
        with open(path, "rb", opener=_open_without_blocking) as file:  # Path.open has no `opener`
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CatalogueBroken([Fault("$", f"cannot read {path}: it is not a regular file.")])
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise CatalogueBroken([Fault("$", f"cannot read {path}: {error.strerror}.")]) from error


def _open_without_blocking(path: str, flags: int) -> int:
    """Open a file; the open of a named pipe would block until somebody writes into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def decode(raw: bytes) -> tuple[str, object]:
    """Decode a file. Returns its text and its JSON value. Raises CatalogueBroken."""
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
        fault = Fault("$", "is not text in UTF-8 from here on: save it as UTF-8.", line=line, column=column)
        raise CatalogueBroken([fault]) from None
    except orjson.JSONDecodeError as error:
        half = "surrogate" in error.msg
        said = (
            "holds half of a character, such as \\ud83d: write the whole one" if half else f"is not JSON: {error.msg}"
        )
        fault = Fault("$", f"{said}.", line=error.lineno, column=error.colno)
        raise CatalogueBroken([fault]) from error


def parts_of(data: object) -> tuple[list[object], dict[str, Any], Parts]:
    """Split a file into its rows, its shared part, and the place of the rows. Raises CatalogueBroken without rows."""
    if isinstance(data, list):
        return data, {}, ()
    if not isinstance(data, dict):
        raise CatalogueBroken([Fault("$", "must be an object with the field astrologers, or a list of astrologers.")])
    rows = data.get("astrologers")
    if not isinstance(rows, list):
        raise CatalogueBroken(shape_faults("catalogue", data, ()))
    return rows, {key: value for key, value in data.items() if key != "astrologers"}, ("astrologers",)


def with_shipped(rest: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the shared part of a file with that of the file that ships; of two entries of one name, the file's wins.

    The file that ships is read each time: it may be the file that is edited, and then the merge must change nothing.
    """
    shipped = _rest()
    return shipped | {key: _merged(shipped.get(key), value, _LEVELS.get(key, 1)) for key, value in rest.items()}


_LEVELS = {"voice_mappings": 2, "disclosures": 2}  # objects in objects that are merged: gender, then language


def _merged(shipped: Any, own: Any, levels: int) -> Any:
    match shipped, own:
        case dict(), dict() if levels:
            return shipped | {name: _merged(shipped.get(name), entry, levels - 1) for name, entry in own.items()}
        case list(), list() if levels:  # the file's own first, so that the indices in faults are those of the file
            return own + [entry for entry in shipped if entry not in own]
        case _:
            return own


@functools.cache
def shipped_rest() -> dict[str, Any]:
    """The shared part of the file that ships, read once and cached in this process."""
    return _rest()


def _rest() -> dict[str, Any]:
    _, data = decode(read_bytes(SHIPPED))
    _, rest, _ = parts_of(data)
    return rest
