"""Streamed calls through the real server: real sockets on both shores, and the engine that finds the turns itself."""

import asyncio
import itertools
import math
import struct
from contextlib import suppress

import pytest

from actors.services import Limits
from engine.faults.script import read
from phone import CallEnded, CallFailed, Phone
from tests.kit.exchange import CLIPS, exchange
from tests.kit.four import FOUR, MOHIT, PRIYANKA, TINA, first_words
from tests.kit.parts import PITCHES
from tests.kit.story import WITHIN, run

SILENCE = bytes(48_000)  # a second
BURST = struct.pack("<24000h", *(int(9000 * math.sin(2 * math.pi * 300 * n / 24_000)) for n in range(24_000)))
LONG = "This takes a second. " * 30
GREETING = {one.id: first_words(one) for one in FOUR.all()}


def pitch(sound: bytes) -> float:
    """Hz of a tone in PCM16, by its zero crossings."""
    samples = struct.unpack(f"<{len(sound) // 2}h", sound)
    crossings = sum(a < 0 <= b for a, b in itertools.pairwise(samples))
    return float(round(crossings * 24_000 / len(samples), -1))


def sounds(phone: Phone) -> dict[str, bytes]:
    """The audio that came, by reply."""
    came: dict[str, bytes] = {}
    for message in phone.seen:
        if message["type"] == "sound":
            came[message["response_id"]] = came.get(message["response_id"], b"") + message["pcm"]
    return came


async def greeted(phone: Phone, astrologer: str = TINA) -> None:
    """Choose, and hear the greeting to its end."""
    await phone.choose(astrologer, mode="stream")
    assert (await phone.reply()).text == GREETING[astrologer]


