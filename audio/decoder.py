"""One decoding process, seen from the server."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process

from audio.envelope import Packed
from audio.worker import ANSWER, REQUEST
from schemas import Refused

NICENESS = 15  # calls that are under way come before clips that are still to be decoded
START_SECONDS = 20.0  # it takes 0.2; more is a machine that is stuck
# Not `-m audio.worker`: the server has that module loaded too, and Python warns of the second copy.
COMMAND = (sys.executable, "-P", "-c", "from audio.worker import serve; serve()")
INHERITED = ("PATH", "LD_LIBRARY_PATH")


class Died(Exception):
    """The process ended before it answered, or could not be started."""


class Decoder:
    """A process that decodes one clip after the other; it can be started again after it has died.

    A call that is cancelled or fails half-way leaves it not `ready`: its next answer would belong to another clip.
    """

    def __init__(self) -> None:
        self._process: Process | None = None
        self._idle = self._given_up = False

    @property
    def ready(self) -> bool:
        """Whether it lives and waits for a clip."""
        return self._idle and self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Replace the process by a new one; raises Died."""
        await self.end()
        try:
            async with asyncio.timeout(START_SECONDS):
                self._process = await asyncio.create_subprocess_exec(
                    *COMMAND, stdin=PIPE, stdout=PIPE, env=_environment(), start_new_session=True
                )
                # From its first moment on: a clip that kills its decoder costs a start as well.
                os.setpriority(os.PRIO_PROCESS, self._process.pid, NICENESS)
                self._kill_if_given_up()
                await self._answer(self._process)
        except (OSError, TimeoutError) as error:
            raise Died(f"could not be started: {error!r}") from error
        self._idle = True

    async def decode(self, clip: bytes | Packed) -> bytes:
        """The PCM of the clip, as `codec.decode` after `envelope.unpack`. Must be `ready`. Raises Refused and Died."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        self._idle = False
        packed = isinstance(clip, Packed)
        content = clip.frame if isinstance(clip, Packed) else clip
        process.stdin.write(REQUEST.pack(packed, len(content)))
        process.stdin.write(content)
        decoded, payload = await self._answer(process)
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
        process, self._process, self._idle = self._process, None, False
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        assert process.stdin is not None
        process.stdin.close()
        await process.communicate()  # also reads what was on its way, else the pipe stays open

    def _kill_if_given_up(self) -> None:
        if self._given_up and self._process and self._process.returncode is None:
            self._process.kill()

    async def _answer(self, process: Process) -> tuple[bool, bytes]:
        assert process.stdout is not None
        try:
            decoded, length = ANSWER.unpack(await process.stdout.readexactly(ANSWER.size))
            return decoded, await process.stdout.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise Died(f"ended with {await process.wait()}") from error


def _environment() -> dict[str, str]:
    """The server's import path, and none of its keys: this process reads what strangers send."""
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return {"PYTHONPATH": path} | {name: os.environ[name] for name in INHERITED if name in os.environ}
