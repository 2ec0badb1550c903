"""What the engine says of a language that it does not have."""

from base64 import b64encode
from collections.abc import Iterator

import pytest

from engine.languages import NOT_SERVED, code_of, unheard, unspoken
from realtime.contract import SAY_EXACTLY
from realtime.server.settings import Event
from tests.engine.sockets import Engine, append, by_hand, receive_until, send, with_engine
from tests.engine.stand_ins import ENGLISH
from tests.kit.parts import SECOND, ScriptedEar, Tones


class LatinVoice(Tones):
    """A voice that has no sound for anything but ASCII."""

    def say(self, text: str, voice: str) -> Iterator[bytes]:
        return super().say(text, voice) if text.isascii() else iter(())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (None, None),
        ("", None),
        ("auto", None),
        ("hi", "hi"),
        ("hi-IN", "hi"),
        ("EN_us", "en"),
        ("English", "en"),
        ("hin", "hi"),
        ("ta", "ta"),
        ("ta-IN", "ta"),
    ],
)
def test_a_language_is_read_as_clients_write_it(said: str | None, code: str | None) -> None:
    """With a region, in capitals, or by a longer name."""
    assert code_of(said) == code
    assert (unheard(code) is None) == (code in (None, "en", "hi"))


@pytest.mark.parametrize(("text", "spoken"), [("வணக்கம்", False), ("🙏", True), ("...", True), ("سلام", False)])
def test_only_what_could_be_spoken_is_missed(text: str, spoken: bool) -> None:
    """Where there are no letters, there is nothing to say."""
    assert (unspoken(text) is None) == spoken


def failure(event: Event) -> tuple[str, str, str]:
    error = (event["response"]["status_details"] or {}).get("error", {})
    return event["response"]["status"], error.get("code", ""), error.get("message", "")


@pytest.mark.parametrize(
    "settings",
    [
        {"audio": {"input": {"transcription": {"model": "gpt-transcribe", "language": "ta"}}}},
        {"instructions": "# Language\nLanguage: Tamil (ta). Speak it."},
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_turn_in_another_language_is_answered_with_an_error(settings: Event, streamed: bool) -> None:
    """Clip or stream: the connection goes on, and the same turn is answered in a language that the ear has."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            if not streamed:
                await by_hand(socket)

            async def speak() -> Event:
                if streamed:
                    await append(socket, SECOND + bytes(len(SECOND)), 960)
                else:
                    await send(socket, "input_audio_buffer.append", audio=b64encode(SECOND).decode())
                    await send(socket, "input_audio_buffer.commit")
                    await send(socket, "response.create")
                return (await receive_until(socket, "response.done"))[-1]

            await send(socket, "session.update", session={"type": "realtime", **settings})
            status, code, message = failure(await speak())
            assert (status, code) == ("failed", NOT_SERVED)
            assert "en and hi" in message
            english = {"input": {"transcription": {"model": "gpt-transcribe", "language": "en-IN"}}}
            await send(socket, "session.update", session={"type": "realtime", "audio": english})
            assert failure(await speak())[0] == "completed"
            assert engine.ear.hints == ["en"]

    with_engine(test, ear=ScriptedEar("When will I get married?"))


@pytest.mark.parametrize(
    ("words", "wanted"), [("வணக்கம்", ("failed", NOT_SERVED)), ("🙏", ("completed", "")), ("Hello", ("completed", ""))]
)
def test_an_answer_for_which_there_is_no_sound_fails(words: str, wanted: tuple[str, str]) -> None:
    """Its words are sent all the same. What has no letters is complete without sound."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            await by_hand(socket)
            said = {"instructions": f"{ENGLISH}\n\n{SAY_EXACTLY}\n{words}", "input": []}
            await send(socket, "response.create", response=said)
            done = (await receive_until(socket, "response.done"))[-1]
            assert failure(done)[:2] == wanted
            assert done["response"]["output"][0]["content"][0]["transcript"] == words

    with_engine(test, voice=LatinVoice())
