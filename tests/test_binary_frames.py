"""What is sent in binary frames and is no PCM, through the real server."""

import pytest

from phone import Phone
from tests.audio.sounds import clip
from tests.kit.exchange import exchange
from tests.kit.four import TINA
from tests.kit.story import run
from tests.test_streams import BURST, SILENCE

HINDI = clip("hi_love_me.m4a")


async def greeted(phone: Phone, **audio: str) -> None:
    """Choose, in a mode or in none yet, and hear the greeting."""
    await phone.choose(TINA, **audio)
    await phone.hear("response_done" if audio else "audio_response")


@pytest.mark.parametrize("size", [0, 1000, 4001], ids=["whole", "in pieces", "in odd pieces"])
@pytest.mark.parametrize("name", ["en_proposal.m4a", "en_proposal.webm"])
def test_a_recording_in_binary_frames_is_refused_and_the_next_clip_is_heard(name: str, size: int) -> None:
    """The error says what it is; the call has not become a stream, so that a clip in its message is answered."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone)
            file = clip(name)
            for start in range(0, len(file), size or len(file)):
                await phone.socket.send(file[start : start + (size or len(file))])
            error = await phone.hear("error")
            assert error["code"] == "bad_message"
            assert {"m4a": "m4a, mp4 or 3gp file", "webm": "a webm file"}[name[-4:].strip(".")] in error["message"]
            assert "audio message" in error["message"]
            assert (await phone.ask(HINDI)).text == "You said 3.4 seconds in hi."

    run(story())


def test_a_client_that_sends_messages_in_binary_frames_is_served() -> None:
    """From the choice to the end, also a clip of more than 64 KB."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            sent = phone.socket.send

            async def send_bytes(message: bytes, text: bool | None = None) -> None:
                await sent(message, text=False)

            phone.socket.send = send_bytes  # type: ignore[method-assign, assignment]
            await greeted(phone)
            assert (await phone.ask(HINDI)).text == "You said 3.4 seconds in hi."
            await phone.say(type="end")
            assert (await phone.closed()).code == 1000

    run(story())


def test_a_stream_in_odd_pieces_is_heard() -> None:
    """As a pipe cuts it: the samples are whole again before the model hears them."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await greeted(phone, mode="stream")
            sound = BURST + SILENCE
            for start in range(0, len(sound), 961):
                await phone.socket.send(sound[start : start + 961])
            assert "seconds in hi" in (await phone.reply()).text

    run(story())
