"""Both halves of the upstream wire joined in memory: our protocol, and the engine's session, without a socket."""

import gc
from base64 import b64decode
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import orjson
import pytest

from engine.ear.vad import Loudness
from realtime.client.protocol import Protocol
from realtime.client.requests import APPEND_BYTES
from realtime.contract import SAY_EXACTLY
from realtime.server.acts import Act, Hear, Send, Speak, Think
from realtime.server.session import Session
from realtime.server.settings import LONGEST_LIFE
from tests.kit.shapes import check_client_event, check_server_event
from tests.kit.steps import steps
from upstream.commands import (
    Append,
    AskClip,
    AskText,
    CancelReply,
    ConfigureSession,
    Greet,
    Prove,
    Retry,
    SetTurnDetection,
    TruncateReply,
    UpdateInstructions,
)
from upstream.facts import (
    FRAMES_AT_ONCE,
    Allowance,
    AskFailed,
    Configured,
    Event,
    Postponed,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyNumber,
    ReplySaid,
    ReplyWords,
    Setup,
    Transcribed,
    Turn,
    TurnId,
    Unusable,
    Used,
)

SECOND = bytes(48_000)
TINA = Setup("You are Tina.", "marin", "hi")


class Wire:
    """Carries frames both ways until both are quiet; the engine's work is done when the test says so."""

    def __init__(self) -> None:
        self.ours, self.theirs = Protocol(), Session("gpt-realtime-2.1", now=0, detector=Loudness)
        self.sent: list[dict[str, Any]] = []
        self.facts: list[Event] = []
        self.booked: list[Used | Allowance] = []
        self.work: list[Act] = []
        self._take(self.theirs.begin())

    def carry(self) -> list[Event]:
        """Carry all that waits; returns the new facts."""
        known = len(self.facts)
        while frames := self.ours.to_send():
            for frame in frames:
                event = orjson.loads(frame)
                check_client_event(event)
                self.sent.append(event)
                self._take(self.theirs.receive(event))
        return self.facts[known:]

    def _take(self, acts: list[Act]) -> None:
        for act in acts:
            if isinstance(act, Send):
                check_server_event(act.event)
                for fact in self.ours.receive(orjson.dumps(act.event).decode()):
                    if isinstance(fact, Used | Allowance):
                        self.booked.append(fact)
                    else:
                        self.facts.append(fact)
            elif isinstance(act, Think):
                exact = act.instructions.partition(SAY_EXACTLY)[2].strip()
                self._take(self.theirs.thought(act.response_id, exact or f"I heard {len(act.turns)} turns."))
            else:
                self.work.append(act)

    def hear(self, text: str) -> list[Event]:
        """Finish the oldest piece of listening."""
        known, work = len(self.facts), next(act for act in self.work if isinstance(act, Hear))
        self.work.remove(work)
        self._take(self.theirs.heard(work.item_id, text))
        self.carry()
        return self.facts[known:]

    def speak(self, pcm: bytes = SECOND) -> list[Event]:
        """Speak the text of the response in hand, whole."""
        known, work = len(self.facts), next(act for act in self.work if isinstance(act, Speak))
        self.work.remove(work)
        self._take(self.theirs.spoke(work.response_id, work.text, pcm))
        self._take(self.theirs.finished(work.response_id))
        self.carry()
        return self.facts[known:]

    def kinds(self) -> list[str]:
        """The types of all that we sent."""
        return [event["type"] for event in self.sent]


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A session that is configured as Tina; in the end nothing odd must have come."""
    wire = Wire()
    wire.ours.send(ConfigureSession(TINA))
    assert wire.carry() == [Configured(LONGEST_LIFE)]
    yield wire
    assert not wire.ours.anomalies


def test_the_setup_goes_out_whole_before_anything_else(wire: Wire) -> None:
    """One full session.update, of the GA shape, with manual turns; Configured only after session.updated."""
    assert wire.kinds() == ["session.update"]
    session = wire.sent[0]["session"]
    assert session["type"] == "realtime"
    assert session["instructions"] == "You are Tina."
    assert session["audio"]["output"] == {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["audio"]["input"]["transcription"]["language"] == "hi"


def test_what_is_said_before_the_session_is_there_waits() -> None:
    """configure() before session.created is kept, not lost."""
    protocol = Protocol()
    protocol.send(ConfigureSession(TINA))
    assert protocol.to_send() == []


def test_the_greeting_is_the_exact_words(wire: Wire) -> None:
    """One response.create with an empty input and the words to say; no item that the model would answer."""
    wire.ours.send(Greet(TurnId(1), "नमस्ते!"))
    wire.carry()
    create = wire.sent[-1]
    assert create["type"] == "response.create"
    assert create["response"]["input"] == []
    assert create["response"]["instructions"] == f"You are Tina.\n\n{SAY_EXACTLY}\nनमस्ते!"
    assert {type(fact) for fact in wire.speak()} == {ReplyWords, ReplyAudio, ReplySaid, ReplyEnded}
    assert wire.facts[-1] == ReplyEnded(ReplyNumber(1), TurnId(1), "completed", "नमस्ते!")
    assert "conversation.item.create" not in wire.kinds()


def test_a_reply_that_is_over_keeps_no_instructions(wire: Wire) -> None:
    """They are some 20 KB, and each call would keep those of its greeting."""
    wire.ours.send(Greet(TurnId(1), "नमस्ते!"))
    wire.carry()
    assert any(SAY_EXACTLY in text for text in texts(wire.ours))
    wire.speak()
    assert not any(SAY_EXACTLY in text for text in texts(wire.ours))


def texts(root: object) -> Iterator[str]:
    """All texts that an object of ours holds, directly or not."""
    seen, waiting = set[int](), [root]
    while waiting:
        held = waiting.pop()
        if id(held) not in seen and not isinstance(held, type | ModuleType | FunctionType):
            seen.add(id(held))
            waiting += gc.get_referents(held)
            if isinstance(held, str):
                yield held


def test_a_word_in_writing_proves_that_we_are_served(wire: Wire) -> None:
    """Text alone, whole without anything spoken: nothing of it is odd, and it has a price."""
    wire.ours.send(Prove(TurnId(1)))
    assert [type(fact) for fact in wire.carry()] == [ReplyBegan, ReplyEnded]
    assert wire.facts[-1] == ReplyEnded(ReplyNumber(1), TurnId(1), "completed", "")
    assert wire.sent[-1]["response"]["output_modalities"] == ["text"]
    assert wire.work == []
    (used,) = [booked for booked in wire.booked if isinstance(booked, Used)]
    assert 0 < used.text_out <= wire.sent[-1]["response"]["max_output_tokens"]
    assert used.audio_out == 0


def test_a_clip_is_appended_committed_and_answered(wire: Wire) -> None:
    """A long clip goes in pieces, in order; its transcript and its answer carry the ask's number."""
    clip = bytes(range(256)) * (3 * APPEND_BYTES // 256)
    wire.ours.send(AskClip(TurnId(7), clip))
    wire.carry()
    assert wire.kinds()[1:] == [*["input_audio_buffer.append"] * 3, "input_audio_buffer.commit", "response.create"]
    heard = next(act for act in wire.work if isinstance(act, Hear))
    assert heard.pcm == clip
    assert wire.hear(" When will I marry? ") == [
        Transcribed(TurnId(7), " When will I marry? ", final=False),
        Transcribed(TurnId(7), "When will I marry?"),
    ]
    wire.speak()
    assert wire.facts[-1] == ReplyEnded(ReplyNumber(1), TurnId(7), "completed", "I heard 1 turns.")
    assert wire.ours.complete


def test_audio_arrives_as_bytes(wire: Wire) -> None:
    """What the engine says is what the caller hears, byte by byte."""
    wire.ours.send(AskText(TurnId(1), "hello"))
    wire.carry()
    pcm = bytes(range(256)) * 100
    told = [fact.pcm for fact in wire.speak(pcm) if isinstance(fact, ReplyAudio)]
    assert b"".join(told) == pcm


def test_history_is_seeded_before_the_session_is_ready() -> None:
    """User turns as input_text, assistant turns as output_text, in order, and no answer to them."""
    wire = Wire()
    wire.ours.send(ConfigureSession(TINA, (Turn("user", "When?"), Turn("assistant", "Soon."))))
    assert wire.carry() == [Configured(LONGEST_LIFE)]
    items = [event["item"] for event in wire.sent if event["type"] == "conversation.item.create"]
    assert [(item["role"], item["content"]) for item in items] == [
        ("user", [{"type": "input_text", "text": "When?"}]),
        ("assistant", [{"type": "output_text", "text": "Soon."}]),
    ]
    assert "response.create" not in wire.kinds()


def test_one_response_at_a_time(wire: Wire) -> None:
    """What is asked while the model speaks waits behind the gate, content and all."""
    wire.ours.send(AskText(TurnId(1), "first"))
    wire.carry()
    wire.ours.send(AskText(TurnId(2), "second"))
    wire.carry()
    assert wire.kinds().count("response.create") == 1
    wire.speak()
    assert wire.kinds().count("response.create") == 2
    wire.speak()
    assert [fact.ask for fact in wire.facts if isinstance(fact, ReplyEnded)] == [1, 2]


def test_hush_cancels_what_is_spoken_and_asks_on(wire: Wire) -> None:
    """After a hush the cancelled reply ends, no audio of it comes, and the next ask is answered."""
    wire.ours.send(AskText(TurnId(1), "first"))
    wire.carry()
    wire.ours.send(CancelReply())
    wire.ours.send(AskText(TurnId(2), "second"))
    wire.carry()
    spoken = [act for act in wire.work if isinstance(act, Speak)]
    wire.work = [act for act in spoken if act.response_id == spoken[-1].response_id]
    wire.speak()
    assert [(fact.ask, fact.status) for fact in wire.facts if isinstance(fact, ReplyEnded)] == [
        (1, "cancelled"),
        (2, "completed"),
    ]


def test_hush_before_the_response_exists_cancels_it_when_it_comes(wire: Wire) -> None:
    """A response.created for an ask that is void is answered by a cancel."""
    wire.ours.send(AskText(TurnId(1), "first"))
    frames = wire.ours.to_send()
    wire.ours.send(CancelReply())
    for frame in frames:
        wire._take(wire.theirs.receive(orjson.loads(frame)))
    wire.carry()
    assert wire.kinds()[-2:] == ["response.cancel", "conversation.item.delete"]
    assert wire.facts[-1] == ReplyEnded(ReplyNumber(1), TurnId(1), "cancelled", "", "client_cancelled")
    wire.work.clear()


def test_a_reply_that_is_complete_before_the_cancel_arrives_is_cancelled_all_the_same(wire: Wire) -> None:
    """Its last audio was dropped: nobody must be given the rest as if it were whole, nor the model remember it."""
    wire.ours.send(AskText(TurnId(1), "first"))
    wire.carry()
    wire.ours.send(CancelReply())
    wire.ours.send(TruncateReply(ReplyNumber(1), 0))
    cancel = wire.ours.to_send()
    wire.speak()
    assert wire.facts[-1] == ReplyEnded(ReplyNumber(1), TurnId(1), "cancelled", "I heard 1 turns.")
    assert not any(isinstance(fact, ReplyAudio) for fact in wire.facts)
    for frame in cancel:
        wire._take(wire.theirs.receive(orjson.loads(frame)))
    assert wire.kinds()[-1] == "conversation.item.delete"
    assert wire.ours.anomalies.pop("response_cancel_not_active") == 1


def test_a_refused_commit_does_not_shift_the_transcripts(wire: Wire) -> None:
    """The words of the next clip belong to the next ask."""
    wire.ours.send(AskClip(TurnId(1), bytes(480)))  # 10 ms: the server refuses to commit it
    wire.carry()
    assert wire.ours.anomalies.pop("input_audio_buffer_commit_empty") == 1
    wire.ours.send(CancelReply())
    wire.ours.send(AskClip(TurnId(2), SECOND))
    wire.carry()
    assert wire.hear("the second")[-1] == Transcribed(TurnId(2), "the second")
    wire.work.clear()


def test_hush_of_what_waits_keeps_the_words_without_an_answer(wire: Wire) -> None:
    """A turn that was interrupted before it was asked is still part of the conversation."""
    wire.ours.send(AskText(TurnId(1), "first"))
    wire.ours.send(AskText(TurnId(2), "second"))
    wire.carry()
    wire.ours.send(CancelReply())
    wire.ours.send(AskText(TurnId(3), "third"))
    wire.carry()
    said = [event["item"]["content"][0]["text"] for event in wire.sent if event["type"] == "conversation.item.create"]
    assert said == ["first", "second", "third"]
    assert [fact.ask for fact in wire.facts if isinstance(fact, ReplyBegan)] == [1, 3]


@pytest.mark.parametrize(
    ("heard_ms", "sent"),
    [(0, "conversation.item.delete"), (400, "conversation.item.truncate"), (1000, None), (5000, None)],
)
def test_a_reply_is_cut_to_what_was_heard(wire: Wire, heard_ms: int, sent: str | None) -> None:
    """Not heard: deleted; partly: truncated at the ms; wholly: left as it is."""
    wire.ours.send(AskText(TurnId(1), "hello"))
    wire.carry()
    wire.speak(SECOND)
    before = len(wire.sent)
    wire.ours.send(TruncateReply(ReplyNumber(1), heard_ms))
    wire.carry()
    assert [event["type"] for event in wire.sent[before:]] == ([sent] if sent else [])


def test_a_reply_still_spoken_is_cut_when_it_ends(wire: Wire) -> None:
    """The item is in progress until then."""
    wire.ours.send(AskText(TurnId(1), "hello"))
    wire.carry()
    wire.ours.send(TruncateReply(ReplyNumber(1), 0))
    assert wire.ours.to_send() == []
    wire.speak()
    assert wire.kinds()[-1] == "conversation.item.delete"


def test_a_second_setup_before_the_first_item_is_taken() -> None:
    """Only the newest setup counts as Configured."""
    wire = Wire()
    wire.ours.send(ConfigureSession(TINA))
    wire.ours.send(ConfigureSession(Setup("You are Mohit.", "cedar", "en")))
    assert wire.carry() == [Configured(LONGEST_LIFE)]
    assert wire.theirs.settings["instructions"] == "You are Mohit."


def test_instructions_alone_change_in_the_middle(wire: Wire) -> None:
    """Nothing else is sent, an answer goes on, and the next one is by the new ones; the same again is not sent."""
    wire.ours.send(AskText(TurnId(1), "one"))
    wire.carry()
    wire.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    wire.ours.send(AskText(TurnId(2), "two"))
    wire.carry()
    assert wire.sent[-1]["session"] == {"type": "realtime", "instructions": "You are Tina. The caller is Asha."}
    assert wire.theirs.settings["audio"]["output"]["voice"] == "marin"
    wire.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    wire.speak()
    wire.speak()
    assert wire.kinds().count("session.update") == 2
    assert [fact.ask for fact in wire.facts if isinstance(fact, ReplyEnded)] == [1, 2]


def test_instructions_that_are_not_taken_end_no_call(wire: Wire) -> None:
    """It goes on by the old ones, and the next setup, which has the new, is answered as any other."""
    wire.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    (update,) = map(orjson.loads, wire.ours.to_send())
    error = {"type": "x", "code": "invalid_value", "message": "no", "event_id": update["event_id"]}
    assert wire.ours.receive(orjson.dumps({"type": "error", "error": error}).decode()) == []
    wire.ours.anomalies.clear()
    wire.ours.send(SetTurnDetection(True))
    wire.carry()
    assert isinstance(wire.facts[-1], Configured)
    assert wire.theirs.settings["instructions"] == "You are Tina. The caller is Asha."


def test_instructions_before_the_session_is_there_are_part_of_it() -> None:
    """One update, with the seed behind it."""
    wire = Wire()
    wire.ours.send(ConfigureSession(TINA, (Turn("user", "When?"),)))
    wire.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    wire.carry()
    assert wire.kinds()[-1] == "conversation.item.create"
    assert wire.kinds().count("conversation.item.create") == 1
    assert wire.theirs.settings["instructions"] == "You are Tina. The caller is Asha."


def test_a_voice_that_is_locked_is_fatal(wire: Wire) -> None:
    """Once there was audio another voice refuses the whole update: our bug, said loudly."""
    wire.ours.send(AskText(TurnId(1), "hello"))
    wire.carry()
    wire.speak()
    wire.ours.send(ConfigureSession(Setup("You are Mohit.", "cedar", "en")))
    (fact,) = wire.carry()
    assert isinstance(fact, Unusable)
    assert (fact.code, fact.fatal) == ("cannot_update_voice", True)


def test_another_voice_than_asked_for_is_fatal() -> None:
    """session.updated is read, not believed."""
    protocol = Protocol()
    protocol.send(ConfigureSession(TINA))
    protocol.receive('{"type": "session.created", "session": {}}')
    (fact,) = protocol.receive('{"type": "session.updated", "session": {"audio": {"output": {"voice": "alloy"}}}}')
    assert fact == Unusable("voice_mismatch", "asked for the voice marin, got alloy", fatal=True)


@pytest.mark.parametrize(
    ("code", "fatal"),
    [("invalid_api_key", True), ("insufficient_quota", True), ("server_error", False), ("session_expired", False)],
)
def test_errors_that_end_the_connection_say_whether_another_may_work(wire: Wire, code: str, fatal: bool) -> None:
    """Ours to mend is fatal, theirs is not; both that are fatal here refuse our account."""
    frame = {"type": "error", "error": {"type": "x", "code": code, "message": "why", "event_id": None}}
    assert wire.ours.receive(orjson.dumps(frame).decode()) == [Unusable(code, "why", fatal, account=fatal)]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("rate_limit_exceeded", Postponed(ReplyNumber(1), TurnId(1), 1.2)),
        ("insufficient_quota", Unusable("insufficient_quota", "try again in 1.2s", fatal=True, account=True)),
        ("server_error", Unusable("server_error", "try again in 1.2s", fatal=False)),
        ("content_filter", ReplyEnded(ReplyNumber(1), TurnId(1), "failed", "", "content_filter")),
        (
            "server_is_overloaded",
            ReplyEnded(ReplyNumber(1), TurnId(1), "failed", "", "server_is_overloaded", full=True),
        ),
        (
            "language_not_served",
            ReplyEnded(ReplyNumber(1), TurnId(1), "failed", "", "language_not_served", foreign=True),
        ),
    ],
)
def test_a_response_that_failed_says_why(wire: Wire, code: str, wanted: Event) -> None:
    """It is asked again, or fails, or ends the connection, as its code says."""
    wire.ours.send(AskText(TurnId(1), "hello"))
    wire.carry()
    response = next(act.response_id for act in wire.work if isinstance(act, Speak))
    details = {"type": "failed", "error": {"type": "x", "code": code, "message": "try again in 1.2s"}}
    done = {"id": response, "status": "failed", "status_details": details}
    assert wire.ours.receive(orjson.dumps({"type": "response.done", "response": done}).decode()) == [wanted]
    wire.work.clear()


