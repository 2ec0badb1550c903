"""What goes wrong at the model, through the whole product over real sockets: the call goes on, or ends honestly."""

from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from actors.services import Limits
from engine.call import Call
from engine.faults.script import Script, read
from phone import CallEnded, Phone
from tests.kit.exchange import exchange
from tests.kit.four import MOHIT, TINA
from tests.kit.story import run, until
from tests.test_streams import GREETING, SILENCE, greeted, say

Event = dict[str, Any]

AUDIO = "response.output_audio.delta"
CLOSES = [{"do": "close", "code": code} for code in (1001, 1011, 1012, 1013)]
LOSSES: list[Event] = [{"do": "abort"}, *CLOSES, {"do": "expire"}, {"do": "error", "code": "server_error"}]
HARMLESS: list[Event] = [
    {"on": "response.created", "do": "unknown"},
    {"on": AUDIO, "do": "garbage"},
    {"on": "response.content_part.added", "do": "half"},
    {"on": "response.output_item.added", "do": "duplicate"},
    {"on": "response.output_item.done", "do": "drop"},
    {"on": "response.done", "do": "strip", "field": "response.usage"},
    {"on": "response.created", "do": "binary"},
    {"on": "response.created", "do": "hold", "seconds": 0.5},
    {"on": "conversation.item.added", "do": "huge", "size": 1_000_000},
    {"on": "connect", "do": "slow", "seconds": 1.2},
]
FATAL = ["insufficient_quota", "invalid_api_key"]


def script(*faults: Event) -> Script:
    """For the first connection; those after it behave."""
    return read({"connections": [list(faults)]})


def named(fault: Event) -> str:
    return "-".join(str(value) for value in fault.values())


def notices(phone: Phone) -> list[str]:
    return [message["code"] for message in phone.seen if message["type"] == "notice"]


def answers(phone: Phone) -> list[str]:
    """The words of all replies that came, the greeting too."""
    return [message["text"] for message in phone.seen if message["type"] == "text_response"]


@pytest.mark.parametrize("on", [{"on": "response.create", "nth": 2}, {"on": "response.created", "nth": 2}])
@pytest.mark.parametrize("fault", LOSSES, ids=named)
def test_a_typed_turn_survives_a_loss(fault: Event, on: Event) -> None:
    """Before its answer began: the connection is made again, and the turn is answered once, without a greeting."""

    async def story() -> None:
        async with exchange(faults=script({**on, **fault})) as line:
            before = line.left()
            async with line.phone() as phone:
                await phone.choose(TINA)
                await phone.answer()
                await phone.say(type="text", text="one")
                assert (await phone.answer()).text == "You said one."
                assert notices(phone) == ["reconnecting", "resumed"]
                await phone.say(type="text", text="two")
                assert (await phone.answer()).text == "You said one, then two."
                assert len(answers(phone)) == 3
            await line.settles_to(before)

    run(story())


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "abort"},
        *(
            pytest.param(fault, marks=pytest.mark.thorough)
            for fault in ({"do": "close", "code": 1011}, {"do": "expire"})
        ),
    ],
    ids=named,
)
def test_a_streamed_turn_survives_a_loss(fault: Event) -> None:
    """The same where the model finds the turn: it is written down, and then answered on the next connection."""

    async def story() -> None:
        lost = {"on": "response.created", "nth": 2, **fault}
        async with exchange(faults=script(lost)) as line, line.phone() as phone:
            await greeted(phone)
            await say(phone)
            answer = await phone.reply()
            assert answer.text.startswith("You said 1.")
            assert notices(phone) == ["reconnecting", "resumed"]
            await phone.speak(SILENCE)
            started = [message for message in phone.seen if message["type"] == "response_started"]
            assert len(started) == 2  # the greeting and the answer

    run(story())


@pytest.mark.parametrize("fault", [{"do": "abort"}, {"do": "error", "code": "server_error"}], ids=named)
def test_a_turn_that_kills_two_connections_is_dropped(fault: Event) -> None:
    """The caller is told to say it again, once; the third connection does not get it, and answers the next turn."""

    async def story() -> None:
        kills = [[{"on": "response.create", "nth": nth, **fault}] for nth in (2, 1)]
        async with exchange(faults=read({"connections": kills})) as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            await phone.say(type="text", text="one")
            while notices(phone).count("resumed") < 2:
                await phone.hear("notice")
            assert notices(phone) == ["reconnecting", "resumed", "reconnecting", "say_again", "resumed"]
            await phone.say(type="text", text="two")
            assert (await phone.answer()).text == "You said two."

    run(story())


