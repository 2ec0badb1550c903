"""Calls that survive the caller's network: through the real server, over a line that the test cuts."""

import asyncio

from phone import Phone
from phone.lasting import LastingPhone
from tests.kit.exchange import exchange
from tests.kit.four import TINA
from tests.kit.story import run

SOME = "This takes a second. " * 5


def cut(phone: Phone) -> None:
    """The line is gone, without a word."""
    phone.socket.transport.abort()


async def whole(phone: LastingPhone, times: int) -> tuple[bytes, str]:
    """Hear a reply to its end while the line is cut so often; its sound, and its words."""
    pcm, cuts, words = bytearray(), 0, ""
    async with asyncio.timeout(60):
        while True:
            message = await phone.next()
            match message:
                case {"type": "sound", "pcm": piece}:
                    pcm += piece
                    if cuts < times and len(pcm) > (cuts + 1) * 48_000:
                        cuts += 1
                        cut(phone)
                case {"type": "transcript", "role": "assistant", "final": True, "text": text}:
                    words = text
                case {"type": "response_done"}:
                    return bytes(pcm), words


def test_an_answer_is_heard_whole_over_a_line_that_is_cut() -> None:
    """Every byte of it once, and in order, however often the line goes."""

    async def story() -> None:
        async with exchange() as line:
            heard: list[bytes] = []
            for times in (0, 3):
                async with LastingPhone(line.url, f"user-{times}", {"mode": "stream"}) as phone:
                    await phone.choose(TINA, mode="stream")
                    await phone.reply()
                    await phone.say(type="text", text=SOME)
                    pcm, _ = await whole(phone, times)
                    assert phone.resumed == times
                    heard.append(pcm)
                    await phone.say(type="end")
                    assert (await phone.closed()).code == 1000
            assert heard[0] == heard[1]

    run(story())
