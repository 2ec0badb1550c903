"""Which function the mind calls, with which arguments, and what it says of what came of it."""

import json
from typing import Any

import pytest

from engine.mind.arguments import arguments_of
from engine.mind.chat import answer_in, messages, offer
from engine.mind.mind import Mind
from engine.mind.tools import chosen, outcome
from realtime.contract import SAY_EXACTLY
from realtime.server.tools import Called, Returned, Said, Toolbox
from tests.engine.mind.test_mind import chat_server
from tests.engine.stand_ins import ENGLISH
from tests.kit.story import run
from upstream.facts import Turn

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "get_weather", "description": "Get the weather of a city.", "parameters": CITY}
ORDER = {"type": "function", "name": "lookupOrderStatus", "description": "Where an order is."}
LOOK = {"type": "function", "name": "look_up", "description": "Look something up."}
ALL = (WEATHER, ORDER, LOOK)
CALL = Called("call_1", "get_weather", "{}")


def asked(text: str, *more: Said, must: bool = False, tools: tuple[Any, ...] = ALL) -> Toolbox:
    return Toolbox(tools, must, (Turn("user", text), *more))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What is the weather in Pune?", "get_weather"),
        ("How will the WEATHER be", "get_weather"),
        ("Where are my orders?", "lookupOrderStatus"),
        ("Please look up my number", "look_up"),
        ("When will I get married?", None),
        ("Hello", None),
        ("", None),
        ("मेरी शादी कब होगी?", None),
    ],
)
def test_a_function_is_called_when_the_words_fit(text: str, name: str | None) -> None:
    """By a word of its name, whatever its case and ending; else nothing is called."""
    assert [call.name for call in chosen(asked(text))] == ([name] if name else [])


def test_one_that_must_be_called_is() -> None:
    """The one that fits best, else the first, also when there are no words."""
    assert chosen(asked("Where is my order?", must=True))[0].name == "lookupOrderStatus"
    assert chosen(asked("Hello", must=True))[0].name == "get_weather"
    assert chosen(Toolbox(ALL, True, ()))[0].name == "get_weather"
    assert chosen(Toolbox((), False, ())) == ()


def test_a_turn_calls_once() -> None:
    """Then it says what came of it; the next turn may call again."""
    returned = Returned("call_1", "31")
    tools = asked("The weather?", CALL, returned)
    assert chosen(tools) == ()
    assert outcome(tools) == "Here is what I found: 31."
    later = asked("The weather?", CALL, returned, Turn("assistant", "31."), Turn("user", "The weather now?"))
    assert chosen(later)[0].name == "get_weather"
    assert outcome(later) is None
    assert outcome(asked("The weather?", CALL, returned, Turn("assistant", "31."))) is None


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (['{"city": "Pune", "degrees": 31, "is_raining": false}'], "city Pune, degrees 31, is raining no"),
        (['["a", null, 2]'], "a, 2"),
        (["It is sunny."], "It is sunny"),
        (['"sunny"', "31"], "sunny. 31"),
    ],
)
def test_what_came_of_calls_is_said(outputs: list[str], words: str) -> None:
    """JSON as its names and values, anything else as it is; several in order."""
    history = [Returned(str(number), output) for number, output in enumerate(outputs)]
    assert outcome(asked("The weather?", CALL, *history)) == f"Here is what I found: {words}."


@pytest.mark.parametrize("output", ["", "null", "  "])
def test_a_call_that_brings_nothing_is_done(output: str) -> None:
    """So that the caller hears that something happened; in Hindi to who speaks Hindi."""
    assert outcome(asked("Book it", Returned("1", output))) == "That is done."
    assert outcome(asked("बुक करो", Returned("1", output))) == "हो गया।"