def test_an_ask_that_comes_too_early_for_the_server_is_asked_again(wire: Wire) -> None:
    """conversation_already_has_active_response puts the ask back at the head, without its content."""
    wire.ours.send(AskText(TurnId(1), "hello"))
    _item, create = wire.ours.to_send()
    busy = {"type": "x", "code": "conversation_already_has_active_response", "message": "busy"}
    error = {"type": "error", "error": {**busy, "event_id": orjson.loads(create)["event_id"]}}
    assert wire.ours.receive(orjson.dumps(error).decode()) == [Postponed(ReplyNumber(0), TurnId(1), 1.0)]
    wire.ours.send(AskText(TurnId(2), "more"))
    assert wire.ours.to_send() == []
    wire.ours.send(Retry())
    again = [orjson.loads(frame) for frame in wire.ours.to_send()]
    assert [(event["type"], event["response"]["metadata"]["ask"]) for event in again] == [("response.create", "1")]
    wire.ours.anomalies.clear()


def test_an_ask_that_is_refused_is_told_and_does_not_block_the_gate(wire: Wire) -> None:
    """Whatever else is wrong with a create is an answer to that ask alone."""
    wire.ours.send(AskText(TurnId(1), "hello"))
    create = wire.ours.to_send()[-1]
    error = {"type": "x", "code": "invalid_value", "message": "no", "event_id": orjson.loads(create)["event_id"]}
    facts = wire.ours.receive(orjson.dumps({"type": "error", "error": error}).decode())
    assert facts == [AskFailed(TurnId(1), "invalid_value", "no")]
    wire.ours.send(AskText(TurnId(2), "more"))
    assert len(wire.ours.to_send()) == 2


