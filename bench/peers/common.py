"""What the peers share. They run in environments of their own, with neither our libraries nor our server."""

import asyncio
import hashlib
import sys

from realtime.contract import SAY_EXACTLY

INSTRUCTIONS = "Be kind."
GREETING = f"{SAY_EXACTLY}\nHello, how can I help you?"
VOICE = "marin"
RATE = 24_000
ACK, STARTED, DONE, CLEAR = (
    f'{{"type":"{kind}"}}' for kind in ("config_ack", "response_started", "response_done", "clear")
)


def identifier(user: str) -> dict[str, str]:
    """The header by which the fake model knows a caller."""
    return {"OpenAI-Safety-Identifier": hashlib.sha256(user.encode()).hexdigest()[:32]}


async def announce(port: int, what: str) -> None:
    """Say that the server listens; returns when the parent closes stdin, or ends."""
    print(f"listening on http://127.0.0.1:{port}, {what}", file=sys.stderr, flush=True)
    await asyncio.to_thread(sys.stdin.read)
