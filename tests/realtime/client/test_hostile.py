"""What an upstream that is late, forgetful or over its limit does to a connection, and what we make of it."""

from typing import Any

import pytest

from realtime.client.event_ids import REMEMBERED
from tests.realtime.client.upstream import Upstream
from upstream.commands import Append, AskText, CancelReply, Greet, Retry, SetTurnDetection, TruncateReply
from upstream.facts import (
    Allowance,
    AskFailed,
    Committed,
    Configured,
    Postponed,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyNumber,
    ReplyWords,
    Transcribed,
    TurnId,
    Unusable,
    Used,
)
from upstream.models import Capabilities, named
from upstream.usage import cost

LIMIT = "rate_limit_exceeded"


# Opening.


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"instructions": "You are helpful."}, "setup_mismatch"),
        ({"output_modalities": ["text"]}, "setup_mismatch"),
        ({"audio": {"output": {"voice": "alloy"}}}, "voice_mismatch"),
        ({"audio": {"output": {}}}, "voice_mismatch"),
        ({"audio": {"output": {"voice": "marin", "format": {"type": "audio/pcmu"}}}}, "setup_mismatch"),
        ({"audio": {"input": {"turn_detection": None}, "output": {"voice": "marin"}}}, "setup_mismatch"),
        ({"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}, "output": {"voice": "marin"}}},
         "setup_mismatch"),
        ({"audio": {"input": {"format": {"rate": 8000}}, "output": {"voice": "marin"}}}, "setup_mismatch"),
    ],
)  # fmt: skip
def test_a_session_that_is_not_what_was_asked_for_is_refused(change: dict[str, Any], code: str) -> None:
    """Voice, instructions, formats and turn detection are read, not believed."""
    up = Upstream(ready=False)
    (fact,) = up.say("session.updated", session={**up.update["session"], **change})
    assert isinstance(fact, Unusable)
    assert (fact.code, fact.fatal) == (code, True)
    assert up.sent() == []


def test_what_the_upstream_leaves_out_or_rounds_is_believed() -> None:
    """Only a contradiction is a fault."""
    up = Upstream(ready=False)
    rules = {**up.update["session"]["audio"]["input"]["turn_detection"], "threshold": 0.50001}
    session = {"audio": {"input": {"turn_detection": rules}, "output": {"voice": "marin"}}}
    assert up.say("session.updated", session=session) == [Configured(None, listens=True)]


def test_an_answer_before_the_setup_is_stopped_and_its_audio_ends_the_connection() -> None:
    """It would be spoken by nobody in particular, and would lock the voice."""
    up = Upstream(ready=False)
    assert up.created("early") == []
    assert up.kinds() == ["response.cancel"]
    assert up.ours.anomalies["response.created while opening"] == 1
    (fact,) = up.audio("early")
    assert isinstance(fact, Unusable)
    assert (fact.code, fact.fatal) == ("audio_before_setup", False)


def test_an_answer_before_the_setup_that_was_stopped_in_time_does_no_harm() -> None:
    """It ends without audio, and the session is opened as if it had not been."""
    up = Upstream(ready=False)
    up.created("early")
    up.done("early", "cancelled")
    assert up.say("session.updated", session=up.update["session"]) == [Configured(None, listens=True)]
    up.ours.send(Greet(TurnId(1), "Hello."))
    assert "response.create" in up.kinds()


def test_the_callers_voice_waits_for_the_setup(up: Upstream) -> None:
    """While the session is changed nothing is appended."""
    up.ours.send(SetTurnDetection(False))
    up.ours.send(Append(bytes(960)))
    assert up.kinds() == ["session.update", "input_audio_buffer.clear"]
    up.say("session.updated", session={"audio": {"output": {"voice": "marin"}}})
    assert up.kinds() == ["input_audio_buffer.append"]


# Twice, or never.


