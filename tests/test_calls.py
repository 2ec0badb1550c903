"""Calls through the real server: real sockets on both shores, real clips, real decoders, the engine's real server."""

import asyncio
import io
import itertools
import random
import re
import struct
import wave
from base64 import b64encode
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from actors.messages.admission import From
from actors.runtime import Stop
from actors.services import Limits
from audio import wav
from personas import Catalogue
from phone import CallEnded, CallFailed, Phone
from tests.kit.exchange import CLIPS, Exchange, exchange
from tests.kit.four import FOUR, HARSH, MOHIT, PRIYANKA, TINA, first_words
from tests.kit.parts import PITCHES
from tests.kit.shore import Porter, shore
from tests.kit.story import run
from upstream.link import Frames, Link, Upstream
from web.client_limits import ClientLimits
from web.reading_budget import READ_FRAMES

HINDI = (CLIPS / "hi_love_me.m4a").read_bytes()  # 3.4 s
HINDI_LONG = (CLIPS / "hi_marriage_delay.m4a").read_bytes()  # 4.0 s
ENGLISH = (CLIPS / "en_proposal.m4a").read_bytes()  # 4.7 s
DEVANAGARI = re.compile("[\u0900-\u097f]")


@dataclass(frozen=True)
class Away(Upstream):
    """As many tries to reach it fail as there are in `away`."""

    away: list[str] = field(default_factory=list)

    def dial(self, user: str, to: Any, frames: Frames) -> Link:
        if not self.away:
            return super().dial(user, to, frames)
        self.away.pop()
        return Upstream("ws://127.0.0.1:9/x", "m").dial(user, to, frames)


def at_times(real: Upstream) -> Away:
    """In place of the real one."""
    return Away(real.url, real.model, real.key)


def tries(line: Exchange) -> list[str]:
    """Those that will fail."""
    assert isinstance(line.upstream, Away)
    return line.upstream.away


def pitch(sound: bytes) -> float:
    """Hz of a tone in a WAV file, by its zero crossings."""
    with wave.open(io.BytesIO(sound)) as file:
        pcm = file.readframes(file.getnframes())
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    crossings = sum(a < 0 <= b for a, b in itertools.pairwise(samples))
    return float(round(crossings * 24_000 / len(samples), -1))


def upgrade(user: str) -> bytes:
    """The handshake of a client that does what no library would."""
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
    headers = f"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}"
    return f"GET /ws/{user} HTTP/1.1\r\n{headers}\r\n\r\n".encode()


async def greeted(phone: Phone, astrologer: str = TINA) -> None:
    """Choose, and hear the greeting."""
    await phone.choose(astrologer)
    await phone.answer()


def test_two_callers_talk_to_two_astrologers_at_the_same_time() -> None:
    """Each hears their own persona only: its greeting, its language, its voice, and answers to their own clips."""

    async def talk(line: Exchange, user: str, astrologer: str, clips: list[bytes], voice: str) -> list[str]:
        async with line.phone(user) as phone:
            ack = await phone.choose(astrologer)
            assert (ack["astrologer_id"], ack["voice"]) == (astrologer, voice)
            answers = [await phone.answer(), *[await phone.ask(clip) for clip in clips]]
            assert [pitch(answer.wav) for answer in answers] == [PITCHES[voice]] * len(answers)
            return [answer.text for answer in answers]

    async def story() -> None:
        greeting = {one.id: first_words(one) for one in FOUR.all()}
        async with exchange() as line:
            tina, mohit = await asyncio.gather(
                talk(line, "user-123", TINA, [HINDI, HINDI_LONG], "marin"),
                talk(line, "user-456", MOHIT, [ENGLISH], "cedar"),
            )
        assert tina == [
            greeting[TINA],
            "You said 3.4 seconds in hi.",
            "You said 3.4 seconds in hi, then 4.0 seconds in hi.",
        ]
        assert mohit == [greeting[MOHIT], "You said 4.7 seconds in en."]

    run(story())


