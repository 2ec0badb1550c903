from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.server.acts import Halt, Hear, Send, Speak, Think
from realtime.server.settings import CLIENT_EVENTS
from tests.engine.stand_ins import ENGLISH, Wire, kinds, refusal
from tests.kit.parts import SECOND
from upstream.facts import Turn

SPOKEN_ANSWER = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    *["response.output_audio.delta"] * 5,
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]

WRITTEN_DOWN = [
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
]

DEEP: list[Any] = []
for _ in range(100):
    DEEP = [DEEP]


@pytest.fixture
def wire() -> Wire:
    """A session whose client commits and creates by hand."""
    wire = Wire()
    wire.update(audio={"input": {"turn_detection": None}})
    return wire


def test_the_first_frame_is_the_whole_session() -> None:
    """Before anything is said the client learns every setting, and when the session will end."""
    wire = Wire()
    assert kinds(wire.sent) == ["session.created"]
    session = wire.sent[0]["session"]
    assert session["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": "marin",
        "speed": 1.0,
    }
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "create_response": True,
        "interrupt_response": True,
        "idle_timeout_ms": None,
    }
    assert session["expires_at"] == 1_800_003_600


def test_an_update_changes_what_is_present_and_answers_with_everything(wire: Wire) -> None:
    """Only present fields change, and the reply is the full effective session without the update's event_id."""
    (updated,) = wire.say(
        "session.update",
        event_id="su_1",
        session={
            "type": "realtime",
            "instructions": ENGLISH,
            "audio": {"input": {"transcription": {"model": "gpt-transcribe", "language": "en"}}},
        },
    )
    (again,) = wire.update(audio={"output": {"voice": "cedar"}})

    assert updated["event_id"] != "su_1"
    assert again["session"]["instructions"] == ENGLISH
    assert again["session"]["audio"]["input"]["transcription"] == {"model": "gpt-transcribe", "language": "en"}
    assert again["session"]["audio"]["output"]["voice"] == "cedar"
    assert again["session"]["audio"]["output"]["format"]["rate"] == 24000


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"instructions": "x"}, "missing_required_parameter", "session.type"),
        ({"type": "transcription"}, "invalid_value", "session.type"),
        ({"type": "realtime", "temperature": 0.8}, "unknown_parameter", "session.temperature"),
        ({"type": "realtime", "voice": "marin"}, "unknown_parameter", "session.voice"),
        ({"type": "realtime", "modalities": ["audio"]}, "unknown_parameter", "session.modalities"),
        ({"type": "realtime", "model": "another"}, "invalid_value", "session.model"),
        ({"type": "realtime", "instructions": 7}, "invalid_type", "session.instructions"),
        (
            {"type": "realtime", "output_modalities": ["audio", "text"]},
            "invalid_value",
            "session.output_modalities",
        ),
        (
            {"type": "realtime", "audio": {"output": {"voice": "nova"}}},
            "invalid_value",
            "session.audio.output.voice",
        ),
        (
            {"type": "realtime", "audio": {"output": {"format": {"type": "audio/pcm", "rate": 16000}}}},
            "invalid_value",
            "session.audio.output.format.rate",
        ),
        (
            {"type": "realtime", "audio": {"input": {"loudness": 1}}},
            "unknown_parameter",
            "session.audio.input.loudness",
        ),
    ],
)
def test_a_faulty_update_is_refused_by_its_path(wire: Wire, session: dict[str, Any], code: str, param: str) -> None:
    """Every fault of an update is named as the real API names it, and the error echoes the event_id."""
    (error,) = wire.say("session.update", event_id="su_7", session=session)

    assert (error["error"]["code"], error["error"]["param"]) == (code, param)
    assert error["error"]["event_id"] == "su_7"


def test_a_faulty_update_is_discarded_whole(wire: Wire) -> None:
    """What was right in a refused update does not take effect either."""
    wire.update(instructions="new", audio={"output": {"voice": "fable"}})

    assert wire.session.settings["instructions"] != "new"


