"""The calls of the Linux kernel by which a process restricts itself: prctl(2), seccomp(2), landlock(7).

Each raises OSError where the kernel refuses it, or has no such call. Other systems have none of them: ENOSYS.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Iterable

SET_PDEATHSIG, SET_DUMPABLE, SET_SECCOMP, SET_NO_NEW_PRIVS = 1, 4, 22, 38  # of linux/prctl.h
MODE_FILTER = 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
VERSION, PATH_BENEATH = 1, 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3

# All rights over files that a version of Landlock knows; then those over TCP (from 4) and the scopes (from 6: signals
# and abstract sockets of processes outside). See include/uapi/linux/landlock.h.
FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
NETWORK, SCOPES = {4: 0b11}, {6: 0b11}


class Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


class Ruleset(ctypes.Structure):
    """`struct landlock_ruleset_attr`: what is forbidden as far as no rule allows it."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class Beneath(ctypes.Structure):
    """`struct landlock_path_beneath_attr`."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def set_dumpable(dumpable: bool) -> None:
    """False: no core dumps, and nobody but root may look at this process, also not its own user in /proc."""
    _prctl(SET_DUMPABLE, int(dumpable))


def die_with_parent(signal: int) -> None:
    """Be sent this signal when the thread that has started this process ends; also after an exec."""
    _prctl(SET_PDEATHSIG, signal)


def give_up_privileges() -> None:
    """Nothing that this process or its children start has more rights than it has itself."""
    _prctl(SET_NO_NEW_PRIVS, 1)


def filter_calls(program: bytes) -> None:
    """From now on this program decides which system calls the calling thread may make, see `filters.py`."""
    whole = Program(len(program) // 8, program)
    _prctl(SET_SECCOMP, MODE_FILTER, ctypes.addressof(whole))


def landlock_version() -> int:
    """The version of Landlock; 0 if the kernel has none."""
    try:
        return _syscall(CREATE_RULESET, 0, 0, VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[str] = ()) -> None:
    """Forbid this thread all files but those beneath `readable`, which may be read, TCP, and signals to others.

    TCP needs version 4 of Landlock, signals and abstract sockets version 6. Raises OSError without Landlock.
    """
    if not (version := landlock_version()):
        raise OSError(errno.ENOSYS, "there is no Landlock")
    handled = Ruleset(*(_newest(rights, version) for rights in (FILES, NETWORK, SCOPES)))
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _syscall(CREATE_RULESET, ctypes.addressof(handled), size, 0)
    try:
        for path in readable:
            _allow_reading(ruleset, path)
        _syscall(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow_reading(ruleset: int, path: str) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # there is no such file: nothing to allow
        return
    try:
        rule = Beneath(READ_FILE | (READ_DIR if os.path.isdir(path) else 0), folder)
        _syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.addressof(rule), 0)
    finally:
        os.close(folder)


def _newest(rights: dict[int, int], version: int) -> int:
    return next((rights[since] for since in sorted(rights, reverse=True) if since <= version), 0)


def _prctl(option: int, *values: int) -> None:
    _call("prctl", option, *values, *[0] * (4 - len(values)))


def _syscall(*values: int) -> int:
    return _call("syscall", *values)


def _call(name: str, *values: int) -> int:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    result = int(getattr(ctypes.CDLL(None, use_errno=True), name)(*map(ctypes.c_long, values)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