async def say(phone: Phone, seconds: float = 1.0) -> None:
    """Speak for so long, then pause until the model knows that it was all."""
    await phone.speak(BURST[: int(48_000 * seconds) // 2 * 2] + SILENCE)


def test_a_streamed_call_from_greeting_to_goodbye() -> None:
    """Binary audio both ways: the turn is found in the stream, written down, answered aloud, in the persona's voice."""

    async def story() -> None:
        async with exchange() as line, line.phone(mode="stream", astrologer_id=TINA) as phone:
            assert (await phone.reply()).text == GREETING[TINA]
            await say(phone)
            answer = await phone.reply()
            assert answer.text.startswith("You said 1.")
            kinds = [m["type"] for m in phone.seen if m["type"] != "sound"]
            order = ["response_started", "transcript", "response_done", "speech_started", "speech_stopped"]
            assert [kind for index, kind in enumerate(kinds) if kind in order and kind not in kinds[:index]] == order
            assert {pitch(pcm) for pcm in sounds(phone).values()} == {PITCHES["marin"]}
            user = [m for m in phone.seen if m["type"] == "transcript" and m["role"] == "user"]
            assert user[-1]["final"]
            assert not any(m["type"] in ("audio_response", "text_response") for m in phone.seen)
            await phone.say(type="end")
            assert (await phone.closed()).code == 1000

    run(story())


def test_two_callers_stream_to_two_personas_and_hear_only_their_own() -> None:
    """Each in their own voice, each answered to what they said themselves."""

    async def talk(phone: Phone, astrologer: str, seconds: float) -> None:
        async with phone:
            await greeted(phone, astrologer)
            for _ in range(3):
                await say(phone, seconds)
                await phone.reply()

    async def story() -> None:
        async with exchange() as line:
            one, two = line.phone("one"), line.phone("two")
            await asyncio.gather(talk(one, TINA, 0.5), talk(two, MOHIT, 1.0))
            assert {pitch(pcm) for pcm in sounds(one).values()} == {PITCHES["marin"]}
            assert {pitch(pcm) for pcm in sounds(two).values()} == {PITCHES["cedar"]}

    run(story())


def test_speaking_stops_the_reply_and_the_model_remembers_only_what_was_heard() -> None:
    """`clear` and response_done cancelled come before anything else is said; the item is cut where the player was."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            line.mind.script = LONG
            await say(phone)
            started = await phone.hear("response_started")
            await phone.hear("sound")
            await phone.say(type="played", response_id=started["response_id"], ms=100)
            await phone.speak(BURST)
            assert (await phone.hear("clear"))["response_id"] == started["response_id"]
            line.mind.script = ""
            done = await phone.hear("response_done")
            assert (done["response_id"], done["status"]) == (started["response_id"], "cancelled")
            await phone.speak(SILENCE)
            answer = await phone.reply()
            assert answer.text.count("seconds in hi") == 2
            (call,) = line.engine.calls
            cut = [item.milliseconds for item in call.session._conversation if item.role == "assistant"][1]
            assert 100 <= cut < 30_000

    run(story())


@pytest.mark.thorough
def test_of_an_answer_in_two_items_the_one_that_played_is_cut() -> None:
    """The first was heard whole and stays so; what is said of both is one answer."""

    async def story() -> None:
        divided = read({"connections": [[{"on": "response.create", "nth": 2, "do": "divide"}]]})
        async with exchange(faults=divided) as line, line.phone() as phone:
            await greeted(phone)
            line.mind.script = f"One moment. {LONG}"
            await phone.say(type="text", text="a long question")
            started = await phone.hear("response_started")
            while len(sounds(phone).get(started["response_id"], b"")) < 1300 * 48:
                await phone.hear("sound")
            await phone.say(type="played", response_id=started["response_id"], ms=1200)
            line.mind.script = ""
            await phone.say(type="text", text="another")
            await phone.reply()
            (said,) = [m["text"] for m in phone.seen if m.get("item_id") == started["response_id"] and m["final"]]
            assert said.startswith("One moment.")
            (call,) = line.engine.calls
            told = [item.milliseconds for item in call.session._conversation if item.role == "assistant"]
            assert told[1] == 1000
            assert 200 <= told[2] < 30_000

    run(story())


def test_nothing_of_a_reply_comes_after_its_clear() -> None:
    """A burst of audio was on its way: what was not released is dropped."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            line.mind.script = LONG
            await phone.say(type="text", text="a long question")
            started = await phone.hear("response_started")
            await phone.hear("sound")
            await phone.say(type="interrupt")
            await phone.hear("clear")
            line.mind.script = ""
            cleared = len(phone.seen)
            await phone.say(type="text", text="another")
            await phone.reply()
            late = [m for m in phone.seen[cleared:] if m["type"] == "sound"]
            assert late
            assert all(m["response_id"] != started["response_id"] for m in late)

    run(story())


@pytest.mark.thorough
def test_a_button_that_is_let_go_ends_the_turn() -> None:
    """A client that sends audio only while somebody talks: no silence follows, and the turn is answered."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            await phone.speak(BURST)
            assert (await phone.reply()).text.startswith("You said 1.")

    run(story())


def test_a_reply_is_paced() -> None:
    """The model makes a second of sound at once; at most 400 ms are sent ahead of the caller's player."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            clock, ahead, given = asyncio.get_running_loop(), [], 0.0
            began = clock.time()
            await phone.choose(TINA, mode="stream")
            while (message := await phone.next())["type"] != "response_done":
                if message["type"] == "sound":
                    given += len(message["pcm"]) / 48_000
                    ahead.append(given - (clock.time() - began))
            assert given >= 1.0
            assert max(ahead) <= 0.45

    run(story())


@pytest.mark.thorough
def test_a_typed_turn_is_answered_in_the_stream() -> None:
    """Streamed as well, after the greeting."""

    async def story() -> None:
        async with exchange() as line, line.phone(mode="stream", astrologer_id=TINA) as phone:
            await phone.say(type="text", text="When?")
            assert (await phone.reply()).text == GREETING[TINA]
            assert (await phone.reply()).text == "You said When?."

    run(story())


def test_a_switch_in_a_stream_mixes_no_audio() -> None:
    """The old persona falls silent at once; after config_ack only the new one is heard."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone, TINA)
            await say(phone)
            await phone.hear("sound")
            ack = await phone.choose(PRIYANKA)
            acked = phone.seen.index(ack)
            assert (await phone.reply()).text == FOUR.get(PRIYANKA).greeting
            await say(phone)
            await phone.reply()
            after = b"".join(m["pcm"] for m in phone.seen[acked:] if m["type"] == "sound")
            assert pitch(after) == PITCHES["shimmer"]

    run(story())


def test_a_turn_that_was_being_spoken_when_the_upstream_was_lost_is_heard_whole() -> None:
    """The microphone is played to the next connection: one answer comes, to all of it."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            await phone.speak(SILENCE + BURST)
            await phone.hear("speech_started")
            (call,) = line.engine.calls
            call._socket.transport.abort()
            await phone.hear("notice")
            await phone.speak(BURST + SILENCE)
            answer = await phone.reply()
            heard = float(answer.text.split()[2])
            assert 2.0 <= heard <= 3.0  # two seconds of speech, what comes before it and the pause after it
            assert answer.response_id == "2.1"
            assert answer.text.count("seconds") == 1

    run(story())


@pytest.mark.thorough
def test_a_turn_that_was_not_written_down_yet_is_heard_again() -> None:
    """It was committed, but its words had not come when the upstream was lost."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            line.ear.free.clear()
            await say(phone)
            await phone.hear("speech_stopped")
            (call,) = line.engine.calls
            call._socket.transport.abort()
            await phone.hear("notice")
            line.ear.free.set()
            answer = await phone.reply()
            assert answer.text.count("seconds") == 1
            assert answer.response_id == "2.1"

    run(story())


@pytest.mark.thorough
def test_a_reply_that_is_cut_by_a_loss_goes_on_without_a_repeated_word() -> None:
    """What the caller has of it is kept; the next connection says the rest, and the greeting is never begun anew."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            sentences = ["First sentence here.", "Second sentence here.", "Third sentence here."]
            line.mind.script = " ".join(sentences)
            line.tones.hold(2)
            await phone.say(type="text", text="tell me")
            assert await asyncio.to_thread(line.tones.held.wait, WITHIN)
            (call,) = line.engine.calls
            call._socket.transport.abort()
            line.tones.let_go()
            first = await phone.hear("response_done")
            assert first["status"] == "incomplete"
            await phone.reply()
            said = [
                m["text"] for m in phone.seen if m["type"] == "transcript" and m["role"] == "assistant" and m["final"]
            ]
            assert " ".join(said[-2:]) == " ".join(sentences)

    run(story())


@pytest.mark.thorough
def test_a_reply_that_stalls_goes_on_over_another_connection_without_a_repeated_word() -> None:
    """The connection stays, and the voice stands still in the middle: the rest is said on the next one."""

    async def story() -> None:
        async with exchange(Limits(answer_seconds=9.0)) as line, line.phone() as phone:
            await greeted(phone)
            sentences = ["First sentence here.", "Second sentence here.", "Third sentence here."]
            line.mind.script = " ".join(sentences)
            line.tones.hold(2)
            await phone.say(type="text", text="tell me")
            assert await asyncio.to_thread(line.tones.held.wait, WITHIN)
            assert (await phone.hear("notice"))["code"] == "reconnecting"
            assert (line.counters.answer_stalls, line.counters.answers_moved) == (1, 1)
            line.tones.let_go()
            assert (await phone.hear("response_done"))["status"] == "incomplete"
            await phone.reply()
            said = [
                m["text"] for m in phone.seen if m["type"] == "transcript" and m["role"] == "assistant" and m["final"]
            ]
            assert " ".join(said[-2:]) == " ".join(sentences)
            assert line.counters.answer_stalls == 1

    run(story())


def test_a_change_of_mode_in_the_call() -> None:
    """A config with another mode silences what plays; then audio comes and goes the other way."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            await phone.choose(TINA, mode="clip")
            reply = await phone.ask((CLIPS / "hi_love_me.m4a").read_bytes())
            assert reply.text == "You said 3.4 seconds in hi."
            await phone.choose(TINA, mode="stream")
            await say(phone)
            assert (await phone.reply()).text.startswith("You said 3.4 seconds in hi, then")
            with pytest.raises(CallFailed, match="wrong_mode"):
                await phone.ask((CLIPS / "hi_love_me.m4a").read_bytes())

    run(story())


def test_the_mode_of_the_address_is_the_first_and_not_the_last() -> None:
    """A config that names none keeps the mode that holds, whoever named it; one that is refused takes none away."""

    async def story() -> None:
        async with exchange() as line, line.phone(mode="stream") as phone:
            await phone.say(type="config", astrologer_id="nobody", audio={"mode": "clip"})
            assert (await phone.hear("error"))["code"] == "unknown_astrologer"
            await phone.choose(TINA)
            await phone.reply()
            await phone.choose(TINA, mode="clip")
            await phone.say(type="text", text="one")
            await phone.hear("audio_response")
            await phone.choose(MOHIT)
            await phone.answer()
            await phone.choose(MOHIT)
            await phone.ask((CLIPS / "hi_love_me.m4a").read_bytes())

    run(story())


@pytest.mark.parametrize("query", [{"astrologer_id": TINA}, {"match": "marriage"}])
@pytest.mark.parametrize("mode", ["clip", pytest.param("stream", marks=pytest.mark.thorough)])
def test_whoever_the_address_chooses_is_spoken_to_in_its_mode(query: dict[str, str], mode: str) -> None:
    """And so is whoever comes next."""

    async def story() -> None:
        async with exchange() as line, line.phone(mode=mode, **query) as phone:
            reply = phone.reply if mode == "stream" else phone.answer
            await reply()
            await phone.choose(PRIYANKA)
            await reply()

    run(story())


def test_the_first_audio_says_how_the_caller_speaks() -> None:
    """A config without a mode, then binary frames: a stream."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            await say(phone)
            assert (await phone.reply()).text.startswith("You said 1.")

    run(story())


def test_a_mode_that_there_is_not_is_refused_before_the_call() -> None:
    """With 400, and the modes that there are."""

    async def story() -> None:
        async with exchange() as line:
            with pytest.raises(CallEnded, match="clip, stream"):
                await line.phone(mode="video").__aenter__()

    run(story())


def test_bad_audio_frames_are_refused_and_the_call_goes_on() -> None:
    """Nothing, a file, or far too much; half a sample is no fault."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.socket.send(bytes(960))
            assert (await phone.hear("error"))["code"] == "no_persona"
            await greeted(phone)
            await phone.socket.send(bytes(21))
            wav = b"RIFF\4\0\0\0WAVEfmt "
            for frame, code in ((wav, "bad_message"), (b"", "empty_audio"), (bytes(500_000), "audio_too_long")):
                await phone.socket.send(frame)
                assert (await phone.hear("error"))["code"] == code
            await say(phone)
            await phone.reply()

    run(story())


@pytest.mark.thorough
def test_who_floods_with_audio_is_closed() -> None:
    """Nobody speaks faster than real time for more than half a minute; a neighbour hears nothing of it."""

    async def story() -> None:
        async with exchange() as line, line.phone("neighbour") as other, line.phone() as phone:
            await greeted(other)
            await greeted(phone)
            with suppress(CallEnded):  # in the middle of it
                await phone.speak(SILENCE * 60, frame_ms=1000)
            ended = await phone.closed()
            assert (ended.code, ended.error["code"] if ended.error else "") == (4400, "too_many_messages")
            await say(other)
            await other.reply()

    run(story())


@pytest.mark.parametrize("how", ["abort", *(pytest.param(how, marks=pytest.mark.thorough) for how in ("close", "end"))])
@pytest.mark.parametrize(
    "state",
    ["speaking", *(pytest.param(one, marks=pytest.mark.thorough) for one in ("greeting", "replying", "reconnecting"))],
)
def test_a_streamed_call_that_ends_in_any_state_leaves_nothing(state: str, how: str) -> None:
    """No actor, task, socket, handle or process is left."""

    async def story() -> None:
        async with exchange() as line:
            before = line.left()
            phone = await line.phone().__aenter__()
            if state == "greeting":
                await phone.choose(TINA, mode="stream")
                await phone.hear("sound")
            else:
                await greeted(phone)
                await phone.speak(SILENCE + BURST)
                await phone.hear("speech_started")
                if state == "replying":
                    await phone.speak(SILENCE)
                    await phone.hear("sound")
                elif state == "reconnecting":
                    (call,) = line.engine.calls
                    call._socket.transport.abort()
                    await phone.hear("notice")
            if how == "close":
                await phone.socket.close()
            elif how == "abort":
                phone.socket.transport.abort()
                await phone.socket.wait_closed()
            else:
                await phone.say(type="end")
                assert (await phone.closed()).code == 1000
            await line.settles_to(before)

    run(story())
