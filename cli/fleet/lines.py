"""What several processes write to stderr, on one stderr: each line as it came, behind the name of its process."""

import asyncio
import logging

from cli.log import FORMAT

child = logging.getLogger("fleet.lines")
child.setLevel(logging.DEBUG)  # each process has left out what is below the level


class Lines(logging.Formatter):
    """Formats our own records as a server does, and passes the lines of other processes as they are."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record."""
        return record.getMessage() if record.name == child.name else super().format(record)


async def relay(stream: asyncio.StreamReader, name: str) -> None:
    """Pass its lines on until it ends."""
    while line := await _line(stream):
        child.info("%s %s", name, line.decode(errors="replace").rstrip())


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # longer than the limit: the stream reader has discarded it
        return b"(a line too long to show)\n"
