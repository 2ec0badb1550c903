"""What a client may put into a conversation: messages of text, function calls and what came of them."""

import re
from typing import Any

from realtime.server.shape import Rejected, array, one_of, record, short_text, text

PARTS = {"user": "input_text", "system": "input_text", "assistant": "output_text"}
CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")

_NAMED = {
    "id": short_text(64),
    "object": one_of("realtime.item"),
    "status": one_of("completed", "incomplete", "in_progress"),
}


def call_id(value: Any, path: str) -> Any:
    """Letters, digits, `_` and `-`."""
    short_text(64)(value, path)
    if not CALL_ID.fullmatch(value):
        message = f"Invalid '{path}': expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        raise Rejected("invalid_value", message, path)
    return value


_CALL = record(
    ("type", "name", "arguments"), type=text, name=short_text(128), arguments=text, call_id=call_id, **_NAMED
)
_OUTPUT = record(("type", "call_id", "output"), type=text, call_id=call_id, output=text, **_NAMED)


def item(value: Any, path: str) -> Any:
    """A message, a function call or its output."""
    match value:
        case {"type": "function_call"}:
            return _CALL(value, path)
        case {"type": "function_call_output"}:
            return _OUTPUT(value, path)
        case _:
            return _message(value, path)


def item_or_reference(value: Any, path: str) -> Any:
    """What the `input` of a response lists."""
    match value:
        case {"type": "item_reference"}:
            return record(("id",), type=text, id=text)(value, path)
        case _:
            return item(value, path)


def _message(value: Any, path: str) -> Any:
    """A message whose parts suit its role: text only, for the audio of an assistant cannot be given."""
    role = value.get("role") if isinstance(value, dict) else None
    part = record(("type", "text"), type=one_of(PARTS.get(str(role), "input_text")), text=text)
    return record(
        ("type", "role", "content"),
        type=one_of("message", "function_call", "function_call_output"),
        role=one_of(*PARTS),
        content=array(part),
        **_NAMED,
    )(value, path)
