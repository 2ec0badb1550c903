"""What a chat server is sent and what it answers: the shapes of an OpenAI-compatible chat completion."""

from collections.abc import Iterable, Iterator
from typing import Any

from realtime.server.conversation import new_id
from realtime.server.items import CALL_ID
from realtime.server.tools import Called, Returned, Said, Toolbox
from upstream.facts import Turn

MOST_CALLS = 16  # in one answer


def messages(said: Iterable[Said]) -> Iterator[dict[str, Any]]:
    """The turns as messages; calls that stand together are one message, as servers demand."""
    calls: list[dict[str, Any]] = []
    for each in said:
        if isinstance(each, Called):
            function = {"name": each.name, "arguments": each.arguments}
            calls.append({"id": each.call_id, "type": "function", "function": function})
            continue
        if calls:
            yield {"role": "assistant", "content": None, "tool_calls": calls}
            calls = []
        match each:
            case Returned(call_id, output):
                yield {"role": "tool", "tool_call_id": call_id, "content": output}
            case Turn(role, text):
                yield {"role": role, "content": text or "(not understood)"}
    if calls:
        yield {"role": "assistant", "content": None, "tool_calls": calls}


def offer(tools: Toolbox) -> dict[str, Any]:
    """The functions that may be called; `required` also where one was named, for it is then the only one."""
    if not tools.offered:
        return {}
    functions = [{name: value for name, value in tool.items() if name != "type"} for tool in tools.offered]
    described = [{"type": "function", "function": function} for function in functions]
    return {"tools": described, "tool_choice": "required" if tools.must else "auto"}


def answer_in(completion: Any, tools: Toolbox | None) -> str | tuple[Called, ...]:
    """The calls of a chat completion, else its text. Raises ValueError for anything else."""
    try:
        message = completion["choices"][0]["message"]
        text, calls = message.get("content"), message.get("tool_calls") or ()
    except (KeyError, IndexError, TypeError, AttributeError) as missing:
        raise ValueError("not a chat completion") from missing
    known = {tool["name"] for tool in tools.offered} if tools else set()
    called = tuple(_called(call, known) for call in calls[:MOST_CALLS]) if known else ()
    if called:
        return called
    if not isinstance(text, str) or not text.strip():
        raise ValueError("an empty answer")
    return text.strip()


def _called(call: Any, known: set[str]) -> Called:
    try:
        given, name, arguments = call.get("id"), call["function"]["name"], call["function"]["arguments"]
    except (KeyError, TypeError, AttributeError) as missing:
        raise ValueError("not a call of a function") from missing
    if name not in known or not isinstance(arguments, str):
        raise ValueError("a call of a function that nobody offered")
    is_usable = isinstance(given, str) and len(given) <= 64 and CALL_ID.fullmatch(given)
    return Called(given if is_usable else new_id("call"), name, arguments or "{}")
