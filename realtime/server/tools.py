"""The tools of a response: which functions it may call, which it must, and what has come of calls so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from realtime.server.conversation import Item, event
from realtime.server.settings import Event
from realtime.server.shape import Rejected
from upstream.facts import Turn

PIECE = 16  # characters of the arguments in a delta


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a function; `arguments` is JSON."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of a call, as the client says it."""

    call_id: str
    output: str


Said: TypeAlias = Turn | Called | Returned


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What a mind may call, which is empty when it may not, and all that was said and called before.

    `offered` are the functions as the client has described them. One of them `must` be called, if it is set.
    """

    offered: tuple[Event, ...]
    must: bool
    history: tuple[Said, ...]


def toolbox(params: Event, settings: Event, context: Sequence[Item]) -> Toolbox | None:
    """The tools of a response; None if there are none, now or before.

    Raises Rejected if the parameters of the response name a function that there is not.
    """
    history = tuple(_said(item) for item in context)
    choice = params.get("tool_choice", settings["tool_choice"])
    tools: list[Event] = params["tools"] if "tools" in params else settings["tools"]
    offered = tuple(tools) if choice != "none" else ()
    if isinstance(choice, dict):
        offered = tuple(tool for tool in offered if tool["name"] == choice["name"])
        if not offered and "tool_choice" in params:
            message = f"Tool choice '{choice['name']}' not found in 'tools'."
            raise Rejected("invalid_value", message, "response.tool_choice")
    # A session that must call would otherwise never say what came of it; a response that must, does.
    obeyed = "tool_choice" not in params and any(isinstance(said, Returned) for said in since_asked(history))
    if not offered and not any(isinstance(said, Called | Returned) for said in history):
        return None
    return Toolbox(offered, choice not in ("auto", "none") and bool(offered) and not obeyed, history)


def since_asked(history: Sequence[Said]) -> Sequence[Said]:
    """What was said and called after the last turn of the user's."""
    asked = [at for at, said in enumerate(history) if isinstance(said, Turn) and said.role == "user"]
    return history[asked[-1] + 1 :] if asked else history


def climbed(response_id: str, index: int, item: Item, before: str | None, *, shown: bool) -> Iterator[Event]:
    """The events of a call, from its first to its last; `shown` if it is in the conversation, behind `before`."""
    call = item.call
    output = {"response_id": response_id, "output_index": index}
    place = {**output, "item_id": item.id, "call_id": call["call_id"]}
    empty = {**item.shape(), "status": "in_progress", "arguments": ""}
    yield event("response.output_item.added", **output, item=empty)
    if shown:
        yield event("conversation.item.added", previous_item_id=before, item=empty)
    arguments = call["arguments"]
    for start in range(0, len(arguments), PIECE):
        yield event("response.function_call_arguments.delta", **place, delta=arguments[start : start + PIECE])
    yield event("response.function_call_arguments.done", **place, name=call["name"], arguments=arguments)
    if shown:
        yield event("conversation.item.done", previous_item_id=before, item=item.shape())
    yield event("response.output_item.done", **output, item=item.shape())


def _said(item: Item) -> Said:
    match item.call:
        case {"type": "function_call"}:
            return Called(item.call["call_id"], item.call["name"], item.call["arguments"])
        case {"type": "function_call_output"}:
            return Returned(item.call["call_id"], item.call["output"])
        case _:
            assert item.role  # only what is no message has none
            return Turn(item.role, item.words())
