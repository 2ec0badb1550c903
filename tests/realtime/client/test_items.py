"""A reply of several items: a few words before the model thinks, then the answer. Each is cut for itself."""

from base64 import b64encode
from typing import Any

import pytest

from tests.realtime.client.upstream import Upstream
from upstream.commands import AskText, TruncateReply
from upstream.facts import ReplyEnded, ReplyNumber, ReplyWords, TurnId

REPLY = ReplyNumber(1)
FIRST_MS, SECOND_MS = 1200, 3000
WORDS = ("One moment, please.", "It will be spring.")


def item(up: Upstream, name: str, words: str, ms: int, named: bool = True, pieces: bool = True) -> list[ReplyWords]:
    """One item, from its announcement to its end; where its events are not `named` they do not say whose they are."""
    of = {"response_id": "a", **({"item_id": name} if named else {})}
    up.say("response.output_item.added", response_id="a", item={"id": name})
    events = up.say("response.output_audio_transcript.delta", delta=words, **of) if pieces else []
    for _ in range(ms // 100):
        up.say("response.output_audio.delta", delta=b64encode(bytes(4800)).decode(), **of)
    events += up.say("response.output_audio_transcript.done", transcript=words, **of)
    up.say("response.output_item.done", response_id="a", item={"id": name, "status": "completed"})
    return [event for event in events if isinstance(event, ReplyWords)]


def two(up: Upstream, named: bool = True) -> list[ReplyWords]:
    """A whole reply of two items."""
    up.ours.send(AskText(TurnId(1), "when?"))
    up.sent()
    up.created("a", 1)
    words = item(up, "first", WORDS[0], FIRST_MS, named) + item(up, "second", WORDS[1], SECOND_MS, named)
    up.done("a", output=[{"id": "first"}, {"id": "second"}])
    return words


@pytest.mark.parametrize(
    ("came", "rest"),
    [("It will ", ["be spring."]), (WORDS[1], []), ("It be ", [])],
    ids=["the last were lost", "none was lost", "lost in the middle: what came is left as it is"],
)
def test_words_whose_last_pieces_were_lost_are_told_with_all_of_them(up: Upstream, came: str, rest: list[str]) -> None:
    """The end of the words brings them once more, whole."""
    up.ours.send(AskText(TurnId(1), "when?"))
    up.sent()
    up.created("a", 1)
    of = {"response_id": "a", "item_id": "first"}
    up.say("response.output_item.added", response_id="a", item={"id": "first"})
    up.say("response.output_audio_transcript.delta", delta=came, **of)
    up.say("response.output_audio.delta", delta=b64encode(bytes(4800)).decode(), **of)
    told = up.say("response.output_audio_transcript.done", transcript=WORDS[1], **of)
    assert [event.text for event in told if isinstance(event, ReplyWords)] == rest
    (ended,) = (event for event in up.done("a") if isinstance(event, ReplyEnded))
    assert ended.text == (came + "".join(rest)).strip()


def cuts(up: Upstream) -> list[tuple[str, str, Any]]:
    """What is said of which item, with the ms of it that stay."""
    return [(e["type"].rpartition(".")[2], e["item_id"], e.get("audio_end_ms")) for e in up.sent()]


DELETES = [("delete", "first", None), ("delete", "second", None)]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("heard_ms", "cut"),
    [
        (0, DELETES),
        (700, [("truncate", "first", 700), ("delete", "second", None)]),
        (FIRST_MS, [("delete", "second", None)]),
        (FIRST_MS + 1000, [("truncate", "second", 1000)]),
        (FIRST_MS + SECOND_MS, []),
    ],
)
def test_the_item_that_was_playing_is_truncated(up: Upstream, heard_ms: int, cut: list[Any], named: bool) -> None:
    """At its own ms; later ones are deleted, earlier ones stay."""
    two(up, named)
    up.ours.send(TruncateReply(REPLY, heard_ms))
    assert cuts(up) == cut


