"""Whether an event is one of the Realtime API's: the official SDK's types, taken strictly, and nothing beyond them."""

from collections.abc import Iterator
from typing import Any

import orjson
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter

_SERVER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
_CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)

# The SDK shows a session by the type that asks for one, which has not what only the server says.
UNNAMED = {f"session.{name}" for name in ("id", "object", "expires_at")}


def check_server_event(event: dict[str, Any]) -> None:
    """Raise unless a server may send this."""
    _check(_SERVER, event, UNNAMED)


def check_client_event(event: dict[str, Any]) -> None:
    """Raise unless a client may send this."""
    _check(_CLIENT, event, set())


def _check(known_as: TypeAdapter[Any], event: dict[str, Any], unnamed: set[str]) -> None:
    known = known_as.validate_json(orjson.dumps(event), strict=True)
    assert known.type == event["type"], f"{event['type']} was taken for {known.type}"
    extras = set(_extras(known)) - unnamed
    assert not extras, f"{event['type']} has fields that the SDK does not know: {extras}"


def _extras(part: object, path: str = "") -> Iterator[str]:
    """The paths of what no model names, at any depth."""
    match part:
        case BaseModel():
            yield from (f"{path}{name}" for name in part.model_extra or ())
            for name in type(part).model_fields:
                yield from _extras(getattr(part, name), f"{path}{name}.")
        case list():
            for each in part:
                yield from _extras(each, path)