def test_the_voice_is_locked_by_the_first_audio(wire: Wire) -> None:
    """After audio another voice refuses the whole update; the same voice, or none, is fine."""
    wire.write("hello")
    wire.answer()

    refused = wire.update(instructions="new", audio={"output": {"voice": "cedar"}})
    assert refusal(refused) == ("cannot_update_voice", "session.audio.output.voice")
    assert wire.session.settings["instructions"] != "new"
    assert kinds(wire.update(instructions="new", audio={"output": {"voice": "marin"}})) == ["session.updated"]


def test_a_text_answer_does_not_lock_the_voice(wire: Wire) -> None:
    """Only audio locks it."""
    wire.update(output_modalities=["text"])
    wire.say("response.create")
    wire.think("Hello.")

    assert kinds(wire.update(audio={"output": {"voice": "cedar"}})) == ["session.updated"]


def test_a_text_turn_climbs_the_whole_ladder(wire: Wire) -> None:
    """A typed turn and its spoken answer bring every event of the real API, in its order."""
    assert kinds(wire.write("Will I marry?")) == ["conversation.item.added", "conversation.item.done"]

    answer = wire.answer("The seventh house.")

    assert kinds(answer) == SPOKEN_ANSWER
    done = answer[-2]["response"]
    assert done["status"] == "completed"
    assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": "The seventh house."}]
    assert done["usage"]["output_token_details"]["audio_tokens"] == 20


def test_rate_limits_come_a_moment_after_done(wire: Wire) -> None:
    """On the real API they follow about 40 ms after response.done."""
    wire.say("response.create")
    wire.think("Hello.")
    last = wire.session.finished(wire.next(Speak).response_id)[-1]

    assert isinstance(last, Send)
    assert (last.event["type"], last.after) == ("rate_limits.updated", 0.04)


def test_a_spoken_turn_climbs_the_whole_ladder(wire: Wire) -> None:
    """A clip is committed, shown, heard, written down with usage, and answered."""
    wire.update(audio={"input": {"transcription": {"model": "gpt-transcribe", "language": "hi"}}})

    committed, added, done = wire.clip()
    assert kinds([committed, added, done]) == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert kinds(wire.say("response.create")) == ["response.created"]
    assert isinstance(wire.work[0], Hear)
    assert wire.work[0].language == "hi"

    delta, transcript = wire.hear("मेरी शादी कब होगी")
    assert (delta["item_id"], delta["delta"]) == (transcript["item_id"], transcript["transcript"])
    assert transcript["item_id"] == committed["item_id"]
    assert transcript["transcript"] == "मेरी शादी कब होगी"
    assert transcript["usage"] == {"type": "duration", "seconds": 1.0}
    assert wire.next(Think).turns == (Turn("user", "मेरी शादी कब होगी"),)