def test_a_caller_switches_persona_in_the_middle_of_the_call() -> None:
    """Tina to Priyanka: a new greeting, another voice, another language, and nothing of Tina after the config_ack."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone, TINA)
            await phone.ask(HINDI)
            ack = await phone.choose(PRIYANKA)
            assert (ack["language_code"], ack["voice"]) == ("en", "shimmer")
            greeting = await phone.answer()
            reply = await phone.ask(ENGLISH)
            assert not DEVANAGARI.search(greeting.text)
            assert reply.text == "You said 4.7 seconds in en."  # and nothing of what was said to Tina
            assert [pitch(answer.wav) for answer in (greeting, reply)] == [PITCHES["shimmer"]] * 2
            acked = phone.seen.index(ack)
            assert {m["response_id"][0] for m in phone.seen[acked:] if "response_id" in m} == {"2"}
            back = await phone.choose(TINA)
            assert back["voice"] == "marin"
            await phone.answer()
            again = await phone.ask(HINDI_LONG)
            assert again.text == "You said 3.4 seconds in hi, then 4.0 seconds in hi."  # she remembers

    run(story())


def test_a_switch_before_the_first_item_uses_the_same_connection() -> None:
    """Two choices at once: the last wins, over the one connection that was being opened."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.say(type="config", astrologer_id=TINA)
            await phone.say(type="config", astrologer_id=MOHIT)
            ack = await phone.hear("config_ack")
            assert ack["astrologer_id"] == MOHIT
            assert (await phone.answer()).response_id == "1.1"
            assert len(line.engine.calls) == 1
            assert [m["astrologer_id"] for m in phone.seen if m["type"] == "config_ack"] == [MOHIT]

    run(story())


def test_choosing_the_same_persona_again_is_only_acknowledged() -> None:
    """Also when it was chosen by the address: one greeting, one connection."""

    async def story() -> None:
        async with exchange() as line, line.phone(astrologer_id=TINA) as phone:
            await phone.hear("config_ack")
            await phone.answer()
            assert (await phone.choose(TINA))["voice"] == "marin"
            await phone.say(type="ping")
            await phone.hear("pong")
            assert sum(m["type"] == "audio_response" for m in phone.seen) == 1
            assert line.engine.calls
            assert len(line.engine.calls) == 1

    run(story())


def test_a_typed_turn_is_answered_aloud() -> None:
    """Text goes in, both sides are captioned, sound comes out."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            await phone.say(type="text", text=" When will I marry? ")
            answer = await phone.answer()
            assert answer.text == "You said When will I marry?."
            assert answer.plays == 1.0
            said = [(m["role"], m["text"]) for m in phone.seen if m["type"] == "transcript"][1:]
            assert said == [("user", "When will I marry?"), ("assistant", answer.text)]

    run(story())


def test_turns_that_come_early_wait_behind_the_greeting_in_order() -> None:
    """A clip and a text sent before anybody is on the line are answered after the greeting, the clip first."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.say(type="config", astrologer_id=TINA)
            await phone.send_clip(HINDI)
            await phone.say(type="text", text="and this")
            greeting = await phone.answer()
            assert DEVANAGARI.search(greeting.text)
            assert (await phone.answer()).text == "You said 3.4 seconds in hi, then and this."

    run(story())


def test_a_caller_who_sends_more_than_can_be_heard_is_told_and_harms_nobody() -> None:
    """Eight clips may wait; the next are refused, a neighbour's clip is decoded, and the call goes on."""

    async def story() -> None:
        async with exchange() as line, line.phone("neighbour") as other, line.phone() as phone:
            await greeted(other)
            line.tones.free.clear()
            await phone.choose(TINA)
            for _ in range(20):
                await phone.send_clip(HINDI)
            with pytest.raises(CallFailed, match="busy"):
                await phone.answer()
            await other.send_clip(HINDI)
            await other.hear("transcript")
            while [*map(kind, phone.seen)].count("busy") < 12:  # the last clips are read when there is time for them
                await phone.next()
            line.tones.free.set()
            await other.answer()
            while "audio_response" not in map(kind, phone.seen):
                await phone.next()
            assert [*map(kind, phone.seen)].count("busy") == 12

    run(story())


def kind(message: dict[str, Any]) -> str:
    return str(message.get("code", message["type"]))


