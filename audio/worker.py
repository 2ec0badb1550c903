"""What a decoding process does: read clips from stdin, answer on stdout, end when stdin closes.

So it also ends when the server is killed. A request is REQUEST (whether what follows is a frame of the wire with a clip
in it, and its length) and the clip. An answer is ANSWER (whether it could be decoded, the seconds of CPU that it took,
and the length of what follows), then PCM, or the code of a refusal, a newline and its message. The first answer is
empty and says that the process is ready.
"""

import os
import resource
import signal
import struct
import sys
from contextlib import suppress
from typing import BinaryIO

from audio.budget import Budget
from audio.clip_frame import unpack
from audio.codec import decode
from schemas import Refused

REQUEST = struct.Struct(">?I")
ANSWER = struct.Struct(">?dI")

# Of CPU, for one clip in which FFmpeg does not come back to be asked what it cost so far; the budget is less. By ticks,
# as the kernel counts here, a process on a machine that is full is ended after 0.8 to 1 of what it was told.
KILLED_SECONDS = 1.2
MEMORY = 384 * 2**20  # bytes of address space; the libraries take 130 MiB, the worst clip that is no bomb 165


def serve() -> None:
    """Answer clips until stdin closes."""
    clips, answers = sys.stdin.buffer, _take_stdout()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # whoever started the server may have ignored it
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY)
    with suppress(BrokenPipeError):  # the server is gone and nobody waits for the answer
        _answer(answers, True, 0.0, b"")
        while request := clips.read(REQUEST.size):
            packed, length = REQUEST.unpack(request)
            _serve_one(packed, clips.read(length), answers)


def _take_stdout() -> BinaryIO:
    """The way to the server; whatever a library prints from here on goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _serve_one(packed: bool, content: bytes, answers: BinaryIO) -> None:
    signal.setitimer(signal.ITIMER_PROF, KILLED_SECONDS)  # at whose end the kernel kills
    budget = Budget()
    try:
        decoded, payload = True, decode(unpack(content) if packed else content, budget)
    except Refused as refused:
        decoded, payload = False, f"{refused.code}\n{refused.message}".encode()
    signal.setitimer(signal.ITIMER_PROF, 0)
    _answer(answers, decoded, budget.used, payload)


def _answer(answers: BinaryIO, decoded: bool, seconds: float, payload: bytes) -> None:
    answers.write(ANSWER.pack(decoded, seconds, len(payload)))
    answers.write(payload)
    answers.flush()


def _limit(what: int, most: int) -> None:
    """Set a soft limit; the hard one stays."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