@pytest.mark.parametrize("later", [0, REMEMBERED - 1])
def test_an_event_that_comes_twice_counts_once(up: Upstream, later: int) -> None:
    """By its event_id: audio would be heard twice. Not only when it follows at once."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    delta = {"response_id": "a", "delta": "AAAA", "event_id": "e"}
    assert up.say("response.output_audio.delta", **delta) == [ReplyAudio(ReplyNumber(1), bytes(3))]
    for number in range(later):
        up.say("response.output_audio.done", event_id=f"{number}")
    assert up.say("response.output_audio.delta", **delta) == []
    assert up.ours.anomalies["duplicate"] == 1


@pytest.mark.parametrize("event_id", ["event_1", "", None, 7, {"id": 7}])
def test_ids_that_tell_no_event_from_another_lose_none(event_id: object) -> None:
    """An upstream gives all its events the same id, or none, or one that is no text: all of them count."""
    up = Upstream(ready=False)
    same = {"event_id": event_id}
    assert up.say("session.updated", session=up.update["session"], **same) == [Configured(listens=True)]
    up.sent()
    up.ours.send(AskText(TurnId(7), "one"))
    up.say("response.created", response={"id": "a", "metadata": {"ask": "7"}}, **same)
    silence = [up.say("response.output_audio.delta", response_id="a", delta="AAAA", **same) for _ in range(3)]
    assert silence == [[ReplyAudio(ReplyNumber(1), bytes(3))]] * 3
    (ended,) = up.say("response.done", response={"id": "a", "status": "completed"}, **same)
    assert isinstance(ended, ReplyEnded)
    assert not up.ours.anomalies


def test_what_is_said_twice_with_another_id_counts_once_too(up: Upstream) -> None:
    """The beginning and the end of a response, a commit, the words of a turn."""
    up.ours.send(AskText(TurnId(1), "one"))
    assert up.created("a", 1) == [ReplyBegan(ReplyNumber(1), TurnId(1))]
    assert up.created("a", 1) == []
    up.audio("a")
    assert up.done("a") == [ReplyEnded(ReplyNumber(1), TurnId(1), "completed", "")]
    assert up.done("a") == []
    up.speech("t")
    assert up.commit("t") == [Committed(TurnId(-1))]
    assert up.commit("t") == []
    written = {"item_id": "t", "transcript": "hello"}
    assert up.say("conversation.item.input_audio_transcription.completed", **written) == [
        Transcribed(TurnId(-1), "hello")
    ]
    assert up.say("conversation.item.input_audio_transcription.completed", **written) == []
    assert up.say("session.updated", session=up.update["session"]) == []


@pytest.mark.parametrize("first", ["audio", "words", "done"])
def test_a_response_whose_beginning_was_lost_begins_with_what_comes_of_it(up: Upstream, first: str) -> None:
    """It is what was asked for: nothing else is under way."""
    up.ours.send(AskText(TurnId(1), "one"))
    if first == "audio":
        assert up.audio("a") == [ReplyBegan(ReplyNumber(1), TurnId(1)), ReplyAudio(ReplyNumber(1), bytes(3))]
    elif first == "words":
        words = up.say("response.output_audio_transcript.delta", response_id="a", delta="Yes")
        assert words == [ReplyBegan(ReplyNumber(1), TurnId(1)), ReplyWords(ReplyNumber(1), "Yes")]
    else:
        assert up.done("a") == [
            ReplyBegan(ReplyNumber(1), TurnId(1)),
            ReplyEnded(ReplyNumber(1), TurnId(1), "completed", ""),
        ]


def test_a_response_whose_end_was_lost_ends_when_the_next_begins(up: Upstream) -> None:
    """There is one at a time; what the caller said meanwhile is answered, and not asked for again."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    up.audio("a")
    up.sent()
    up.speech("t")
    up.commit("t")
    facts = up.created("b")
    assert facts == [
        ReplyEnded(ReplyNumber(1), TurnId(1), "cancelled", "", "response.done is missing"),
        ReplyBegan(ReplyNumber(2), TurnId(-1)),
    ]
    assert up.audio("b") == [ReplyAudio(ReplyNumber(2), bytes(3))]
    up.done("b")
    assert "response.create" not in up.kinds()


def test_a_turn_whose_commit_was_lost_is_answered_all_the_same(up: Upstream) -> None:
    """The answer shows that it is whole; its words find it."""
    up.speech("t")
    up.say("input_audio_buffer.speech_stopped", item_id="t", audio_end_ms=900)
    assert up.created("a") == [Committed(TurnId(-1)), ReplyBegan(ReplyNumber(1), TurnId(-1))]
    written = up.say("conversation.item.input_audio_transcription.completed", item_id="t", transcript="hi")
    assert written == [Transcribed(TurnId(-1), "hi")]