def test_a_new_clip_interrupts_the_reply_that_plays() -> None:
    """The caller is told to stop playing, and the model forgets what was not heard."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            line.mind.script = "This takes a second. " * 30
            first = await phone.ask(HINDI)
            await phone.ask(HINDI_LONG)
            assert [m["response_id"] for m in phone.seen if m["type"] == "clear"][-1] == first.response_id
            (call,) = line.engine.calls
            kept = [item.sound for item in call.session._conversation if item.role == "assistant"]
            assert kept.pop() == 30 * 48_000  # whole
            assert kept.pop() < 30 * 48_000  # of the first reply what was heard

    run(story())


def test_a_clip_while_the_model_still_answers_replaces_the_answer() -> None:
    """One answer comes, to both clips."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            line.tones.free.clear()
            await phone.send_clip(HINDI)
            await phone.hear("transcript")
            await phone.send_clip(HINDI_LONG)
            await phone.hear("transcript")  # so the first answer was cancelled: the gate let the second clip through
            line.tones.free.set()
            assert (await phone.answer()).text == "You said 3.4 seconds in hi, then 4.0 seconds in hi."
            assert sum(m["type"] == "audio_response" for m in phone.seen) == 2

    run(story())


def test_an_interrupt_stops_the_answer() -> None:
    """No answer comes to what was asked before it; the next turn is answered."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            line.tones.free.clear()
            await phone.send_clip(HINDI)
            await phone.hear("transcript")
            await phone.say(type="interrupt")
            await phone.say(type="ping")
            await phone.hear("pong")
            line.tones.free.set()
            await phone.say(type="text", text="now this")
            assert (await phone.answer()).text == "You said 3.4 seconds in hi, then now this."

    run(story())


def test_the_newer_connection_of_a_user_wins() -> None:
    """The older is closed with 4409 and takes nothing with it; the newer begins anew and goes on."""

    async def story() -> None:
        async with exchange() as line, line.phone("same") as older:
            await greeted(older, TINA)
            async with line.phone("same") as newer:
                ended = await older.closed()
                assert ended.code == 4409
                assert "newer" in ended.reason
                with pytest.raises(CallFailed, match="no_persona"):
                    await newer.ask(HINDI)
                await greeted(newer, MOHIT)
                assert (await newer.ask(ENGLISH)).text == "You said 4.7 seconds in en."

    run(story())


def test_a_user_who_calls_from_everywhere_is_turned_away() -> None:
    """Three takeovers in ten seconds refuse the newest, and the one who has the line keeps it."""

    async def story() -> None:
        async with exchange() as line:
            phones = [line.phone("same") for _ in range(5)]
            for phone in phones:
                await phone.__aenter__()
                await phone.say(type="ping")
            assert (await phones[4].closed()).code == 4429
            await greeted(phones[3])
            for phone in phones:
                await phone.socket.close()

    run(story())


def test_a_lost_upstream_is_reopened_with_its_history() -> None:
    """The call goes on: what was not answered is answered, what was said is known, nobody greets again."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            await phone.say(type="text", text="first")
            await phone.answer()
            line.tones.free.clear()
            await phone.send_clip(HINDI)
            await phone.hear("transcript")
            (call,) = line.engine.calls
            call._socket.transport.abort()
            assert (await phone.hear("notice"))["code"] == "reconnecting"
            line.tones.free.set()
            assert (await phone.hear("notice"))["code"] == "resumed"
            answer = await phone.answer()
            assert answer.text == "You said first, then 3.4 seconds in hi."
            assert answer.response_id == "2.1"
            assert sum(m["type"] == "config_ack" for m in phone.seen) == 1
            user = [m["text"] for m in phone.seen if m["type"] == "transcript" and m["role"] == "user"]
            assert user == ["first", "3.4 seconds in hi"]

    run(story())