def test_a_reply_that_was_cut_is_whole_with_the_rest_of_it() -> None:
    """A client that waits for a reply hears both parts as one."""

    async def story() -> None:
        async with exchange(faults=script({"on": AUDIO, "nth": 3, "do": "abort"})) as line, line.phone() as phone:
            await phone.choose(TINA, mode="stream")
            assert (await phone.reply()).text.endswith(GREETING[TINA])
            assert [m["status"] for m in phone.seen if m["type"] == "response_done"] == ["incomplete", "completed"]

    run(story())


@pytest.mark.parametrize("fault", HARMLESS, ids=named)
def test_what_is_odd_is_passed_over(fault: Event) -> None:
    """The call goes on over the same connection, and nobody notices."""

    async def story() -> None:
        async with exchange(faults=script(fault)) as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            await phone.say(type="text", text="one")
            assert (await phone.answer()).text == "You said one."
            assert notices(phone) == []
            assert not [message for message in phone.seen if message["type"] == "error"]
            (call,) = line.engine.calls
            assert call._socket.misbehaviour.pending == 1  # the fault has struck; what is left is the expiry

    run(story())


@pytest.mark.thorough
def test_a_transcript_may_come_after_the_answer() -> None:
    """It is shown all the same, once."""

    async def story() -> None:
        kind = "conversation.item.input_audio_transcription"
        late = [{"on": f"{kind}.{part}", "do": "delay", "seconds": 1.5} for part in ("delta", "completed")]
        async with exchange(faults=script(*late)) as line, line.phone() as phone:
            await greeted(phone)
            await say(phone)
            await phone.reply()
            while (await phone.hear("transcript"))["role"] != "user":
                pass
            assert notices(phone) == []

    run(story())


@pytest.mark.parametrize("code", FATAL)
def test_what_is_ours_to_mend_ends_the_call(code: str) -> None:
    """It is told as upstream_refused, and the call ends with 4503."""

    async def story() -> None:
        faults = script({"on": "response.create", "nth": 2, "do": "error", "code": code})
        async with exchange(faults=faults) as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            await phone.say(type="text", text="one")
            ended = await phone.closed()
            assert ended.code == 4503
            assert ended.error is not None
            assert ended.error["code"] == "upstream_refused"

    run(story())


@pytest.mark.parametrize("code", [3000, 4000])
def test_a_close_that_refuses_us_ends_the_call(code: int) -> None:
    """After the 101, before anything is said."""

    async def story() -> None:
        async with exchange(faults=script({"on": "open", "do": "close", "code": code})) as line, line.phone() as phone:
            await phone.say(type="config", astrologer_id=TINA)
            assert (await phone.closed()).code == 4503

    run(story())


@pytest.mark.parametrize("fault", [{"do": "refuse"}, {"do": "abort"}], ids=named)
def test_a_connection_that_fails_is_tried_again(fault: Event) -> None:
    """The caller hears the greeting, a little later."""

    async def story() -> None:
        async with exchange(faults=script({"on": "connect", **fault})) as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            assert len(answers(phone)) == 1

    run(story())


def taken_over(calls: set[Call], before: set[str]) -> bool:
    """One session is there, and it is another."""
    return len(calls) == 1 and not before & {call.session.id for call in calls}


@pytest.mark.thorough
def test_a_call_outlives_its_sessions_unheard() -> None:
    """The model's sessions last six seconds: others take over when nobody speaks, and know what was said."""

    async def story() -> None:
        async with exchange(session_seconds=6) as line, line.phone() as phone:
            await greeted(phone)
            for told in ("one", "one, then two"):
                before = {call.session.id for call in line.engine.calls}
                await until(partial(taken_over, line.engine.calls, before), lambda: "nobody took over")
                await phone.say(type="text", text=told[-3:])
                assert (await phone.reply()).text == f"You said {told}."
            assert notices(phone) == []
            assert [message["type"] for message in phone.seen].count("config_ack") == 1

    run(story())


