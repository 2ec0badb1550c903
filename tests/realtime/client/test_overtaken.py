"""Asks and spoken turns that cross on the wire: the order that counts is the server's."""

from tests.realtime.client.upstream import Upstream
from upstream.commands import AskClip, AskText, CancelReply, Greet, SetTurnDetection
from upstream.facts import Committed, ReplyBegan, ReplyEnded, ReplyNumber, SpeechStarted, TurnId

BUSY = "conversation_already_has_active_response"


def test_speech_needs_no_hush_and_its_own_answer_is_heard(up: Upstream) -> None:
    """What waited behind the gate is void with it; the answer to the speech is not."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.created("a", 1)
    up.ours.send(AskText(TurnId(2), "two"))  # waits
    up.sent()
    assert up.speech("item") == [SpeechStarted(TurnId(-1), 0)]
    up.done("a", "cancelled")
    assert up.kinds() == ["conversation.item.create"]
    assert up.commit("item") == [Committed(TurnId(-1))]
    assert up.created("b") == [ReplyBegan(ReplyNumber(2), TurnId(-1))]
    assert up.sent() == []


def test_speech_from_before_a_change_to_clips_leaves_what_was_asked_after_it(up: Upstream) -> None:
    """The upstream cuts its answer, forgets the speech, and the clip that waited for it is answered."""
    up.ours.send(Greet(TurnId(1), "Hello."))
    up.created("a", 1)
    up.ours.send(SetTurnDetection(False))
    up.ours.send(AskText(TurnId(2), "two"))  # waits
    up.sent()
    assert up.speech("item") == []
    up.done("a", "cancelled")
    assert up.kinds() == ["conversation.item.create", "response.create"]


def test_a_create_that_reaches_the_server_while_somebody_speaks_is_cancelled_and_the_speech_answered(
    up: Upstream,
) -> None:
    """At its end the response was still active, so the server began none by itself."""
    up.ours.send(AskText(TurnId(1), "one"))
    up.sent()
    up.speech("item")
    assert up.created("a", 1) == []
    assert up.sent()[-1]["type"] == "response.cancel"
    assert up.commit("item") == [Committed(TurnId(-1))]
    assert up.sent() == []
    assert up.done("a", "cancelled") == [ReplyEnded(ReplyNumber(1), TurnId(1), "cancelled", "")]
    (create,) = up.sent()
    assert create["response"]["metadata"] == {"ask": "-1"}
    assert up.created("b", -1) == [ReplyBegan(ReplyNumber(2), TurnId(-1))]


def test_a_create_that_the_answer_to_speech_overtook_is_asked_again_after_it(up: Upstream) -> None:
    """The server heard it after the speech, so it is answered after the speech."""
    up.ours.send(AskText(TurnId(1), "one"))
    create = up.sent()[-1]
    up.speech("item")
    up.commit("item")
    assert up.created("a") == [ReplyBegan(ReplyNumber(1), TurnId(-1))]
    up.say("error", error={"code": BUSY, "message": "busy", "event_id": create["event_id"]})
    assert up.sent() == []
    up.done("a")
    assert [event["response"]["metadata"]["ask"] for event in up.sent()] == ["1"]


def test_a_turn_that_was_given_up_does_not_hold_up_what_is_asked_later(up: Upstream) -> None:
    """The caller changed to clips in the middle of it: the server forgets it and never commits it."""
    up.speech("item")
    up.ours.send(SetTurnDetection(False))
    up.say("session.updated", session={"audio": {"output": {"voice": "marin"}}})
    up.ours.send(AskText(TurnId(1), "one"))
    assert up.created("a", 1) == [ReplyBegan(ReplyNumber(1), TurnId(1))]


def test_speech_that_the_server_will_forget_is_not_told(up: Upstream) -> None:
    """It heard it before it was told to wait for clips: nobody would ever be told that it is whole."""
    up.ours.send(SetTurnDetection(False))
    assert up.speech("item") == []


def test_a_clip_that_is_void_is_not_said_into_a_stream(up: Upstream) -> None:
    """The caller sent it, and changed to a stream while something else was answered."""
    up.ours.send(SetTurnDetection(False))
    up.say("session.updated", session={"audio": {"output": {"voice": "marin"}}})
    up.ours.send(AskText(TurnId(1), "one"))
    up.ours.send(AskClip(TurnId(2), bytes(48 * 200)))
    up.created("a", 1)
    up.ours.send(CancelReply())
    up.ours.send(SetTurnDetection(True))
    up.sent()
    up.done("a", "cancelled")
    assert up.sent() == []