def test_an_interrupt_holds_while_the_connection_is_made_again() -> None:
    """What was asked before it gets no answer from the new connection either."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            line.tones.free.clear()
            await phone.send_clip(HINDI)
            await phone.hear("transcript")
            (call,) = line.engine.calls
            call._socket.transport.abort()
            await phone.hear("notice")
            await phone.say(type="interrupt")
            line.tones.free.set()
            await phone.say(type="text", text="now this")
            assert (await phone.answer()).text == "You said now this."
            assert sum(message["type"] == "audio_response" for message in phone.seen) == 2

    run(story())


def test_an_upstream_that_was_away_for_a_moment_is_found_again() -> None:
    """A try fails before one succeeds; the caller only sees that it took a while."""

    async def story() -> None:
        async with exchange(upstream=at_times) as line, line.phone() as phone:
            await greeted(phone)
            tries(line).append("away")
            (call,) = line.engine.calls
            call._socket.transport.abort()
            answer = await phone.ask(HINDI)
            assert answer.text == "You said 3.4 seconds in hi."
            assert answer.response_id == "3.1"
            notices = [message["code"] for message in phone.seen if message["type"] == "notice"]
            assert notices == ["reconnecting", "resumed"]

    run(story())


def test_turned_away_and_gone_leaves_nothing() -> None:
    """Callers who hang up before they are refused are forgotten all the same."""

    async def story() -> None:
        async with exchange(Limits(sessions=1)) as line, line.phone("first") as first:
            await greeted(first)
            before = line.left()
            host, port = line.http.removeprefix("http://").split(":")
            for number in range(50):
                _, writer = await asyncio.open_connection(host, port)
                writer.write(upgrade(f"user-{number}"))
                await writer.drain()
                writer.transport.abort()
            await line.settles_to(before)
            assert (await first.ask(HINDI)).text == "You said 3.4 seconds in hi."

    run(story())


def test_a_client_that_pings_and_never_reads_is_let_go() -> None:
    """Its pongs fill up behind it; a neighbour notices nothing meanwhile, and nothing is left."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(pong_seconds=0.5)) as line, line.phone("neighbour") as other:
            await greeted(other)
            before = line.left()
            reader, writer = await asyncio.open_connection(*line.http.removeprefix("http://").split(":"), limit=1)
            writer.write(upgrade("deaf"))
            flood = (b"\x89\xfd" + bytes(4) + bytes(125)) * 1000
            with suppress(ConnectionError):
                while True:  # a socket that is not read from shows only by a write that it was closed
                    writer.write(flood)
                    await writer.drain()
            assert (await other.ask(HINDI)).text == "You said 3.4 seconds in hi."
            await line.settles_to(before)  # it was the server that hung up: we did not
            del reader

    run(story())


@pytest.mark.parametrize("early", [True, False])
def test_a_flood_of_frames_lets_the_others_have_the_loop(early: bool) -> None:
    """Frames that are buffered already are read in small portions, not all at once: with the handshake, or later."""
    passes, read_at, all_read = [0], Counter[int](), asyncio.Event()

    class Session:
        backlog = 0

        def tell(self, _: object) -> None:
            read_at[passes[0]] += 1
            if read_at.total() == 2000:
                all_read.set()

    async def count() -> None:
        while True:
            passes[0] += 1
            await asyncio.sleep(0)

    async def story() -> None:
        async with shore(Porter(lambda caller: Session())) as address:
            counting = asyncio.create_task(count())
            reader, writer = await asyncio.open_connection(*address.split(":"))
            ping = b'{"type": "ping"}'
            flood = (bytes([0x81, 0x80 | len(ping)]) + bytes(4) + ping) * 2000
            writer.write(upgrade("flood") + (flood if early else b""))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"" if early else flood)
            await all_read.wait()
            counting.cancel()
            writer.transport.abort()

    run(story())
    assert max(read_at.values()) <= READ_FRAMES


@pytest.mark.thorough
def test_calling_again_after_hanging_up_is_no_takeover() -> None:
    """However often, while the last facts of the call before are still coming in."""

    async def story() -> None:
        async with exchange() as line:
            line.tones.free.clear()
            for _ in range(6):
                async with line.phone() as phone:
                    await phone.choose(TINA)
                    await phone.say(type="end")
                    assert (await phone.closed()).code == 1000
            line.tones.free.set()

    run(story())