@pytest.mark.parametrize(
    ("text", "properties", "value"),
    [
        ("The weather in New Delhi please", {"city": {"type": "string"}}, {"city": "New Delhi"}),
        ("weather for pune", {"location": {"type": "string"}}, {"location": "pune"}),
        ("Add 2 and 3.5", {"a": {"type": "integer"}, "b": {"type": "number"}}, {"a": 2, "b": 3.5}),
        ("Roll two dice", {"count": {"type": "integer", "maximum": 6}}, {"count": 2}),
        ("Roll 99", {"count": {"type": "integer", "maximum": 6}}, {"count": 6}),
        ("In celsius", {"unit": {"enum": ["fahrenheit", "celsius"]}}, {"unit": "celsius"}),
        ("Tell me", {"unit": {"enum": ["fahrenheit", "celsius"]}}, {"unit": "fahrenheit"}),
        ("Tell me", {"unit": {"enum": ["a", "b"], "default": "b"}}, {"unit": "b"}),
        ("Was it on 5 May 1990?", {"birth_date": {"type": "string"}}, {"birth_date": "5 May 1990"}),
        ("It was 7:45 am.", {"time": {"type": "string"}}, {"time": "7:45 am"}),
        ("Saturn and me?", {"query": {"type": "string"}}, {"query": "Saturn and me?"}),
        ("My sign is Leo", {"sign": {"type": "string"}}, {"sign": "Leo"}),
        ("Hello", {"n": {"type": ["integer", "null"]}}, {"n": 0}),
        ("Hello", {"x": {"const": 7}, "on": {"type": "boolean"}}, {"x": 7, "on": True}),
        ("Hi Tina", {"who": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
         {"who": {"name": "Tina"}}),
        ("Hi Tina", {"names": {"type": "array", "items": {"type": "string"}}}, {"names": ["Tina"]}),
        ("Hi Tina", {"name": {"anyOf": [{"type": "null"}, {"type": "string"}]}}, {"name": "Tina"}),
    ],
)  # fmt: skip
def test_arguments_are_read_from_the_words(text: str, properties: Any, value: Any) -> None:
    """By the schema of each field, where all are needed."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    assert json.loads(arguments_of(schema, text)) == value


def test_what_may_be_left_out_is_left_out() -> None:
    """Unless the caller spoke of it."""
    properties = {"n": {"type": "integer"}, "unit": {"enum": ["celsius"]}, "name": {"type": "string"}}
    assert arguments_of({"properties": properties}, "hello") == "{}"
    assert json.loads(arguments_of({"properties": properties}, "3 degrees celsius")) == {"n": 3, "unit": "celsius"}


@pytest.mark.parametrize("schema", [None, {}, [], "x", {"properties": 3}, {"$ref": "#/nowhere"}, {"type": "string"}])
def test_a_schema_that_says_nothing_gives_an_empty_object(schema: Any) -> None:
    """Whatever a client sends as parameters, arguments are an object."""
    assert arguments_of(schema, "Hello 3") == "{}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"enum": None},
        {"enum": 5},
        {"anyOf": 5},
        {"anyOf": None, "type": "string"},
        {"type": "integer", "minimum": None, "maximum": "9"},
        {"type": "string", "maxLength": "5"},
        {"type": "object", "required": 5, "properties": {"a": {}}},
        {"type": "object", "properties": [1]},
        {"type": "number", "minimum": 1e300},
        {"type": ["null"]},
    ],
)
@pytest.mark.parametrize("text", ["Weather in Pune for 5 people", "Call 99999999999999999999999 or -5.5", ""])
def test_a_schema_that_is_wrong_does_not_end_the_call(wrong: dict[str, Any], text: str) -> None:
    """Nor does a number that JSON cannot hold: the field gets some value."""
    schema = {"type": "object", "properties": {"x": wrong, "n": {"type": "integer"}}, "required": ["x", "n"]}

    assert isinstance(json.loads(arguments_of(schema, text))["n"], int)


def test_a_schema_that_contains_itself_ends() -> None:
    """References are followed, but not for ever."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}
    made = json.loads(arguments_of({**node, "$defs": {"node": node}}, "Hello"))
    assert "next" in made
    assert arguments_of({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "Hello") == "{}"


def act(mind: Mind, tools: Toolbox, instructions: str = ENGLISH) -> Any:
    turns = tuple(said for said in tools.history if isinstance(said, Turn))
    return run(mind.act(instructions, turns, tools))


def test_the_mind_calls_says_what_came_of_it_or_talks() -> None:
    """In this order; words that are demanded come before all."""
    mind = Mind()
    (call,) = act(mind, asked("The weather in Pune?"))
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Pune"})
    assert act(mind, asked("The weather in Pune?", CALL, Returned("call_1", "31"))) == "Here is what I found: 31."
    assert "married" in act(mind, asked("When will I get married?"))
    assert act(mind, asked("The weather?"), f"{ENGLISH}\n{SAY_EXACTLY}\nNamaste.") == "Namaste."


def ask_server(reply: Any, tools: Toolbox) -> tuple[Any, Any]:
    async def whole() -> tuple[Any, Any]:
        async with chat_server(reply) as (url, asked_for):
            turns = tuple(said for said in tools.history if isinstance(said, Turn))
            return await Mind(url, timeout=60).act(ENGLISH, turns, tools), asked_for[0]

    return run(whole())


def completion(**message: Any) -> Any:
    return {"choices": [{"message": {"content": None, **message}}]}


def test_tools_are_passed_on_to_the_chat_server() -> None:
    """It is offered them, and its calls are made with its ids."""
    function = {"name": "get_weather", "arguments": '{"city": "Pune"}'}
    called, sent = ask_server(
        completion(tool_calls=[{"id": "abc", "type": "function", "function": function}]), asked("Rain?", must=True)
    )

    assert called == (Called("abc", "get_weather", '{"city": "Pune"}'),)
    assert [tool["function"]["name"] for tool in sent["tools"]] == [tool["name"] for tool in ALL]
    assert sent["tools"][0]["function"]["parameters"] == CITY
    assert sent["tool_choice"] == "required"


def test_the_chat_server_is_told_what_came_of_calls() -> None:
    """In the shape of chat completions, calls of one answer together."""
    other = Called("call_2", "lookupOrderStatus", "{}")
    tools = asked("Both?", CALL, other, Returned("call_1", "31"), Returned("call_2", "sent"))
    said, sent = ask_server(completion(content="31 degrees, and sent."), tools)

    assert said == "31 degrees, and sent."
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "tool", "tool"]
    assert [call["id"] for call in sent["messages"][2]["tool_calls"]] == ["call_1", "call_2"]
    assert sent["messages"][3] == {"role": "tool", "tool_call_id": "call_1", "content": "31"}
    assert sent["tool_choice"] == "auto"


@pytest.mark.parametrize(
    "calls",
    [
        [{"id": "a", "function": {"name": "nobody", "arguments": "{}"}}],
        [{"id": "a", "function": {"name": "get_weather", "arguments": {}}}],
        [{"id": "a"}],
        ["x"],
    ],
)
def test_a_chat_server_that_calls_wrongly_is_not_missed(calls: Any) -> None:
    """The mind calls by its own rules instead."""
    called, _ = ask_server(completion(tool_calls=calls), asked("The weather in Pune?"))
    assert [call.name for call in called] == ["get_weather"]


def test_an_id_that_the_wire_does_not_take_is_replaced() -> None:
    """Else the client could not return anything for it."""
    call = {"id": "no id!", "function": {"name": "get_weather", "arguments": ""}}
    answer = answer_in(completion(tool_calls=[call]), asked("Rain?"))
    assert isinstance(answer, tuple)
    (called,) = answer
    assert called.call_id.startswith("call_")
    assert called.arguments == "{}"


def test_without_tools_nothing_is_offered() -> None:
    """Calls that were made before stay in the messages, the last of them too."""
    assert offer(Toolbox((), False, ())) == {}
    assert [message["role"] for message in messages((Turn("user", ""), CALL))] == ["user", "assistant"]
