"""How a process is shut in, as it does itself once it has loaded what it needs. Nothing of it can be undone.

    layer            stops                                                            needs
    own user         reading and signalling the server's processes, its files         a server started by root
    Landlock         files, TCP, signals to others                                    Linux 5.13; TCP 6.7, signals 6.12
    limits           new files, sockets, processes; memory, CPU; core dumps           nothing
    seccomp          every system call that is not on the list of `filters.py`        Linux on x86_64 or aarch64

A layer that the system does not have is reported and left out: the others stop most of what it would.
"""

import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from cage import filters, kernel
from cage.user import User

OOM_SCORE = "/proc/self/oom_score_adj"
SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime")
"""Where libraries lie, and the zones of time, beside the entries of `sys.path`."""


@dataclass(frozen=True, slots=True)
class Cage:
    """What a kind of process may do. `limits` are hard ones, by the names of `resource` without RLIMIT_.

    `oom` is its place among those that the kernel ends when memory runs out: 1000 is the first.
    """

    calls: Callable[[str], bytes | None]
    limits: Mapping[str, int]
    reads: bool = False
    """True if it may read the files of Python, its packages and the system."""
    oom: int = 1000
    dropped: tuple[str, ...] = field(default=("CORE", "MEMLOCK", "MSGQUEUE", "NICE", "RTPRIO"))
    """Limits that are 0 for every kind."""


# Also with no file to be opened a process can use those that it has.
DECODER = Cage(filters.computing, {"NOFILE": 0, "FSIZE": 0, "NPROC": 0})
READER = Cage(filters.reading, {"NOFILE": 64, "FSIZE": 0, "NPROC": 0}, reads=True, oom=500)


def shut_in(cage: Cage, user: User | None = None, **limits: int) -> list[str]:
    """Shut this process in, with more or other `limits`. Returns what the system could not do, a sentence for each.

    It goes on as `user` if root has started it. To be called while there is one thread.
    """
    missing = []
    _be_killed_first(cage.oom)
    layers: list[tuple[str, Callable[[], None]]] = [
        ("no user of its own", lambda: _become(user)),
        ("new privileges are possible", kernel.give_up_privileges),
        ("it may be looked at", lambda: kernel.set_dumpable(False)),
        ("no Landlock", lambda: kernel.restrict(_readable() if cage.reads else ())),
        ("no limits", lambda: _limit({**dict.fromkeys(cage.dropped, 0), **cage.limits, **limits})),
        ("no filter of system calls", lambda: _filter_calls(cage)),
    ]
    for without, layer in layers:
        try:
            layer()
        except OSError as error:
            missing.append(f"{without} ({error.strerror})")
    return missing


def protect() -> None:
    """Protect this process, which has keys, as far as the system can.

    It leaves no core dump, nobody but root may look at it (ptrace, /proc/PID/environ), and nothing that it starts gains
    rights.
    """
    _limit({"CORE": 0})
    with suppress(OSError):
        kernel.set_dumpable(False)
        kernel.give_up_privileges()


def _become(user: User | None) -> None:
    if user is None or os.geteuid() != 0:
        return
    try:
        os.setgroups([])
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:  # a container without these rights, or without that user
        raise OSError(error.errno, f"{error.strerror}: {user}") from None


def _limit(limits: Mapping[str, int]) -> None:
    """Set each limit, soft and hard, where the system has it and it was not lower before."""
    for name, most in limits.items():
        if (kind := getattr(resource, f"RLIMIT_{name}", None)) is not None:
            _, hard = resource.getrlimit(kind)
            lowest = most if hard == resource.RLIM_INFINITY else min(most, hard)
            with suppress(ValueError):  # raised where the system has the limit and does not let it be so low
                resource.setrlimit(kind, (lowest, lowest))


def _filter_calls(cage: Cage) -> None:
    program = cage.calls(os.uname().machine)
    if program is None:
        raise OSError(0, f"unknown for {os.uname().machine}")
    kernel.filter_calls(program)


def _readable() -> Iterator[str]:
    yield from (entry for entry in sys.path if entry)
    yield from (sys.prefix, sys.base_prefix, *SYSTEM)


def _be_killed_first(score: int) -> None:
    with suppress(OSError), open(OOM_SCORE, "w") as file:
        file.write(str(score))
