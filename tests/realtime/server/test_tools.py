"""Calls of functions: who may call, how a call is told, and what comes of it."""

from typing import Any

import pytest

from realtime.server.acts import Think
from realtime.server.tools import Called, Returned, Toolbox
from tests.engine.stand_ins import ENGLISH, Wire, kinds, refusal
from upstream.facts import Turn

WEATHER = {"type": "function", "name": "get_weather", "description": "The weather of a city.", "parameters": {}}
CLOCK = {"type": "function", "name": "get_time"}
CALL = Called("call_1", "get_weather", '{"city":"Pune","unit":"celsius"}')
LADDER = [
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "conversation.item.done",
    "response.output_item.done",
]


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.update(instructions=ENGLISH, audio={"input": {"turn_detection": None}}, tools=[WEATHER, CLOCK])
    wire.write("What is the weather in Pune?", id="asked")
    return wire


def offered(wire: Wire, **response: Any) -> Toolbox | None:
    """The tools of a response, which is cancelled at once."""
    wire.say("response.create", response=response)
    tools: Toolbox | None = wire.next(Think).tools
    wire.say("response.cancel")
    return tools


def names(tools: Toolbox | None) -> list[str]:
    assert tools is not None
    return [tool["name"] for tool in tools.offered]


def call(wire: Wire, *calls: Called) -> list[dict[str, Any]]:
    return wire.take(wire.session.called(wire.next(Think).response_id, calls))


def test_a_call_climbs_its_ladder(wire: Wire) -> None:
    """Its arguments come in pieces, then whole; the response is done with the call as its output."""
    wire.say("response.create")
    new = call(wire, CALL)

    assert kinds(new) == [*LADDER, "response.done", "rate_limits.updated"]
    assert "".join(event["delta"] for event in new[2:4]) == new[4]["arguments"] == CALL.arguments
    assert new[0]["item"]["arguments"] == ""
    done = new[-2]["response"]
    assert done["status"] == "completed"
    assert [(item["type"], item["name"], item["call_id"]) for item in done["output"]] == [
        ("function_call", "get_weather", "call_1")
    ]
    assert done["usage"]["output_tokens"] > 0


def test_what_came_of_a_call_is_in_the_context(wire: Wire) -> None:
    """In its place: behind the call, before what is said then."""
    wire.say("response.create")
    call(wire, CALL)
    output = {"type": "function_call_output", "call_id": "call_1", "output": '{"degrees": 31}'}
    assert kinds(wire.say("conversation.item.create", item=output)) == kinds(wire.sent)[-2:]

    wire.say("response.create")
    work = wire.next(Think)
    returned = Returned("call_1", '{"degrees": 31}')
    assert work.tools.history == (Turn("user", "What is the weather in Pune?"), CALL, returned)
    assert [turn.text for turn in work.turns] == ["What is the weather in Pune?"]


def test_two_calls_in_one_response(wire: Wire) -> None:
    """Each is an output of its own, in order, and each may return."""
    wire.say("response.create")
    new = call(wire, CALL, Called("call_2", "get_time", "{}"))

    added = [event for event in new if event["type"] == "response.output_item.added"]
    assert [event["output_index"] for event in added] == [0, 1]
    assert [item["call_id"] for item in new[-2]["response"]["output"]] == ["call_1", "call_2"]
    for call_id in ("call_2", "call_1"):
        item = {"type": "function_call_output", "call_id": call_id, "output": "1"}
        assert kinds(wire.say("conversation.item.create", item=item)) == [
            "conversation.item.added",
            "conversation.item.done",
        ]


def test_a_call_beside_the_conversation_is_not_in_it(wire: Wire) -> None:
    """Its events are those of the response alone, and no output can be given for it."""
    wire.say("response.create", response={"conversation": "none"})
    new = call(wire, CALL)

    assert not [kind for kind in kinds(new) if kind.startswith("conversation.")]
    output = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
    assert refusal(wire.say("conversation.item.create", item=output)) == ("invalid_tool_call_id", "item.call_id")


def test_a_call_of_a_cancelled_response_is_not_told(wire: Wire) -> None:
    """What comes too late is ignored."""
    wire.say("response.create")
    wire.say("response.cancel")
    assert call(wire, CALL) == []


def test_who_may_be_called(wire: Wire) -> None:
    """All, none, the one that is named; those of a response in place of the session's."""
    assert names(offered(wire)) == ["get_weather", "get_time"]
    assert names(offered(wire, tool_choice={"type": "function", "name": "get_time"})) == ["get_time"]
    assert names(offered(wire, tools=[CLOCK])) == ["get_time"]
    assert offered(wire, tool_choice="none") is None
    assert offered(wire, tools=[]) is None


@pytest.mark.parametrize(
    ("choice", "must"),
    [("auto", False), ("required", True), ({"type": "function", "name": "get_time"}, True), (None, False)],
)
def test_who_must_be_called(wire: Wire, choice: Any, must: bool) -> None:
    """By the choice of a response, and by that of the session."""
    tools = offered(wire, tool_choice=choice)
    assert tools is not None
    assert tools.must is must
    wire.update(tool_choice=choice or "auto")
    tools = offered(wire)
    assert tools is not None
    assert tools.must is must


def test_a_session_that_must_call_says_what_came_of_it(wire: Wire) -> None:
    """Else it would call for ever; a response that must calls again, and so does the next turn."""
    wire.update(tool_choice="required")
    wire.say("response.create")
    call(wire, CALL)
    output = {"type": "function_call_output", "call_id": "call_1", "output": "31"}
    wire.say("conversation.item.create", item=output)

    def must(**response: Any) -> bool:
        tools = offered(wire, **response)
        assert tools is not None
        return tools.must

    assert not must()
    assert must(tool_choice="required")
    wire.write("And in Delhi?")
    assert must()


def test_a_named_function_that_there_is_not_is_refused(wire: Wire) -> None:
    """By its path, before there is a response."""
    refused = wire.say("response.create", response={"tool_choice": {"type": "function", "name": "nobody"}})
    assert refusal(refused) == ("invalid_value", "response.tool_choice")
    assert names(offered(wire)) == ["get_weather", "get_time"]


def test_a_history_of_calls_needs_no_tools() -> None:
    """A seeded call and its output are told to the mind though nothing may be called any more."""
    wire = Wire()
    wire.say("conversation.item.create", item={"type": "function_call", **_seed(), "call_id": "call_9"})
    output = {"type": "function_call_output", "call_id": "call_9", "output": "31"}
    wire.say("conversation.item.create", item=output)

    tools = offered(wire)

    assert tools == Toolbox((), False, (Called("call_9", "look", "{}"), Returned("call_9", "31")))


def _seed() -> dict[str, str]:
    return {"name": "look", "arguments": "{}"}
