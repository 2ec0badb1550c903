"""A client who asks for much and reads none of it."""

import socket

from phone import Phone
from tests.kit.exchange import Exchange
from tests.kit.four import TINA


async def deafen(line: Exchange, phone: Phone) -> None:
    """The persona has 20 s of sound to say, all at once; of that the phone reads nothing."""
    await phone.choose(TINA)
    await phone.answer()
    line.mind.script = "I say more than fits. " * 20
    phone.socket.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    phone.socket.transport.pause_reading()
    await phone.say(type="text", text="tell me")
