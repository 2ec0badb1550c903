"""Reads a file of personas in another process: to read a thousand takes half a second, and would hold the GIL.

The server still has to pickle the known personas and to unpickle the catalogue. It does so in pieces, and its thread
sleeps after each of them, which releases the GIL: the event loop of the calls is never blocked for long.
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

from cage import clean_environment
from personas.catalogue import Catalogue
from personas.loading.faults import Faults
from personas.loading.worker import Packer, Unpacker
from personas.persona import Persona

log = logging.getLogger(__name__)

NICENESS = 5  # calls in progress have priority, but somebody waits for the edit too
PATIENCE = 60.0  # seconds for one file; the largest takes six on an idle machine
PAUSE = 0.0005  # seconds of sleep after each piece; those of pickle are 64 KB and take less than a millisecond
COMMAND = (sys.executable, "-P", "-c", "from personas.loading.worker import serve; serve()")


class Died(Exception):
    """The process ended before it answered."""


class ReaderProcess:
    """Starts a process for each file that is read. Only one thread may use it, which blocks; any may call `close`.

    `patience` is how many seconds the process may take before it is killed, `command` its command line.
    """

    def __init__(self, patience: float = PATIENCE, command: Sequence[str] = COMMAND) -> None:
        self._patience, self._command = patience, command
        self._process: Popen[bytes] | None = None
        self._closed = False

    def read(self, raw: bytes, known: tuple[Persona, ...]) -> Catalogue | Faults:
        """As worker.read; a process that died is started once more. Returns () if `close` was called meanwhile.

        Raises Died if the process died twice, OSError if it cannot be started.
        """
        try:
            return self._read(raw, known)
        except Died as died:
            if self._closed:
                return ()
            log.warning("the process that reads the file of personas %s; it is read once more", died)
        return self._read(raw, known)

    def close(self) -> None:
        """Kill the process, if there is one. Returns at once."""
        self._closed = True
        if process := self._process:  # read once: the other thread may set it to None
            process.kill()

    def _read(self, raw: bytes, known: tuple[Persona, ...]) -> Catalogue | Faults:
        with self._running() as process:
            assert process.stdin
            assert process.stdout
            try:
                packed = io.BytesIO()
                Packer(_YieldingFile(packed)).dump(known)  # before writing: meanwhile the process starts
                with process.stdin as request:
                    request.write(packed.getbuffer())
                    request.write(raw)
                answer = _YieldingFile(process.stdout)
                return cast(Catalogue | Faults, Unpacker(answer, {one.source: one for one in known}).load())
            except (BrokenPipeError, EOFError, pickle.UnpicklingError) as error:
                raise Died(f"ended with {process.wait()}") from error

    @contextmanager
    def _running(self) -> Iterator[Popen[bytes]]:
        environment = clean_environment("PYTHONTZPATH")
        process = Popen(self._command, stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True)
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


class _YieldingFile:
    """A file whose every read and write is followed by a sleep, which releases the GIL."""

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
