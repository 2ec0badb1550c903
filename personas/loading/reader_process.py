"""A file of personas is read in a process of its own: a thousand take half a second, in which Python does nothing else.

What is left for this process to do, to pickle who is known and to make a catalogue of the answer, is done a piece at a
time. After each the thread lets go of the interpreter, so that the loop of the calls is never held for long.
"""

import io
import logging
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from subprocess import PIPE, Popen
from typing import IO, cast

from personas.catalogue import Catalogue
from personas.loading.worker import Faults, Packer, Unpacker
from personas.persona import Persona

log = logging.getLogger(__name__)

NICENESS = 5  # calls that are under way come first; an edit is waited for, too
PATIENCE = 60.0  # seconds for one text; the largest takes six on an idle machine
PAUSE = 0.0005  # seconds after each piece; pickle makes them of 64 KB, which take it less than a millisecond
COMMAND = (sys.executable, "-P", "-c", "from personas.loading.worker import serve; serve()")
INHERITED = ("PATH", "LD_LIBRARY_PATH", "PYTHONTZPATH")


class Died(Exception):
    """The process ended before it answered."""


class Apart:
    """Starts a process for each text. Used by one thread, which may wait; only `close` is for others.

    `patience` is how many seconds one text may take before its process is killed, `command` what is run.
    """

    def __init__(self, patience: float = PATIENCE, command: Sequence[str] = COMMAND) -> None:
        self._patience, self._command = patience, command
        self._process: Popen[bytes] | None = None
        self._closed = False

    def read(self, raw: bytes, known: tuple[Persona, ...]) -> Catalogue | Faults:
        """As worker.read; no faults when it is closed meanwhile. Raises Died when that happens twice, and OSError."""
        try:
            return self._read(raw, known)
        except Died as died:
            if self._closed:
                return ()
            log.warning("the process that reads the file of personas %s; it is read once more", died)
        return self._read(raw, known)

    def close(self) -> None:
        """Kill the process, if there is one; returns at once."""
        self._closed = True
        if process := self._process:  # the thread may be done with it in this moment
            process.kill()

    def _read(self, raw: bytes, known: tuple[Persona, ...]) -> Catalogue | Faults:
        with self._running() as process:
            assert process.stdin
            assert process.stdout
            try:
                packed = io.BytesIO()
                Packer(_Pieces(packed)).dump(known)  # while the process starts
                with process.stdin as request:
                    request.write(packed.getbuffer())
                    request.write(raw)
                answer = _Pieces(process.stdout)
                return cast(Catalogue | Faults, Unpacker(answer, {one.source: one for one in known}).load())
            except (BrokenPipeError, EOFError, pickle.UnpicklingError) as error:
                raise Died(f"ended with {process.wait()}") from error

    @contextmanager
    def _running(self) -> Iterator[Popen[bytes]]:
        process = Popen(self._command, stdin=PIPE, stdout=PIPE, env=_environment(), start_new_session=True)
        self._process = process
        if self._closed:
            process.kill()
        late = threading.Timer(self._patience, process.kill)
        late.daemon = True
        late.start()
        try:
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            yield process
        finally:
            late.cancel()
            process.kill()
            with process:  # closes its pipes and waits for it
                pass
            self._process = None


class _Pieces:
    """A file that is read or written a piece at a time, with a rest after each."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        time.sleep(PAUSE)
        return piece

    def readline(self) -> bytes:
        return self._file.readline()

    def write(self, piece: bytes) -> int:
        time.sleep(PAUSE)
        return self._file.write(piece)


def _environment() -> dict[str, str]:
    """The server's import path, and none of its keys."""
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return {"PYTHONPATH": path} | {name: os.environ[name] for name in INHERITED if name in os.environ}
