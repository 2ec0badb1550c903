"""Asks another server of this machine over its unix socket."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector


async def ask(
    socket: Path, path: str, within: float, query: Mapping[str, str] | None = None, method: str = "GET"
) -> bytes | None:
    """What it tells there; None if it does not answer within so many seconds, or with a status of 400 or more."""
    try:
        async with asyncio.timeout(within):
            async with (
                ClientSession(connector=UnixConnector(str(socket)), timeout=ClientTimeout()) as session,
                session.request(method, f"http://localhost{path}", params=query) as answer,
            ):
                return await answer.read() if answer.ok else None
    except (ClientError, OSError, TimeoutError):
        return None