@pytest.mark.parametrize("on", ["connect", "open", "session.update"])
def test_a_model_that_hangs_is_told_of_and_then_the_call_ends(on: str) -> None:
    """Whatever it still does: TCP alone, a handshake and no more, a session that is never as we asked for."""

    async def story() -> None:
        hangs = read({"connections": [[{"on": on, "do": "stall"}]], "repeat": True})
        limits = Limits(notice_seconds=0.2, ready_seconds=0.6)
        async with exchange(limits, faults=hangs) as line, line.phone() as phone:
            await phone.say(type="config", astrologer_id=TINA)
            ended = await phone.closed()
            assert ended.code == 4503
            assert ended.error is not None
            assert ended.error["code"] == "upstream_unavailable"
            assert notices(phone) == ["reconnecting"]

    run(story())


@pytest.mark.thorough
def test_a_switch_to_a_model_that_hangs_turns_back() -> None:
    """The persona before answers."""

    async def story() -> None:
        hangs = read({"connections": [[], *[[{"on": "open", "do": "stall"}]] * 9]})
        limits = Limits(notice_seconds=0.2, ready_seconds=5.0)
        async with exchange(limits, faults=hangs) as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            before = len(notices(phone))  # on a busy machine it is told that this takes long, too
            await phone.say(type="config", astrologer_id=MOHIT)
            assert (await phone.hear("error"))["code"] == "persona_switch_failed"
            assert notices(phone)[before:] == ["switching", "reconnecting"]
            await phone.say(type="text", text="one")
            assert (await phone.answer()).text == "You said one."

    run(story())


@pytest.mark.thorough
def test_a_model_that_answers_nothing_is_asked_again_and_the_call_goes_on() -> None:
    """Over another connection, and then it is over; what is said next is answered."""

    async def story() -> None:
        deaf = {"on": "response.create", "do": "drop"}
        limits = Limits(answer_seconds=3.0)
        async with exchange(limits, faults=read({"connections": [[deaf], [deaf]]})) as line, line.phone() as phone:
            await phone.say(type="config", astrologer_id=TINA)
            assert (await phone.hear("error"))["code"] == "upstream_unavailable"
            assert notices(phone) == ["reconnecting", "resumed"]
            await phone.say(type="text", text="one")
            assert (await phone.answer()).text == "You said one."

    run(story())


@pytest.mark.thorough
def test_an_answer_that_stalls_is_given_whole_by_another_connection() -> None:
    """The line stays, and nothing more comes: the caller hears it once."""

    async def story() -> None:
        stalls = script({"on": AUDIO, "nth": 2, "do": "hold", "seconds": 3600})
        async with exchange(Limits(answer_seconds=3.0), faults=stalls) as line, line.phone() as phone:
            await phone.choose(TINA)
            assert (await phone.answer()).text.endswith(GREETING[TINA])
            assert notices(phone) == ["reconnecting", "resumed"]
            assert len(answers(phone)) == 1

    run(story())


@pytest.mark.parametrize("says", [[], [{"type": "interrupt"}, {"type": "ping"}, {"type": "text", "text": "hello"}]])
def test_a_line_on_which_nobody_is_chosen_is_closed(says: list[Event]) -> None:
    """Whatever else is said there."""

    async def story() -> None:
        async with exchange(Limits(choose_seconds=0.3)) as line, line.phone() as phone:
            with suppress(CallEnded):  # already
                for message in says:
                    await phone.say(**message)
            ended = await phone.closed()
            assert ended.code == 4408
            assert "nobody was chosen" in ended.reason

    run(story())


def test_a_model_that_stays_away_is_waited_for_as_long_as_was_said() -> None:
    """Then the call ends with the reason."""

    async def story() -> None:
        gone = read({"connections": [[], *[[{"on": "connect", "do": "refuse"}]] * 50]})
        async with exchange(Limits(upstream_patience=1.0), faults=gone) as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            (call,) = line.engine.calls
            call._socket.transport.abort()
            ended = await phone.closed()
            assert ended.code == 4503
            assert notices(phone) == ["reconnecting"]

    run(story())
