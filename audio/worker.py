"""The decoding process: it reads clips from stdin, writes answers to stdout, and ends when stdin closes.

It therefore also ends when the server is killed. Both sides of the conversation:

    request   REQUEST (packed: whether a frame of the wire follows instead of a file; length)   the file, or the frame
    answer    ANSWER (decoded; seconds of CPU; length)   PCM, or a refusal: its code, a newline, its message

The first answer is empty and follows no request: it says that the process is ready.
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

# Seconds of CPU after which the kernel kills the process: for a clip in which FFmpeg never returns, so that the (lower)
# budget is not checked. The kernel counts ticks: on a busy machine it kills after 0.8 to 1 times this value.
KILLED_SECONDS = 1.2
MEMORY = 384 * 2**20  # bytes of address space; the libraries take 130 MiB, the worst clip that is no bomb 165


def serve() -> None:
    """Answer requests until stdin closes."""
    clips, answers = sys.stdin.buffer, _take_stdout()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # an ignored signal is inherited
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY)
    with suppress(BrokenPipeError):  # the server is gone
        _answer(answers, True, 0.0, b"")
        while request := clips.read(REQUEST.size):
            packed, length = REQUEST.unpack(request)
            _serve_one(packed, clips.read(length), answers)


def _take_stdout() -> BinaryIO:
    """Return stdout for answers alone: what a library prints from here on goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _serve_one(packed: bool, content: bytes, answers: BinaryIO) -> None:
    signal.setitimer(signal.ITIMER_PROF, KILLED_SECONDS)  # SIGPROF then kills this process
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
    """Set the soft limit of a resource; the hard one is not changed."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