def test_the_words_of_a_turn_may_come_before_its_commit(up: Upstream) -> None:
    """Then it is whole; the commit that follows says nothing new."""
    up.speech("t")
    written = up.say("conversation.item.input_audio_transcription.failed", item_id="t", error={})
    assert written == [Committed(TurnId(-1)), Transcribed(TurnId(-1), "")]
    assert up.commit("t") == []


def test_words_find_their_turn_in_any_order(up: Upstream) -> None:
    """By item id alone; those of an item that nobody knows are counted."""
    for item in "abc":
        up.speech(item)
        up.commit(item)
    kind = "conversation.item.input_audio_transcription.completed"
    told = [up.say(kind, item_id=item, transcript=item) for item in "cxab"]
    assert told == [[Transcribed(TurnId(-3), "c")], [], [Transcribed(TurnId(-1), "a")], [Transcribed(TurnId(-2), "b")]]
    assert up.ours.anomalies["words of an unknown item"] == 1
    up.created("answer")
    up.done("answer")
    assert up.ours.complete


def test_audio_of_a_response_that_is_over_or_unknown_is_dropped(up: Upstream) -> None:
    """It belongs to nothing that plays."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    up.done("a")
    assert up.audio("a") == up.audio("never heard of") == []
    assert up.ours.anomalies["audio of no response in hand"] == 2


def test_an_item_that_was_never_announced_is_cut_by_what_the_end_says_of_it(up: Upstream) -> None:
    """response.output_item.added was lost; response.done lists the items."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    up.audio("a", "A" * 6400)  # 100 ms
    up.done("a", output=[{"id": "said"}])
    up.sent()
    up.ours.send(TruncateReply(ReplyNumber(1), 40))
    (cut,) = up.sent()
    assert (cut["type"], cut["item_id"], cut["audio_end_ms"]) == ("conversation.item.truncate", "said", 40)


# Over its limit.


def test_an_answer_that_was_put_off_is_asked_for_again_without_its_content(up: Upstream) -> None:
    """After the delay that the message names; what was asked meanwhile waits behind it."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.sent()
    up.created("a", 1)
    assert up.failed("a", LIMIT, "Please try again in 500ms.") == [Postponed(ReplyNumber(1), TurnId(1), 0.5)]
    up.ours.send(AskText(TurnId(2), "two"))
    assert up.sent() == []
    assert not up.ours.owed
    up.ours.send(Retry())
    (create,) = up.sent()
    assert (create["type"], create["response"]["metadata"]) == ("response.create", {"ask": "1"})


def test_a_spoken_turn_that_was_put_off_is_asked_for_by_us(up: Upstream) -> None:
    """The upstream would not begin to answer it again by itself."""
    up.speech("t")
    up.commit("t")
    up.created("a")
    assert up.failed("a", LIMIT) == [Postponed(ReplyNumber(1), TurnId(-1), 1.0)]
    up.ours.send(Retry())
    (create,) = up.sent()
    assert create["response"]["metadata"] == {"ask": "-1"}
    assert up.created("b", -1) == [ReplyBegan(ReplyNumber(2), TurnId(-1))]


@pytest.mark.parametrize(
    ("message", "resets", "waits"),
    [("", 0.0, [1.0, 2.0, 4.0]), ("try again in 7s", 0.0, [7.0, 7.0]), ("", 3.0, [3.0, 3.0, 3.0]), ("in 1m", 30.0, [])],
)
def test_it_is_asked_again_three_times_and_twenty_seconds_at_most(
    up: Upstream, message: str, resets: float, waits: list[float]
) -> None:
    """As the message says, else until the limit is reset, else longer each time; then the ask has failed."""
    limit = {"name": "tokens", "limit": 9, "remaining": 0, "reset_seconds": resets}
    assert up.say("rate_limits.updated", rate_limits=[limit]) == [Allowance("tokens", 0, resets)]
    up.ours.send(AskText(TurnId(1), "one"))
    told: list[float] = []
    for _ in range(9):
        create = up.sent()[-1]
        error = {"code": LIMIT, "message": message, "event_id": create["event_id"]}
        (fact,) = up.say("error", error=error)
        if isinstance(fact, AskFailed):
            break
        assert isinstance(fact, Postponed)
        told.append(fact.seconds)
        up.ours.send(Retry())
    assert fact == AskFailed(TurnId(1), LIMIT, message or LIMIT)
    assert told == waits


def test_what_was_put_off_and_is_overtaken_is_not_asked_again(up: Upstream) -> None:
    """The caller has said something else since."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    up.failed("a", LIMIT)
    up.ours.send(CancelReply())
    up.sent()
    up.ours.send(Retry())
    assert up.sent() == []
    up.ours.send(AskText(TurnId(2), "two"))
    assert up.kinds() == ["conversation.item.create", "response.create"]