def test_an_upstream_lost_during_the_greeting_greets_once() -> None:
    """The greeting that nobody heard is still owed."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            line.tones.free.clear()
            await phone.choose(TINA)
            (call,) = line.engine.calls
            call._socket.transport.abort()
            await phone.hear("notice")
            line.tones.free.set()
            greeting = await phone.answer()
            assert DEVANAGARI.search(greeting.text)
            await phone.say(type="text", text="hello")
            assert (await phone.answer()).text == "You said hello."

    run(story())


def test_a_refused_key_is_told_at_once_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """A fatal code is not retried, and the key is in no frame and no log."""

    async def story() -> None:
        def wrong_key(real: Any) -> Any:
            return type(real)(real.url, real.model, "sk-a-secret-of-ours")

        async with exchange(upstream=wrong_key) as line, line.phone() as phone:
            await phone.say(type="config", astrologer_id=TINA)
            ended = await phone.closed()
            assert ended.code == 4503
            assert ended.error is not None
            assert ended.error["code"] == "upstream_refused"
            assert "secret" not in str(phone.seen) + ended.reason

    with caplog.at_level("DEBUG"):
        run(story())
    assert "lost generation 1" in caplog.text
    assert "lost generation 2" not in caplog.text
    assert "secret" not in caplog.text


NOISE = bytes(range(256)) * 40
BAD = [
    ("no_persona", {"type": "audio", "audio": b64encode(HINDI).decode()}),
    ("no_persona", {"type": "text", "text": "hello"}),
    ("unknown_astrologer", {"type": "config", "astrologer_id": "tina"}),
    ("bad_message", {"type": "config"}),
    ("bad_message", {"type": "config", "astrologer_id": 7}),
    ("bad_message", {"type": "audio"}),
    ("bad_message", {"type": "text", "text": "  "}),
    ("unknown_type", {"type": "dance"}),
    ("unknown_type", {"hello": "there"}),
]
BAD_CLIPS = [
    ("bad_base64", "this is not base64!"),
    ("empty_audio", ""),
    ("audio_undecodable", b64encode(NOISE).decode()),
    ("audio_too_short", b64encode(wav(bytes(range(100)) * 24)).decode()),
    ("nothing_heard", b64encode(wav(bytes(96_000))).decode()),
    ("audio_too_big", b64encode(HINDI + bytes(5_000_000)).decode()),
]


@pytest.mark.parametrize("astrologer", [None, TINA])
def test_bad_input_is_an_answer_and_the_call_goes_on(astrologer: str | None) -> None:
    """Every fault has its code and a sentence; the same call then works, and a neighbour notices nothing."""

    async def story() -> None:
        async with exchange() as line, line.phone("neighbour") as other, line.phone() as phone:
            await greeted(other, HARSH)
            bad: list[tuple[str, Any]] = [
                (code, message) for code, message in BAD if code != "no_persona" or not astrologer
            ]
            if astrologer:
                await greeted(phone, astrologer)
                bad += [(code, {"type": "audio", "audio": clip}) for code, clip in BAD_CLIPS]
            for code, message in bad:
                await phone.say(**message)
                error = await phone.hear("error")
                assert error["code"] == code, error
                assert error["error"] == error["message"]
                assert len(error["message"]) > 20
            await phone.socket.send("{not json")
            assert (await phone.hear("error"))["code"] == "bad_json"
            await phone.socket.send(b"\x00\x01")
            assert (await phone.hear("error"))["code"] == ("wrong_mode" if astrologer else "no_persona")
            if not astrologer:
                await greeted(phone, TINA)
            assert (await phone.ask(HINDI)).text == "You said 3.4 seconds in hi."
            assert (await other.ask(HINDI)).text == "You said 3.4 seconds in hi."

    run(story())


def test_an_inactive_astrologer_takes_no_calls() -> None:
    """The refusal says so, and the persona on the line stays."""

    async def story() -> None:
        catalogue = FOUR
        data = [{**catalogue.get(id_).public(), "system_prompt": "Be kind."} for id_ in (TINA, MOHIT)]
        shown = ("astrologer_id", "name", "speciality", "language", "gender", "voice_id", "persona", "greeting")
        rows = [{key: one[key] for key in (*shown, "expertise_keywords", "system_prompt")} for one in data]
        rows[1]["status"] = "inactive"
        async with exchange(catalogue=Catalogue.from_data(rows)) as line, line.phone() as phone:
            await greeted(phone, TINA)
            with pytest.raises(CallFailed, match="inactive_astrologer"):
                await phone.choose(MOHIT)
            assert (await phone.ask(HINDI)).text == "You said 3.4 seconds in hi."

    run(story())


def test_a_stream_of_nonsense_is_closed_with_4400() -> None:
    """Twenty bad messages a minute are answered, the next ends the connection with the reason."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            for _ in range(21):
                await phone.socket.send("?")
            ended = await phone.closed()
            assert ended.code == 4400
            assert ended.error is not None
            assert ended.error["code"] == "too_many_messages"
            assert sum(m["type"] == "error" for m in phone.seen) == 22

    run(story())


def test_a_frame_of_20_mb_is_closed_with_1009() -> None:
    """With the reason; a neighbour notices nothing."""

    async def story() -> None:
        async with exchange() as line, line.phone("neighbour") as other, line.phone() as phone:
            await greeted(other)
            sending = asyncio.create_task(phone.socket.send("x" * 20_000_000))
            assert (await other.ask(HINDI)).text == "You said 3.4 seconds in hi."
            ended = await phone.closed()
            sending.cancel()
            assert ended.code == 1009
            assert "8 MiB" in ended.reason

    run(story())


