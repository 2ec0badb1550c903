"""What a decoding process does: read clips from stdin, answer on stdout, end when stdin closes.

So it also ends when the server is killed. A request is REQUEST (whether what follows is a frame of the wire with a clip
in it, and its length) and the clip. An answer is ANSWER (whether it could be
decoded, and the length of what follows), then PCM, or the code of a refusal, a newline and its message. The first
answer is empty and says that the process is ready.
"""

import math
import os
import resource
import struct
import sys
import time
from contextlib import suppress
from typing import BinaryIO

from audio.codec import decode
from audio.envelope import unpack
from schemas import Refused

REQUEST = struct.Struct(">?I")
ANSWER = struct.Struct(">?I")

CPU_SECONDS = 5  # for one clip; 120 s of Opus take less than 1
MEMORY = 384 * 2**20  # bytes of address space; the libraries take 130 MiB, the worst clip that is no bomb 165


def serve() -> None:
    """Answer clips until stdin closes."""
    clips, answers = sys.stdin.buffer, _take_stdout()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY)
    with suppress(BrokenPipeError):  # the server is gone and nobody waits for the answer
        _answer(answers, True, b"")
        while request := clips.read(REQUEST.size):
            packed, length = REQUEST.unpack(request)
            _serve_one(packed, clips.read(length), answers)


def _take_stdout() -> BinaryIO:
    """The pipe to the server; whatever a library prints from here on goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _serve_one(packed: bool, content: bytes, answers: BinaryIO) -> None:
    # The kernel counts from the start of the process, in whole seconds, and kills at the limit.
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + CPU_SECONDS)
    try:
        _answer(answers, True, decode(unpack(content) if packed else content))
    except Refused as refused:
        _answer(answers, False, f"{refused.code}\n{refused.message}".encode())


def _answer(answers: BinaryIO, decoded: bool, payload: bytes) -> None:
    answers.write(ANSWER.pack(decoded, len(payload)))
    answers.write(payload)
    answers.flush()


def _limit(what: int, most: int) -> None:
    """Set a soft limit; the hard one stays, so that a limit of CPU time can be raised again."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
