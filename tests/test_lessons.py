"""What an earlier implementation of this product got wrong, one test a point, so that none of it comes back."""

import asyncio
from pathlib import Path

import orjson
import pytest

from actors.bridge import OpenAIBridgeActor
from actors.messages.bridge import AskText, Configure, Ready, UpstreamEvent
from actors.messages.ids import ChoiceId, Generation
from actors.runtime import Down, Stop, launch
from actors.testing.probe import Probe
from engine.parts import Parts
from engine.server import PATH, Server
from realtime.client.protocol import Protocol
from tests.kit.exchange import CLIPS, exchange
from tests.kit.four import FOUR, MOHIT, PRIYANKA, TINA, first_words
from tests.kit.parts import Echo, Measure, Tones, loud
from tests.kit.story import WITHIN, run
from upstream.commands import ConfigureSession
from upstream.facts import ReplyAudio, ReplyEnded, Setup, TurnId
from upstream.link import Upstream

HINDI = (CLIPS / "hi_love_me.m4a").read_bytes()
VOICES = {"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"}


def test_1_a_second_connection_of_a_user_cannot_kill_or_rebind_the_first_ones_call() -> None:
    """Handlers were keyed by user id: here the older leaves, and its leaving does not touch the newer."""

    async def story() -> None:
        async with exchange() as line, line.phone("same") as older, line.phone("same") as newer:
            assert (await older.closed()).code == 4409
            await older.socket.close()
            await newer.choose(TINA)
            await newer.answer()
            assert (await newer.ask(HINDI)).text

    run(story())


def test_2_a_switch_of_voice_is_a_new_connection() -> None:
    """It was an update of a live session, which the API refuses whole: not even the prompt changed."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            await phone.choose(PRIYANKA)
            assert (await phone.answer()).response_id == "2.1"
            prompts = [row["instructions"] for row in line.engine.sessions() if row["voice"] == "shimmer"]
            assert len(prompts) == 1
            assert "Language: English (en)." in prompts[0]

    run(story())


def test_3_every_voice_is_a_realtime_voice() -> None:
    """Nova and onyx are not: they stand for others."""
    voices = {one.id: one.voice for one in FOUR.all()}
    assert set(voices.values()) <= VOICES
    assert (voices[TINA], voices[MOHIT]) == ("marin", "cedar")
    assert len(set(voices.values())) == 4


def test_4_the_dead_beta_api_is_not_spoken() -> None:
    """No beta header, no flat session, no beta event names."""
    assert "OpenAI-Beta" not in Upstream("wss://api.openai.com/v1/realtime", "m", "key").headers("user-1")
    protocol = Protocol()
    protocol.send(ConfigureSession(Setup("Be kind.", "marin", "en")))
    protocol.receive('{"type": "session.created"}')
    (update,) = [orjson.loads(frame) for frame in protocol.to_send()]
    assert update["session"]["type"] == "realtime"
    assert not {"voice", "modalities", "temperature", "turn_detection"} & set(update["session"])
    assert protocol.receive('{"type": "response.audio.delta", "delta": "AAAA"}') == []


def test_5_the_greeting_is_said_not_answered() -> None:
    """It was inserted as an item of the assistant's and then answered by the model."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.choose(TINA)
            assert (await phone.answer()).text == first_words(FOUR.get(TINA))
            await phone.say(type="ping")
            await phone.hear("pong")
            assert sum(message["type"] == "audio_response" for message in phone.seen) == 1

    run(story())


def test_6_no_context_is_added_with_every_clip() -> None:
    """A conversation holds what was said, and nothing else."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            for _ in range(3):
                await phone.ask(HINDI)
            (call,) = line.engine.calls
            roles = [item.role for item in call.session._conversation]
            assert roles.count("user") == 3
            assert set(roles) == {"user", "assistant"}

    run(story())


def test_7_audio_is_passed_on_as_it_comes() -> None:
    """The whole reply was held back: here the first sound reaches the session before the last is even made."""

    async def story() -> None:
        voice, mind, session = Tones(), Echo(), Probe()
        voice.hold(1)
        mind.script = "This is the first sentence. This is the second sentence."
        parts = Parts(voice, Measure(), loud, mind)
        async with Server(parts, token=None).listen("127.0.0.1", 0) as port:
            upstream = Upstream(f"ws://127.0.0.1:{port}{PATH}", "gpt-realtime-2.1")
            setup = Configure(ChoiceId(1), Setup("Be kind.", "marin", "en"), ())
            bridge = launch(OpenAIBridgeActor(session, Generation(1), upstream, "user-1", setup), session)
            await session.told(Ready)
            bridge.tell(AskText(TurnId(1), "hello"))
            await session.told(UpstreamEvent, event=ReplyAudio)
            assert await asyncio.to_thread(voice.held.wait, WITHIN)
            assert not any(
                isinstance(fact.event, ReplyEnded) for fact in session.heard if isinstance(fact, UpstreamEvent)
            )
            voice.let_go()
            await session.told(UpstreamEvent, event=ReplyEnded)
            bridge.tell(Stop())
            await session.told(Down)
        parts.close()

    run(story())


def test_8_what_does_not_decode_never_goes_upstream() -> None:
    """It was sent as if it were PCM."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            (call,) = line.engine.calls
            for garbage in (b"garbage" * 999, HINDI[100:], b"\x89PNG" + bytes(5000)):
                await phone.send_clip(garbage)
                assert (await phone.hear("error"))["code"] == "audio_undecodable"
            assert [item.role for item in call.session._conversation] == ["assistant"]
            await phone.ask(HINDI)
            assert [item.role for item in call.session._conversation].count("user") == 1

    run(story())


def test_9_the_address_chooses_the_astrologer() -> None:
    """`?astrologer_id=` was accepted and ignored."""

    async def story() -> None:
        async with exchange() as line, line.phone(astrologer_id=MOHIT) as phone:
            assert (await phone.hear("config_ack"))["astrologer_id"] == MOHIT
            assert (await phone.answer()).text == first_words(FOUR.get(MOHIT))

    run(story())


def test_10_every_reply_has_its_words() -> None:
    """`text_response` never came."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            await phone.ask(HINDI)
            words = [message["response_id"] for message in phone.seen if message["type"] == "text_response"]
            sounds = [message["response_id"] for message in phone.seen if message["type"] == "audio_response"]
            assert words == sounds == ["1.1", "1.2"]

    run(story())


def test_11_an_upstream_that_dies_is_noticed_while_nobody_speaks() -> None:
    """All later audio was lost."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            (call,) = line.engine.calls
            await call._socket.close(1001)  # a close in order that nobody asked for is a loss too
            assert (await phone.hear("notice"))["code"] == "reconnecting"
            assert (await phone.hear("notice"))["code"] == "resumed"
            assert (await phone.ask(HINDI)).text == "You said 3.4 seconds in hi."

    run(story())


@pytest.mark.parametrize("field", ["error", "message"])
def test_12_errors_are_read_by_every_client_and_nothing_is_kept_in_files(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server sent one field and the client read the other; each handler rewrote one state file."""
    monkeypatch.chdir(tmp_path)

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.say(type="config", astrologer_id="nobody")
            assert "nobody" in (await phone.hear("error"))[field]
            await phone.choose(TINA)
            await phone.answer()

    run(story())
    assert list(tmp_path.iterdir()) == []