def test_an_answer_that_was_heard_in_part_is_not_asked_for_again(up: Upstream) -> None:
    """It has failed."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    up.audio("a")
    assert up.failed("a", LIMIT) == [ReplyEnded(ReplyNumber(1), TurnId(1), "failed", "", LIMIT)]


# What it comes to.


def test_tokens_are_told_by_kind(up: Upstream) -> None:
    """Of answers and of transcripts, also where details are missing."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    kept = {"text_tokens": 5, "audio_tokens": 2}
    given = {"text_tokens": 100, "audio_tokens": 20, "cached_tokens": 7, "cached_tokens_details": kept}
    usage = {"input_token_details": given, "output_token_details": {"text_tokens": 3, "audio_tokens": 40}}
    (used, _) = up.done("a", usage=usage)
    assert used == Used(text_in=100, text_cached=5, text_out=3, audio_in=20, audio_cached=2, audio_out=40)
    up.commit("t")
    kind = "conversation.item.input_audio_transcription.completed"
    facts = up.say(kind, item_id="t", transcript="hi", usage={"type": "tokens", "total_tokens": 9})
    assert facts[-1] == Used(transcribed=9)
    prices = named("gpt-realtime-2.1").prices
    assert prices
    assert isinstance(used, Used)
    expected = 95 * 4 + 5 * 0.4 + 3 * 24 + 18 * 32 + 2 * 0.4 + 40 * 64
    assert cost(used + used, prices) == pytest.approx(2 * expected / 1e6)


@pytest.mark.parametrize("usage", [None, {}, {"input_token_details": None, "output_token_details": 7}])
def test_an_answer_without_its_usage_is_whole(up: Upstream, usage: Any) -> None:
    """And so is one without details."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    up.audio("a")
    assert up.done("a", usage=usage, status_details=None, output=None)[-1] == ReplyEnded(
        ReplyNumber(1), TurnId(1), "completed", ""
    )


# What a model cannot do.


def test_nothing_is_sent_that_the_model_cannot_do() -> None:
    """Without cancel the rest of a reply is dropped until its end; without truncate it stays in its memory."""
    up = Upstream(Capabilities(cancel=False, truncate=False))
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    up.say("response.output_item.added", response_id="a", item={"id": "said"})
    up.audio("a")
    up.sent()
    up.ours.send(CancelReply())
    up.ours.send(TruncateReply(ReplyNumber(1), 0))
    up.ours.send(AskText(TurnId(2), "two"))
    assert up.sent() == []
    assert up.audio("a") == []
    assert up.done("a") == [ReplyEnded(ReplyNumber(1), TurnId(1), "cancelled", "")]
    assert up.kinds() == ["conversation.item.create", "response.create"]


def test_a_turn_that_the_upstream_would_not_take_is_not_answered_as_if_it_had(up: Upstream) -> None:
    """The caller is told to say it again, and the answer that was asked for with it is stopped."""
    up.ours.send(AskText(TurnId(1), "A question."))
    content, _ = up.sent()
    error = {"code": "odd", "message": "No.", "event_id": content["event_id"]}
    assert up.say("error", error=error) == [AskFailed(TurnId(1), "odd", "No.")]
    assert up.created("to what?", ask=1) == []
    assert up.kinds() == ["response.cancel"]
    up.done("to what?", "cancelled")
    up.ours.send(AskText(TurnId(2), "Another."))
    assert up.kinds() == ["conversation.item.create", "response.create"]


def test_a_setup_that_came_too_often_is_tried_on_another_connection() -> None:
    """It was not refused for what it says."""
    up = Upstream(ready=False)
    error = {"code": LIMIT, "message": "Later.", "event_id": up.update["event_id"]}
    assert up.say("error", error=error) == [Unusable(LIMIT, "Later.", fatal=False)]
