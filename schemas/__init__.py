"""The JSON Schemas of everything that crosses a shore, compiled once, and the refusal that a bad input earns."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from schemas.explain import faults, first_of
from schemas.quiet import Quiet


class Refused(Exception):
    """Theirs to mend, never a crash: the caller is told `code` and `message`, and the call goes on.

    `code` is one of the error codes of answer.schema.json; `message` is a sentence that says what to do next.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


MOST_PARTS = 10_000
"""Of JSON in a frame: fields, elements, commas in a text, of which a typed turn may be 4,000. 32,000 take 5 ms."""

TOO_MUCH = "It holds too much JSON for a message: send the fields of the schema only."


def read(name: str) -> dict[str, Any]:
    """The schema of this name, e.g. `read("caller")` for caller.schema.json, as a fresh dict."""
    schema: dict[str, Any] = orjson.loads(files(__name__).joinpath(f"{name}.schema.json").read_bytes())
    return schema


def _by_type(name: str) -> Mapping[str, Draft202012Validator]:
    """One validator per message type: the type is told first, so an error is about that type alone."""
    schema = read(name)
    kinds = [choice["$ref"].rpartition("/")[2] for choice in schema["oneOf"]]
    return {kind: Quiet({**schema["$defs"][kind], "$defs": schema["$defs"]}) for kind in kinds}


CALLER = _by_type("caller")
"""What a caller may send: message type -> validator."""

ANSWER = _by_type("answer")
"""What the server sends: message type -> validator. Held by tests, not checked on every message."""


def opened(frame: bytes, kinds: Mapping[str, Draft202012Validator]) -> dict[str, Any]:
    """The JSON object in a text frame, checked by the schema of its type.

    Raises Refused: bad_json, unknown_type, bad_message.
    """
    if parts(frame) > MOST_PARTS:
        raise Refused("bad_message", TOO_MUCH)
    try:
        data = orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        raise Refused("bad_json", f"This is not JSON ({error}): send one JSON object per text frame.") from None
    if not isinstance(data, dict):
        raise Refused("bad_json", 'This is JSON but not an object: send one such as {"type": "ping"}.')
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        shown = repr(kind[:40]) if isinstance(kind, str) else "that is no string"
        raise Refused("unknown_type", f"There is no message type {shown}: send one of {', '.join(kinds)}.")
    if wrong := faults(kinds[kind], data):
        told = (f"{path.removeprefix('$').removeprefix('.')} {said}".lstrip() for path, said in wrong)
        raise Refused("bad_message", f"In the {kind} message: {first_of(told)}")
    return data


def parts(frame: bytes) -> int:
    """How much JSON there may be in a frame, counted before it is read."""
    return sum(map(frame.count, (b"[", b"{", b",")))
