"""Decodes JSON as clients write it: with half of an emoji, with a byte order mark, with null for what is not set."""

import re
from typing import Any

import orjson

_BOM = b"\xef\xbb\xbf"
_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F][0-9a-fA-F]"
_LOW = rb"\\u[dD][c-fC-F][0-9a-fA-F][0-9a-fA-F]"
_HALVES = re.compile(rb"%b(?!%b)|(?<!%b)%b" % (_HIGH, _LOW, _HIGH, _LOW))
_BACKSLASH, _HIDDEN = rb"\\", b"\0\0"  # an escaped backslash, and what stands for it meanwhile: no JSON has it


def loads(text: bytes) -> Any:
    r"""Parse JSON. Half of a surrogate pair, such as a lone `\ud83d`, is read as U+FFFD, as browsers send it.

    JavaScript that cuts a text at so many characters leaves such halves. Raises orjson.JSONDecodeError.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if (whole := mended(text.removeprefix(_BOM))) == text:
            raise
        return orjson.loads(whole)


def mended(text: bytes) -> bytes:
    """JSON with U+FFFD in place of every half of a surrogate pair."""
    if b"\\u" not in text or b"\0" in text:
        return text
    return _HALVES.sub(rb"\\ufffd", text.replace(_BACKSLASH, _HIDDEN)).replace(_HIDDEN, _BACKSLASH)


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that are not null, nor are in the objects among them: a null is as if the field were left out."""
    return {
        name: {inner: one for inner, one in value.items() if one is not None} if isinstance(value, dict) else value
        for name, value in fields.items()
        if value is not None
    }