def test_both_are_announced_before_either_speaks(up: Upstream) -> None:
    """Their audio says whose it is."""
    up.ours.send(AskText(TurnId(1), "when?"))
    up.sent()
    up.created("a", 1)
    for name in ("first", "second"):
        up.say("response.output_item.added", response_id="a", item={"id": name})
    item(up, "first", WORDS[0], FIRST_MS)
    item(up, "second", WORDS[1], SECOND_MS)
    up.done("a")
    up.ours.send(TruncateReply(REPLY, FIRST_MS + 1000))
    assert cuts(up) == [("truncate", "second", 1000)]


def test_a_call_of_a_function_is_cut_with_what_was_not_heard(up: Upstream) -> None:
    """It is an item without sound: it stays if all before it was heard."""
    for heard_ms, cut in ((700, [("truncate", "first", 700), ("delete", "call", None)]), (FIRST_MS, [])):
        up = Upstream()
        up.ours.send(AskText(TurnId(1), "when?"))
        up.sent()
        up.created("a", 1)
        item(up, "first", WORDS[0], FIRST_MS)
        up.say("response.output_item.added", response_id="a", item={"id": "call", "type": "function_call"})
        up.done("a")
        up.ours.send(TruncateReply(REPLY, heard_ms))
        assert cuts(up) == cut


@pytest.mark.parametrize("first", ["One moment, please.", "One moment, please. "])
def test_their_words_are_joined_with_a_blank(up: Upstream, first: str) -> None:
    """One, also where there is one already; pieces of one item are not."""
    up.ours.send(AskText(TurnId(1), "when?"))
    up.created("a", 1)
    said = [*item(up, "first", first, 100), *item(up, "second", "It will be spr", 100)]
    said += item(up, "second", "ing.", 100)
    assert "".join(words.text for words in said) == " ".join(WORDS)
    (ended,) = up.done("a")
    assert isinstance(ended, ReplyEnded)
    assert ended.text == " ".join(WORDS)


def test_words_that_come_whole_are_joined_too(up: Upstream) -> None:
    """The upstream left out the pieces of the second item."""
    up.ours.send(AskText(TurnId(1), "when?"))
    up.created("a", 1)
    said = [*item(up, "first", WORDS[0], 100), *item(up, "second", WORDS[1], 100, pieces=False)]
    assert "".join(words.text for words in said) == " ".join(WORDS)


@pytest.mark.parametrize("echoes", [True, False])
@pytest.mark.parametrize(("there", "again"), [("2450ms", 2450), ("2450.7 ms", 2450)])
def test_a_truncation_that_is_refused_is_tried_with_the_length_that_is_named(
    up: Upstream, there: str, again: int, echoes: bool
) -> None:
    """Once; whether the error says what it refuses or not."""
    two(up)
    up.ours.send(TruncateReply(REPLY, FIRST_MS + 2535))
    (cut,) = up.sent()
    error = {"code": "invalid_value", "message": f"Audio content of {there} is already shorter than 2535ms"}
    if echoes:
        error["event_id"] = cut["event_id"]
    assert up.say("error", error=error) == []
    (retried,) = up.sent()
    assert (retried["item_id"], retried["audio_end_ms"]) == ("second", again)
    assert up.say("error", error={**error, "event_id": retried["event_id"]}) == []
    assert up.sent() == []
    assert not up.ours.states.closed


def test_a_truncation_that_is_refused_without_a_length_is_let_be(up: Upstream) -> None:
    """As is one that the error of something else seems to name."""
    two(up)
    up.ours.send(TruncateReply(REPLY, FIRST_MS + 1000))
    (cut,) = up.sent()
    up.say("error", error={"code": "item_truncate_invalid_item_id", "message": "no", "event_id": cut["event_id"]})
    up.say("error", error={"code": "odd", "message": "buffer too small: 40ms of 100ms"})
    assert up.sent() == []