def test_the_transcript_does_not_need_a_response(wire: Wire) -> None:
    """A committed clip is written down although nobody asks for an answer."""
    wire.update(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    wire.clip()

    assert kinds(wire.hear("hello")) == WRITTEN_DOWN


def test_without_transcription_the_clip_is_still_understood(wire: Wire) -> None:
    """Transcription is for the client; the answer needs none switched on."""
    wire.clip()
    wire.say("response.create")

    assert wire.hear("hello") == []
    assert wire.next(Think).turns == (Turn("user", "hello"),)


def test_what_was_not_understood_is_written_down_as_nothing(wire: Wire) -> None:
    """Without words there is no delta, and the transcript is empty."""
    wire.update(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    wire.clip()
    (completed,) = wire.hear("")

    assert completed["transcript"] == ""


def test_the_hint_for_the_ear_comes_from_the_language_line(wire: Wire) -> None:
    """Without a transcription language the labelled line of the prompt says what is spoken."""
    wire.update(instructions="Tina.\nLanguage: Hindi (hi). Speak it.")
    wire.clip()

    assert wire.next(Hear).language == "hi"


def test_audio_deltas_are_short_and_whole(wire: Wire) -> None:
    """A second of audio comes as five deltas of 200 ms."""
    wire.say("response.create")
    wire.think("Hello.")
    deltas = [event for event in wire.speak(("Hello.", SECOND)) if event["type"].endswith("audio.delta")]

    assert [len(event["delta"]) for event in deltas] == [12_800] * 5


def test_words_and_audio_interleave_by_sentence(wire: Wire) -> None:
    """Each sentence's words come before its audio, and the transcript at the end is all of them."""
    wire.say("response.create")
    wire.think("One. Two.")
    spoken = wire.speak(("One. ", SECOND[:9600]), ("Two.", SECOND[:9600]))

    assert kinds(spoken)[:4] == [
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
    ]
    assert spoken[5]["transcript"] == "One. Two."


def test_a_text_response_is_text_only(wire: Wire) -> None:
    """output_modalities text gives output_text events and asks for no voice."""
    wire.say("response.create", response={"output_modalities": ["text"]})

    assert kinds(wire.think("Hello.")) == [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert wire.work == []


@pytest.mark.parametrize(("seconds", "said"), [(0.0, "0.00ms"), (0.099, "99.00ms")])
def test_a_commit_under_100_ms_is_refused(wire: Wire, seconds: float, said: str) -> None:
    """The message says how much there was."""
    (error,) = wire.clip(SECOND[: int(seconds * 24_000) * 2])

    assert error["error"]["code"] == "input_audio_buffer_commit_empty"
    assert said in error["error"]["message"]


def test_clear_forgets_what_was_appended(wire: Wire) -> None:
    """After a clear the next commit has nothing."""
    wire.say("input_audio_buffer.append", audio="AAAA" * 10_000)

    assert kinds(wire.say("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert refusal(wire.say("input_audio_buffer.commit")) == ("input_audio_buffer_commit_empty", None)


def test_an_append_that_is_not_base64_is_refused(wire: Wire) -> None:
    """And nothing of it is kept."""
    assert refusal(wire.say("input_audio_buffer.append", audio="not base64!")) == ("invalid_value", "audio")


def test_the_buffer_holds_ten_minutes(wire: Wire) -> None:
    """What is too much is refused whole, and what was there stays."""
    third = "AAAA" * (200 * 48_000 // 3)
    assert wire.say("input_audio_buffer.append", audio=third) == []
    assert wire.say("input_audio_buffer.append", audio=third) == []
    assert refusal(wire.say("input_audio_buffer.append", audio=third + "AAAA")) == ("invalid_value", "audio")
    assert wire.say("input_audio_buffer.append", audio=third) == []


def test_an_append_is_at_most_15_mib(wire: Wire) -> None:
    """Of base64, as the event carries it."""
    most = "AAAA" * (15 * 2**18)
    assert refusal(wire.say("input_audio_buffer.append", audio=most + "AAAA")) == ("string_above_max_length", "audio")
    assert wire.say("input_audio_buffer.append", audio=most) == []


def test_an_append_has_no_answer(wire: Wire) -> None:
    """The real API acknowledges none."""
    assert wire.say("input_audio_buffer.append", audio="AAAA") == []


def test_only_one_response_at_a_time(wire: Wire) -> None:
    """A second create in the default conversation is refused, one beside it is not."""
    wire.say("response.create")

    assert refusal(wire.say("response.create")) == ("conversation_already_has_active_response", None)
    assert kinds(wire.say("response.create", response={"conversation": "none"})) == ["response.created"]


def test_a_response_beside_the_conversation_leaves_no_item(wire: Wire) -> None:
    """Out of band there are output items, but none in the conversation."""
    wire.say("response.create", response={"conversation": "none"})
    new = wire.think("Aside.") + wire.speak(("Aside.", SECOND))

    assert not [kind for kind in kinds(new) if kind.startswith("conversation.")]
    assert new[-2]["response"]["conversation_id"] is None


def test_the_instructions_of_a_response_replace_the_sessions(wire: Wire) -> None:
    """With `input: []` nothing of the conversation is seen either, and metadata comes back twice."""
    wire.write("Hello")
    (created,) = wire.say(
        "response.create", response={"instructions": "Only this.", "input": [], "metadata": {"ask": "1"}}
    )
    work = wire.next(Think)
    assert (work.instructions, work.turns) == ("Only this.", ())

    wire.take(wire.session.thought(work.response_id, "Yes."))
    done = wire.speak(("Yes.", SECOND))[-2]
    assert created["response"]["metadata"] == done["response"]["metadata"] == {"ask": "1"}


def test_the_input_of_a_response_may_refer_to_items(wire: Wire) -> None:
    """References and items of its own are the whole context."""
    wire.write("first", id="item_1")
    wire.write("second")
    own = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "third"}]}
    wire.say("response.create", response={"input": [{"type": "item_reference", "id": "item_1"}, own]})

    assert wire.next(Think).turns == (Turn("user", "first"), Turn("user", "third"))


def test_cancel_closes_what_is_open(wire: Wire) -> None:
    """A response cut in the middle ends its parts, its item as incomplete, and says who cancelled."""
    wire.say("response.create")
    wire.think("One. Two.")
    wire.speak(("One. ", SECOND), finish=False)
    new = wire.say("response.cancel")

    assert kinds(new) == SPOKEN_ANSWER[10:]
    assert new[3]["item"]["status"] == "incomplete"
    response = new[-2]["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert isinstance(wire.work[0], Halt)


def test_what_a_cancelled_response_still_brings_is_ignored(wire: Wire) -> None:
    """A chunk that was being made while the cancel came is not sent."""
    (created,) = wire.say("response.create")
    wire.think("One. Two.")
    wire.say("response.cancel")

    assert wire.session.spoke(created["response"]["id"], "One. ", SECOND) == []
    assert wire.session.finished(created["response"]["id"]) == []


def test_cancel_while_the_ear_listens(wire: Wire) -> None:
    """The words are still written down, but nobody thinks about an answer any more."""
    wire.update(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    wire.clip()
    wire.say("response.create")

    assert kinds(wire.say("response.cancel")) == ["response.done", "rate_limits.updated"]
    assert kinds(wire.hear("hello")) == WRITTEN_DOWN
    assert not [act for act in wire.work if isinstance(act, Think)]


def test_cancel_without_a_response_is_refused(wire: Wire) -> None:
    """It is a race that every client knows."""
    assert refusal(wire.say("response.cancel")) == ("response_cancel_not_active", None)
    assert refusal(wire.say("response.cancel", response_id="resp_x")) == ("response_cancel_not_active", None)


def test_items_are_put_where_they_are_told(wire: Wire) -> None:
    """previous_item_id inserts, root goes first, and the events say what stands before."""
    wire.write("b", id="b")
    item = {"type": "message", "role": "system", "id": "a", "content": [{"type": "input_text", "text": "a"}]}
    (first, _) = wire.say("conversation.item.create", item=item, previous_item_id="root")
    between = {**item, "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "m"}]}
    (second, _) = wire.say("conversation.item.create", item=between, previous_item_id="a")
    wire.say("response.create")

    assert (first["previous_item_id"], second["previous_item_id"]) == (None, "a")
    assert [turn.text for turn in wire.next(Think).turns] == ["a", "m", "b"]


def test_faulty_items_are_refused(wire: Wire) -> None:
    """A duplicate id, an unknown place, a picture, and what is no message."""
    wire.write("a", id="a")
    picture = [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]

    assert refusal(wire.write("b", id="a")) == ("item_create_duplicate_item_id", "item.id")
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "b"}]}
    misplaced = wire.say("conversation.item.create", item=item, previous_item_id="x")
    assert refusal(misplaced) == ("item_create_invalid_previous_item_id", "previous_item_id")
    assert refusal(wire.write("b", content=picture)) == ("invalid_value", "item.content[0].type")
    assert refusal(wire.write("b", type="item_reference")) == ("invalid_value", "item.type")
    assert refusal(wire.write("b", type="function_call")) == ("unknown_parameter", "item.role")


def test_a_function_call_and_its_output_are_items(wire: Wire) -> None:
    """They are kept, shown and deleted as the rest; an output needs its call, and the mind reads neither."""
    call = {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "call_1"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "seven"}
    unknown = wire.say("conversation.item.create", item=output)
    assert refusal(unknown) == ("invalid_tool_call_id", "item.call_id")

    added, done = wire.say("conversation.item.create", item={**call, "id": "c"})
    wire.say("conversation.item.create", item={**output, "id": "o"})
    (shown,) = wire.say("conversation.item.retrieve", item_id="o")
    assert added["item"] == done["item"] == {**call, "id": "c", "object": "realtime.item", "status": "completed"}
    assert shown["item"] == {**output, "id": "o", "object": "realtime.item", "status": "completed"}
    wire.write("well?")
    wire.say("response.create")
    assert wire.next(Think).turns == (Turn("user", "well?"),)
    assert kinds(wire.say("conversation.item.delete", item_id="c")) == ["conversation.item.deleted"]


def test_the_slash_in_a_call_id_is_refused(wire: Wire) -> None:
    """The real API takes letters, digits, underscores and hyphens."""
    call = {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "call/1"}
    assert refusal(wire.say("conversation.item.create", item=call)) == ("invalid_value", "item.call_id")


def test_what_is_not_used_is_taken_and_shown(wire: Wire) -> None:
    """Tools, tracing and truncation change nothing here, but a client reads in session.updated what it asked for."""
    asked = {
        "tools": [{"type": "function", "name": "look", "description": "Look.", "parameters": {"type": "object"}}],
        "tool_choice": {"type": "function", "name": "look"},
        "tracing": {"workflow_name": "calls", "metadata": {"a": [1]}},
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.8, "token_limits": {"post_instructions": 8000}},
        "include": ["item.input_audio_transcription.logprobs"],
        "reasoning": {"effort": "low"},
    }
    (updated,) = wire.update(**asked)

    assert {name: updated["session"][name] for name in asked} == asked


def test_a_format_without_its_rate_is_shown_whole(wire: Wire) -> None:
    """The reply to an update is the effective session, and there is one rate."""
    (updated,) = wire.update(audio={"output": {"format": {"type": "audio/pcm"}}})

    assert updated["session"]["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}


@pytest.mark.parametrize("kind", ["audio", "text"])
def test_an_answer_beyond_its_tokens_is_cut(wire: Wire, kind: str) -> None:
    """It ends as incomplete, says why, and nothing of it comes any more."""
    wire.update(max_output_tokens=30, output_modalities=[kind])
    wire.say("response.create")
    new = wire.think("word " * 30)
    if kind == "audio":
        new = wire.speak(("word " * 15, 2 * SECOND), ("more", SECOND))

    assert kinds(new)[-2:] == ["response.done", "rate_limits.updated"]
    response = new[-2]["response"]
    assert (response["status"], response["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert (response["max_output_tokens"], response["output"][0]["status"]) == (30, "incomplete")
    assert isinstance(wire.work[-1], Halt)


def test_truncate_forgets_the_transcript(wire: Wire) -> None:
    """What was not heard is gone, and with it the words, for nobody knows which were heard."""
    wire.write("hello")
    item_id = wire.answer("Namaste.")[1]["item"]["id"]
    cut = {"item_id": item_id, "content_index": 0}

    (truncated,) = wire.say("conversation.item.truncate", **cut, audio_end_ms=400)
    assert truncated["audio_end_ms"] == 400
    (shown,) = wire.say("conversation.item.retrieve", item_id=item_id)
    assert shown["item"]["content"] == [{"type": "output_audio", "transcript": ""}]
    assert refusal(wire.say("conversation.item.truncate", **cut, audio_end_ms=401)) == (
        "invalid_value",
        "audio_end_ms",
    )


def test_only_audio_can_be_truncated(wire: Wire) -> None:
    """A typed item has none, an unknown one neither."""
    wire.write("hello", id="a")
    cut = {"content_index": 0, "audio_end_ms": 0}

    assert refusal(wire.say("conversation.item.truncate", item_id="a", **cut)) == ("invalid_value", "item_id")
    unknown = wire.say("conversation.item.truncate", item_id="x", **cut)
    assert refusal(unknown) == ("item_truncate_invalid_item_id", "item_id")


def test_what_is_not_there_cannot_be_shown_nor_answered(wire: Wire) -> None:
    """An unknown id is refused by what was wanted of it, and no response begins."""
    assert refusal(wire.say("conversation.item.retrieve", item_id="x")) == ("item_retrieve_invalid_item_id", "item_id")
    unknown = {"input": [{"type": "item_reference", "id": "x"}]}
    assert refusal(wire.say("response.create", response=unknown)) == ("item_reference_invalid_item_id", "item_id")
    assert kinds(wire.say("response.create")) == ["response.created"]


def test_a_deleted_item_is_no_longer_seen(wire: Wire) -> None:
    """Neither by the mind nor by a second delete."""
    wire.write("forget me", id="a")

    assert kinds(wire.say("conversation.item.delete", item_id="a")) == ["conversation.item.deleted"]
    assert refusal(wire.say("conversation.item.delete", item_id="a")) == ("item_delete_invalid_item_id", "item_id")
    wire.say("response.create")
    assert wire.next(Think).turns == ()


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({}, "missing_required_parameter", "type"),
        ({"type": "response.audio.cancel"}, "invalid_value", "type"),
        ({"type": ["session.update"]}, "invalid_value", "type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "response.create", "response": {"voice": "ash"}}, "unknown_parameter", "response.voice"),
        ({"type": "response.create", "response": {"metadata": {"a": 1}}}, "invalid_type", "response.metadata.a"),
        ({"type": "response.create", "response": 1}, "invalid_type", "response"),
        ({"type": "session.update", "session": {"type": "realtime", "tracing": {"metadata": DEEP}}}, "invalid_value",
         "session.tracing.metadata"),
        ({"type": "response.create", "response": {"tools": [{"type": "mcp", "server_label": "x"}]}},
         "invalid_value", "response.tools[0].type"),
        ({"type": "response.create", "response": {"metadata": {str(n): "" for n in range(17)}}}, "invalid_value",
         "response.metadata"),
        ({"type": "response.create", "response": {"metadata": {"k" * 65: ""}}}, "string_above_max_length",
         "response.metadata"),
        ({"type": "response.create", "response": {"metadata": {"k": "v" * 513}}}, "string_above_max_length",
         "response.metadata.k"),
        ({"type": "response.create", "response": {"tool_choice": "never"}}, "invalid_value", "response.tool_choice"),
        ({"type": "session.update", "session": {"type": "realtime", "truncation": {"type": "retention_ratio"}}},
         "missing_required_parameter", "session.truncation.retention_ratio"),
        ({"type": "session.update", "session": {"type": "realtime", "prompt": {"id": "x"}}},
         "invalid_value", "session.prompt"),
        ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
        ({"type": "input_audio_buffer.commit", "extra": 1}, "unknown_parameter", "extra"),
        ({"type": "response.cancel", "event_id": 5}, "invalid_type", "event_id"),
    ],
)  # fmt: skip
def test_a_faulty_event_is_answered_not_obeyed(wire: Wire, sent: dict[str, Any], code: str, param: str) -> None:
    """Whatever a client sends is answered with an error that names the place, and the session goes on."""
    assert refusal(wire.take(wire.session.receive(sent))) == (code, param)
    assert kinds(wire.write("hello")) == ["conversation.item.added", "conversation.item.done"]


NAMES = st.sampled_from(
    ["type", "event_id", "session", "audio", "input", "output", "item", "item_id", "content", "role", "id", "text",
     "content_index", "audio_end_ms", "previous_item_id", "response", "instructions", "metadata", "conversation",
     "voice", "format", "rate", "transcription", "turn_detection", "tools", "extra"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
    | st.sampled_from(["", "realtime", "message", "user", "assistant", "input_text", "none", "AAAA", "audio/pcm"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(list(CLIENT_EVENTS)), st.dictionaries(NAMES, VALUES, max_size=4)), max_size=5)
)
def test_nothing_that_a_client_sends_is_a_crash(events: list[tuple[str, dict[str, Any]]]) -> None:
    """Any JSON under any event name is obeyed or refused, with answers of the right shape."""
    wire = Wire()
    for kind, fields in events:
        wire.take(wire.session.receive({**fields, "type": kind}))
