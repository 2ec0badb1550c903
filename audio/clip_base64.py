"""The base64 of a clip as clients write it: in either alphabet, without padding, as a data URL, in quotes, in lines."""

import re
from urllib.parse import unquote

from pybase64 import b64decode

from schemas import Refused

_QUOTED = re.compile(r"""b?(["'])(.*)\1""", re.DOTALL)
_LABEL = re.compile(r"data:[^,]{0,200},|[^,]{0,200};\s*base64\s*,|base64,", re.IGNORECASE)  # of a data URL
_BREAKS = b"\t\r\n\f\v"
_USUAL = bytes.maketrans(b"-_", b"+/")  # the alphabet of URLs: these two characters cannot mean anything else
_FOREIGN = re.compile(rb"[^A-Za-z0-9+/]")
_NO_FILE = re.compile(r"\[object |(?:blob|file|content|https?):|(?:undefined|null|none|nan)\Z", re.IGNORECASE)


def decode_base64(text: str) -> bytes:
    """Decode base64 in any of these forms. Raises Refused (bad_base64) with what seems to be wrong."""
    text = text.strip("\ufeff \t\r\n")
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[2]
    if label := _LABEL.match(text.lstrip()):
        text = text.lstrip()[label.end() :]
    if _NO_FILE.match(text):
        raise _refused("it stands for a recording, or for none, and is not its bytes")
    if "%" in text:
        text = unquote(text)
    if "\\" in text:  # escaped twice
        text = text.replace("\\n", "").replace("\\r", "").replace("\\/", "/")
    code = _without_blanks(text.encode("ascii", "replace")).rstrip(b"=").translate(_USUAL)
    if foreign := _FOREIGN.search(code):
        raise _refused(_why(foreign[0], foreign.start()))
    if len(code) % 4 == 1:
        raise _refused("its length cannot be right, so characters were lost on the way")
    return b64decode(code + b"=" * (-len(code) % 4))


def _without_blanks(code: bytes) -> bytes:
    """Remove line breaks. A blank is one, too, if all lines but the last are as long; else it was a plus.

    A plus becomes a blank where a form is decoded on the way.
    """
    code = code.translate(None, _BREAKS)
    if b" " not in code:
        return code
    lines = code.split()
    broken = len({len(line) for line in lines[:-1]}) == 1 and len(b"".join(lines).rstrip(b"=")) % 4 != 1
    whole = code.replace(b" ", b"+")
    if broken and (len(lines) > 2 or len(whole) % 4):
        return b"".join(lines)
    return whole


def _why(foreign: bytes, at: int) -> str:
    if foreign == b"=":
        return "it is in several pieces, each with its own padding"
    if foreign == b"?":
        return f"its character {at + 1} is in neither alphabet"
    return f"its character {at + 1} is '{foreign.decode()}'"


def _refused(why: str) -> Refused:
    return Refused("bad_base64", f"The clip is not base64: {why}. Encode the whole file once.")
