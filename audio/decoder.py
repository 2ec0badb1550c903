"""One decoding process, seen from the server."""

import asyncio
import io
import os
import socket
import subprocess
import sys
from contextlib import suppress

from audio.clip_frame import Packed
from audio.worker import ANSWER, KILLED_SECONDS, REQUEST
from schemas import Refused

NICENESS = 15  # calls that are under way come before clips that are still to be decoded
START_SECONDS = 20.0  # it takes 0.2; more is a machine that is stuck
LOST_SECONDS = KILLED_SECONDS + 0.2  # of CPU: a clip that kills its decoder costs a start as well
PIECE = 128 * 1024  # bytes that are moved at once: 6 MB in one go held every caller up for 5 ms
# Not `-m audio.worker`: the server has that module loaded too, and Python warns of the second copy.
COMMAND = (sys.executable, "-P", "-c", "from audio.worker import serve; serve()")
INHERITED = ("PATH", "LD_LIBRARY_PATH")


class Died(Exception):
    """The process ended before it answered, or could not be started."""


class Decoder:
    """A process that decodes one clip after the other; it can be started again after it has died.

    A call that is cancelled or fails half-way leaves it not `ready`: its next answer would belong to another clip.
    `spent` is the seconds of CPU that its last clip took.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._idle = self._given_up = False
        self.spent = 0.0

    @property
    def ready(self) -> bool:
        """Whether it lives and waits for a clip."""
        return self._idle and self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Replace the process by a new one; raises Died."""
        await self.end()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._begin()
                await self._answer()
        except (OSError, TimeoutError) as error:
            raise Died(f"could not be started: {error!r}") from error
        self._idle = True

    async def decode(self, clip: bytes | Packed) -> bytes:
        """The PCM of the clip, as `codec.decode` after `clip_frame.unpack`. Must be `ready`. Raises Refused, Died."""
        self._idle, self.spent = False, LOST_SECONDS
        packed = isinstance(clip, Packed)
        try:
            await self._ask(packed, clip.frame if isinstance(clip, Packed) else clip)
            decoded, self.spent, payload = await self._answer()
        except OSError as error:
            raise Died(f"hung up: {error!r}") from error
        self._idle = True
        if decoded:
            return payload
        code, message = payload.decode().split("\n", 1)
        raise Refused(code, message)

    def give_up(self) -> None:
        """Kill the process, also one that is being started: a start that hangs fails at once, and so does a later."""
        self._given_up = True
        self._kill_if_given_up()

    async def end(self) -> None:
        """Kill the process, if there is one, and wait until it is gone."""
        process, reader, writer = self._process, self._reader, self._writer
        self._idle, self.spent = False, 0.0
        if process is None:
            return
        process.kill()
        with suppress(OSError):
            while reader and await reader.read(PIECE):  # its end of the line closes as it goes
                pass
        with suppress(OSError):
            if writer:
                writer.close()
                await writer.wait_closed()
        process.wait()
        self._process = self._reader = self._writer = None

    async def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = _spawned(theirs.fileno())
            except OSError:
                ours.close()
                raise
        self._kill_if_given_up()
        self._reader, self._writer = await asyncio.open_unix_connection(sock=ours)

    def _kill_if_given_up(self) -> None:
        if self._given_up and self._process:
            self._process.kill()

    async def _ask(self, packed: bool, content: bytes) -> None:
        writer, whole = self._writer, memoryview(content)
        assert writer is not None
        writer.write(REQUEST.pack(packed, len(whole)))
        for start in range(0, len(whole), PIECE):
            writer.write(whole[start : start + PIECE])
            await writer.drain()

    async def _answer(self) -> tuple[bool, float, bytes]:
        process, reader = self._process, self._reader
        assert process is not None
        assert reader is not None
        payload = io.BytesIO()  # it grows where it is: to join the pieces would touch all that memory at once
        try:
            decoded, seconds, length = ANSWER.unpack(await reader.readexactly(ANSWER.size))
            while missing := length - payload.tell():
                payload.write(await reader.readexactly(min(missing, PIECE)))
        except asyncio.IncompleteReadError as error:
            raise Died(f"ended with {process.wait()}") from error
        return decoded, seconds, payload.getvalue()


def _spawned(line: int) -> subprocess.Popen[bytes]:
    """A new process, with one end of a line. uvloop would fork the whole server: 12 ms at 400 MB; this does not."""
    process = subprocess.Popen(COMMAND, stdin=line, stdout=line, env=_environment(), start_new_session=True)
    # From its first moment on: a clip that kills its decoder costs a start as well.
    os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return process


def _environment() -> dict[str, str]:
    """The server's import path, and none of its keys: this process reads what strangers send."""
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return {"PYTHONPATH": path} | {name: os.environ[name] for name in INHERITED if name in os.environ}