def test_a_quiet_call_is_closed_with_4408() -> None:
    """Pings do not keep it alive; somebody must say something."""

    async def story() -> None:
        async with exchange(Limits(idle_seconds=0.3)) as line, line.phone() as phone:
            with suppress(CallEnded):  # already
                await phone.say(type="ping")
            ended = await phone.closed()
            assert ended.code == 4408

    run(story())


def test_a_server_that_stops_says_so() -> None:
    """A notice, then 1001."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            line.supervisor.tell(Stop())
            assert (await phone.hear("notice"))["code"] == "draining"
            assert (await phone.closed()).code == 1001

    run(story())


@pytest.mark.parametrize("how", ["abort", *(pytest.param(how, marks=pytest.mark.thorough) for how in ("close", "end"))])
@pytest.mark.parametrize("state", ["before config", "connecting", "greeting", "decoding", "switching", "replying"])
def test_a_disconnect_in_any_state_leaves_nothing(state: str, how: str) -> None:
    """No actor, task, socket, handle or process is left, whatever was going on."""

    async def story() -> None:
        async with exchange() as line:
            before = line.left()
            phone = await line.phone().__aenter__()
            if state == "connecting":
                await phone.say(type="config", astrologer_id=TINA)
            elif state == "greeting":
                line.tones.free.clear()
                await phone.choose(TINA)
            elif state != "before config":
                await greeted(phone)
                if state == "decoding":
                    await phone.send_clip(wav(random.Random(1).randbytes(80 * 48_000)))  # takes its time
                elif state == "switching":
                    await phone.say(type="config", astrologer_id=MOHIT)
                    await phone.hear("notice")
                elif state == "replying":
                    line.tones.free.clear()
                    await phone.send_clip(HINDI)
                    await phone.hear("transcript")
            if how == "close":
                await phone.socket.close()
            elif how == "abort":
                phone.socket.transport.abort()
                await phone.socket.wait_closed()
            else:
                await phone.say(type="end")
                assert (await phone.closed()).code == 1000
            line.tones.free.set()
            await line.settles_to(before)

    run(story())


def test_an_upstream_that_answers_after_the_caller_left_is_closed() -> None:
    """A connect that nobody waits for any more is given up, also when the upstream never says a word."""

    async def story() -> None:
        silent: list[asyncio.StreamWriter] = []

        async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            silent.append(writer)
            await reader.read()
            writer.close()

        server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        def mute(real: Any) -> Any:
            return type(real)(f"ws://127.0.0.1:{port}/", real.model, real.key)

        async with exchange(upstream=mute) as line:
            before = line.left()
            async with line.phone() as phone:
                await phone.say(type="config", astrologer_id=TINA)
                while not silent:
                    await phone.say(type="ping")
                    await phone.hear("pong")
            await line.settles_to(before)
        server.close()
        await server.wait_closed()

    run(story())


def test_a_crash_in_one_session_closes_that_client_with_4500() -> None:
    """Our fault ends one call, with a reference that the log has too; a neighbour goes on."""

    async def story() -> None:
        async with exchange() as line, line.phone("neighbour") as other, line.phone() as phone:
            await greeted(other)
            ack = await phone.choose(MOHIT)
            line.session().tell(cast(From, object()))  # nobody handles this
            ended = await phone.closed()
            assert ended.code == 4500
            assert ack["session_id"] in ended.reason
            assert (await other.ask(HINDI)).text == "You said 3.4 seconds in hi."

    run(story())


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_cannot_call(origin: str) -> None:
    """The handshake is refused with 403 before anything begins; our own pages and apps get in."""

    async def story() -> None:
        async with exchange() as line:
            with pytest.raises(InvalidStatus, match="403"):
                await connect(f"{line.url}/ws/user-1", origin=Origin(origin), proxy=None)
            async with connect(f"{line.url}/ws/user-1", origin=Origin(line.http), proxy=None):
                pass
            reader, writer = await asyncio.open_connection(*line.http.removeprefix("http://").split(":"))
            writer.write(b"GET /ws/user-1 HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            assert b"403" in await reader.readline()
            writer.close()
            await writer.wait_closed()

    run(story())