@pytest.mark.parametrize("frame", ["", "[]", "{", '{"type": "response.done"}', '{"type": 3}', '{"type": "brand.new"}'])
def test_what_is_not_understood_is_counted_and_ignored(frame: str) -> None:
    """Unknown types, half documents and missing fields never raise."""
    protocol = Protocol()
    assert protocol.receive(frame) == []
    assert sum(protocol.anomalies.values()) == 1


def test_what_waits_is_sent_bit_by_bit() -> None:
    """However much of a stream, or of clips, there is: so many frames at once, in the order in which it was said."""
    ours = Protocol()
    ours.send(ConfigureSession(Setup("be kind", "marin", "en", listens=True)))
    ours.receive(b'{"type":"session.created"}')
    ours.to_send()
    ours.receive(b'{"type":"session.updated","session":{"audio":{"output":{"voice":"marin"}}}}')
    spoken = b"".join(bytes([second]) * len(SECOND) for second in range(60))
    ours.send(Append(spoken[: 40 * len(SECOND)]))
    ours.send(AskText(TurnId(1), "and this"))
    ours.send(Append(spoken[40 * len(SECOND) :]))
    sent: list[dict[str, Any]] = []
    while frames := ours.to_send():
        assert len(frames) <= FRAMES_AT_ONCE
        assert all(len(frame) < 15 * 2**20 for frame in frames)
        sent += map(orjson.loads, frames)
    typed = [event["type"] for event in sent].index("conversation.item.create")
    for part, seconds in ((sent[:typed], spoken[: 40 * len(SECOND)]), (sent[typed:], spoken[40 * len(SECOND) :])):
        assert b"".join(b64decode(event["audio"]) for event in part if "audio" in event) == seconds
    assert len(sent) == 5 * 60 + 2


@pytest.mark.parametrize("listens", [True, False])
def test_what_is_not_sent_yet_is_not_encoded_yet(listens: bool) -> None:
    """However long what waits is, to send some of it costs the same."""
    costs = []
    for seconds in (12, 120):
        ours = Protocol()
        ours.send(ConfigureSession(Setup("be kind", "marin", "en", listens=listens)))
        ours.receive(b'{"type":"session.created"}')
        ours.to_send()
        ours.receive(b'{"type":"session.updated","session":{"audio":{"output":{"voice":"marin"}}}}')
        if listens:
            ours.send(Append(SECOND * seconds))
        else:
            ours.send(AskClip(TurnId(1), SECOND * seconds))
        costs.append(steps(ours.to_send))
    assert costs[1] < 1.5 * costs[0]
