"""One sample of every event that the API may send, made from the types of OpenAI's SDK."""

import copy
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel

PLAIN: dict[Any, Any] = {str: "x", int: 1, float: 1.0, bool: False, Any: "x", object: "x"}


def sample(kind: Any) -> Any:
    """A value of this type with every field there, also those that may be missing."""
    if kind in PLAIN:
        return PLAIN[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return sample(inner[0])
    if origin is Literal:
        return inner[0]
    if origin in (Union, types.UnionType):
        return sample(next(one for one in inner if one is not types.NoneType))
    if origin is list:
        return [sample(inner[0])]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: sample(field.annotation) for name, field in kind.model_fields.items()}
    return {}


EVENTS: dict[str, dict[str, Any]] = {
    event["type"]: event for event in (sample(kind) for kind in get_args(get_args(RealtimeServerEvent)[0]))
}
"""By type."""


def about(kind: str, response: str, item: str) -> dict[str, Any]:
    """The sample of this type, about this response and this item."""
    event = {**EVENTS[kind]}
    for name, value in {"response_id": response, "item_id": item, "event_id": f"event of {kind}"}.items():
        if name in event:
            event[name] = value
    if "response" in event:
        event["response"] = {**event["response"], "id": response, "metadata": None, "status_details": None}
    if "session" in event:
        event["session"] = {**event["session"], "audio": {"output": {"voice": "marin"}}}
        for name in ("instructions", "output_modalities"):
            event["session"].pop(name, None)
    return event


OTHERS: list[Any] = [None, True, -7, 1e300, "न", "9" * 5000, [[]], [{}], {"id": 7}]
GONE = object()


def whole(kind: str, response: str = "live", item: str = "turn") -> dict[str, Any]:
    """A sample of this type with all that we read in it."""
    event = copy.deepcopy(about(kind, response, item))
    for part in ("response", "session"):
        if part in event:
            event[part] = {**copy.deepcopy(EVENTS[kind][part]), **{"id": response}}
    if "response" in event:
        event["response"]["metadata"] = {"ask": "1"}
    if "session" in event:
        event["session"]["audio"]["output"]["voice"] = "marin"
    if kind == "response.output_audio.delta":
        event["delta"] = "AAAA"
    return event


def places(part: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in an event, at any depth."""
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, inner in inside:
        yield (*way, name)
        yield from places(inner, (*way, name))


def changed(event: dict[str, Any], way: tuple[Any, ...], other: Any) -> dict[str, Any]:
    """The event with something else in this place, or nothing."""
    event = copy.deepcopy(event)
    inner: Any = event
    for step in way[:-1]:
        inner = inner[step]
    if other is GONE:
        del inner[way[-1]]
    else:
        inner[way[-1]] = other
    return event
