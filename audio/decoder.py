"""One decoding process, as the server controls it: started, fed, killed. `worker.py` is what runs inside."""

import asyncio
import io
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from audio.answers import HEAD, Implausible, head, refusal
from audio.clip_frame import Packed
from audio.worker import KILLED_SECONDS, LIFE_SECONDS, REQUEST
from cage import User, clean_environment

NICENESS = 15  # calls in progress have priority over clips that wait
START_SECONDS = 60.0  # a start takes 0.4 of CPU, at the lowest priority: 20 where others keep the machine busy
LOST_SECONDS = KILLED_SECONDS + 0.2  # of CPU: a clip that kills its decoder also costs a start
PIECE = 128 * 1024  # bytes that are moved at once: to move 6 MB at once delayed every caller by 5 ms
# Not `-m audio.worker`: the package imports that module too, and Python warns of the second copy.
COMMAND = (sys.executable, "-P", "-c", "import sys; from audio.worker import serve; serve(*sys.argv[1:])")
REPLACED_SECONDS = LIFE_SECONDS / 2  # of CPU for clips: some thousands of them. Then a process is replaced by a new one


class Died(Exception):
    """The process ended before it answered, or could not be started."""


class Decoder:
    """A process that decodes one clip after the other, and can be started again after it has died.

    After a `decode` that was cancelled or failed it is not `ready`: its next answer would belong to the earlier clip.
    `spent` is the seconds of CPU that its last clip took; `missing` says which layers of its cage the system lacks.
    It goes on as `user` if root is who starts it.
    """

    def __init__(self, user: User | None = None, command: Sequence[str] = COMMAND) -> None:
        self._command = (*command, *([str(user)] if user else []))
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._idle = self._given_up = False
        self._used = self.spent = 0.0
        self.missing: list[str] = []

    @property
    def ready(self) -> bool:
        """True if the process runs and waits for a clip."""
        return self._idle and self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Replace the process by a new one. Raises Died if it cannot be started."""
        await self.end()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._launch()
                self.missing = (await self._read_answer())[2].decode(errors="replace").splitlines()
        except (OSError, TimeoutError, Implausible) as error:
            raise Died(f"could not be started: {error!r}") from error
        self._idle, self._used = True, 0.0

    async def decode(self, clip: bytes | Packed) -> bytes:
        """Return the PCM of a clip, as `codec.decode` does, after `clip_frame.unpack` for a `Packed` one.

        The process must be `ready`. Raises Refused, and Died if it ended before it answered, or answered as no decoder
        does: then somebody has taken it over.
        """
        self._idle, self.spent = False, LOST_SECONDS
        packed = isinstance(clip, Packed)
        try:
            await self._send_request(packed, clip.frame if isinstance(clip, Packed) else clip)
            decoded, self.spent, payload = await self._read_answer()
            refused = None if decoded else refusal(payload)
        except OSError as error:
            raise Died(f"hung up: {error!r}") from error
        except Implausible as lie:
            raise Died(f"was taken over: it {lie}") from None
        self._used += self.spent
        self._idle = self._used < REPLACED_SECONDS
        if refused:
            raise refused
        return payload

    def give_up(self) -> None:
        """Kill the process for good: a start that is under way, and every later one, fails at once."""
        self._given_up = True
        self._kill_if_given_up()

    async def end(self) -> None:
        """Kill the process, if there is one, and wait for its end."""
        process, reader, writer = self._process, self._reader, self._writer
        self._idle, self.spent = False, 0.0
        if process is None:
            return
        process.kill()
        with suppress(OSError):
            while reader and await reader.read(PIECE):  # until the dead process's end of the socket is closed
                pass
        with suppress(OSError):
            if writer:
                writer.close()
                await writer.wait_closed()
        process.wait()
        self._process = self._reader = self._writer = None

    async def _launch(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = _spawned(self._command, theirs.fileno())
            except OSError:
                ours.close()
                raise
        self._kill_if_given_up()
        self._reader, self._writer = await asyncio.open_unix_connection(sock=ours)

    def _kill_if_given_up(self) -> None:
        if self._given_up and self._process:
            self._process.kill()

    async def _send_request(self, packed: bool, content: bytes) -> None:
        writer, whole = self._writer, memoryview(content)
        assert writer is not None
        writer.write(REQUEST.pack(packed, len(whole)))
        for start in range(0, len(whole), PIECE):
            writer.write(whole[start : start + PIECE])
            await writer.drain()

    async def _read_answer(self) -> tuple[bool, float, bytes]:
        """Whether the clip was decoded, its seconds of CPU, and its PCM or refusal. Raises Died, Implausible."""
        process, reader = self._process, self._reader
        assert process is not None
        assert reader is not None
        payload = io.BytesIO()  # grows in place: to join the pieces would copy everything at once
        try:
            decoded, seconds, length = head(await reader.readexactly(HEAD.size), LOST_SECONDS)
            while missing := length - payload.tell():
                payload.write(await reader.readexactly(min(missing, PIECE)))
        except asyncio.IncompleteReadError as error:
            process.kill()  # it may have closed its end and go on: the loop must not wait for that
            raise Died(f"ended with {process.wait()}") from error
        return decoded, seconds, payload.getvalue()


def _spawned(command: Sequence[str], line: int) -> subprocess.Popen[bytes]:
    """Start a process with one end of a socket. uvloop would fork the server, 12 ms at 400 MB; Popen does not fork."""
    process = subprocess.Popen(command, stdin=line, stdout=line, env=clean_environment(), start_new_session=True)
    # At once, not after the first answer: the start itself uses CPU, and a clip that kills its decoder causes one.
    os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return process
