"""The decoding process: it reads clips from stdin, writes answers to stdout, and ends when stdin closes.

It therefore also ends when the server is killed. Both sides of the conversation:

    request   REQUEST (packed: whether a frame of the wire follows instead of a file; length)   the file, or the frame
    answer    HEAD (decoded; seconds of CPU; length)   PCM, or a refusal: its code, a newline, its message

The first answer follows no request: it says that the process is ready, and by which layers it is not shut in (cage/),
a line for each.
"""

import gc
import os
import signal
import struct
import sys
from contextlib import suppress
from typing import BinaryIO

from audio.answers import HEAD
from audio.budget import Budget
from audio.clip_frame import unpack
from audio.codec import AUDIBLE, decode, wav
from cage import DECODER, User, shut_in, trim
from schemas import Refused

REQUEST = struct.Struct(">?I")

# Seconds of CPU after which the kernel kills the process: for a clip in which FFmpeg never returns, so that the (lower)
# budget is not checked. The kernel counts ticks: on a busy machine it kills after 0.8 to 1 times this value.
KILLED_SECONDS = 1.2
# In all clips together; the server replaces the process earlier. It holds for what ends the timer of a clip.
LIFE_SECONDS = 300
MEMORY = 384 * 2**20  # bytes of address space; the libraries take 130 MiB, the worst clip that is no bomb 165


def serve(user: str = "") -> None:
    """Answer requests until stdin closes, as `user` (UID:GID) if root started this process."""
    clips, answers = sys.stdin.buffer, _take_stdout()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # an ignored signal is inherited
    _rehearse()
    gc.freeze()  # what is there now stays: each collection looks only at what a clip left
    missing = shut_in(DECODER, User.parsed(user) if user else None, AS=MEMORY, CPU=LIFE_SECONDS)
    with suppress(BrokenPipeError):  # the server is gone
        _answer(answers, True, 0.0, "\n".join(missing).encode())
        while request := clips.read(REQUEST.size):
            packed, length = REQUEST.unpack(request)
            _serve_one(packed, clips.read(length), answers)
            _give_memory_back()


def _rehearse() -> None:
    """Decode a clip: PyAV imports some of its modules only then, which is not possible later."""
    decode(wav(struct.pack("<4800h", *[AUDIBLE, -AUDIBLE] * 2400)))


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


def _give_memory_back() -> None:
    """Be as small as before the clip: a refusal holds the frames of what it refused in a cycle."""
    gc.collect()
    trim()


def _answer(answers: BinaryIO, decoded: bool, seconds: float, payload: bytes) -> None:
    answers.write(HEAD.pack(decoded, seconds, len(payload)))
    answers.write(payload)
    answers.flush()
