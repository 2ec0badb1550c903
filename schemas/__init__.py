"""The JSON Schemas of every message of the wire, compiled once, and the exception for input that is refused."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from schemas.decoding import given, loads
from schemas.explain import faults, first_of
from schemas.quiet import Quiet


class Refused(Exception):
    """A fault of the client's, not of the server's: the client is sent `code` and `message`, and the call goes on.

    `code` is one of the error codes of answer.schema.json; `message` is a sentence that says what to do next.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


MOST_PARTS = 10_000
"""Most JSON parts of a frame, see `parts`. A typed turn may hold 4,000 commas; 32,000 parts take 5 ms to check."""

TOO_MUCH = "It holds too much JSON for a message: send the fields of the schema only."
_NUMBERS = re.compile(rb'"(audio|data)"\s*:\s*(?:\[\s*-?\d|\{\s*"(?:0"|type"\s*:\s*"Buffer))')


def read(name: str) -> dict[str, Any]:
    """Read a schema, e.g. `read("caller")` for caller.schema.json. Returns a new dict each time."""
    schema: dict[str, Any] = orjson.loads(files(__name__).joinpath(f"{name}.schema.json").read_bytes())
    return schema


def _by_type(name: str) -> Mapping[str, Draft202012Validator]:
    """One validator for each message type. The type is checked first, so that errors concern that type alone."""
    schema = read(name)
    kinds = [choice["$ref"].rpartition("/")[2] for choice in schema["oneOf"]]
    return {kind: Quiet({**schema["$defs"][kind], "$defs": schema["$defs"]}) for kind in kinds}


CALLER = _by_type("caller")
"""Message type -> validator, of every message that a caller may send."""

ANSWER = _by_type("answer")
"""Message type -> validator, of every message that the server sends. Tests use it; the server does not check these."""


def parse_message(frame: bytes, kinds: Mapping[str, Draft202012Validator]) -> dict[str, Any]:
    """Parse the JSON object in a text frame and check it by the schema of its `type`, one of `kinds`.

    A field that is null is as if it were left out.

    Raises Refused: bad_json, unknown_type, bad_message.
    """
    if parts(frame) > MOST_PARTS:
        numbers = _NUMBERS.search(frame)
        said = f"{numbers[1].decode()} must be base64 text, not a list of numbers." if numbers else TOO_MUCH
        raise Refused("bad_message", said)
    try:
        data = loads(frame)
    except orjson.JSONDecodeError as error:
        raise Refused("bad_json", f"This is not JSON ({error}): send one JSON object per text frame.") from None
    if not isinstance(data, dict):
        raise Refused("bad_json", 'This is JSON but not an object: send one such as {"type": "ping"}.')
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        shown = repr(kind[:40]) if isinstance(kind, str) else "that is no string"
        raise Refused("unknown_type", f"There is no message type {shown}: send one of {', '.join(kinds)}.")
    data = given(data)
    if wrong := faults(kinds[kind], data):
        told = (f"{path.removeprefix('$').removeprefix('.')} {said}".lstrip() for path, said in wrong)
        raise Refused("bad_message", f"In the {kind} message: {first_of(told)}")
    return data


def parts(frame: bytes) -> int:
    """An upper bound of the fields and elements of JSON in a frame, counted without parsing it."""
    return sum(map(frame.count, (b"[", b"{", b",")))
