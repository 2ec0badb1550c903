"""Which system calls a process may make, as a program that the kernel runs before each of them (seccomp, BPF).

Every call that is not on the list fails with EPERM, so that a library that tries one falls back or reports it. Calls of
another architecture (32 bit) end the process. Sources: seccomp(2), linux/seccomp.h, linux/filter.h, linux/audit.h, and
the tables of system calls in arch/x86/entry/syscalls and scripts/syscall.tbl of Linux 6.18.
"""

import errno
import struct
from collections.abc import Iterable
from dataclasses import dataclass

# The calls of a process that computes: memory, time, and files that are open already. Numbers of x86_64 and aarch64.
COMPUTING = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "brk": (12, 214),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "restart_syscall": (219, 128),
    "setitimer": (38, 103),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "getrandom": (318, 278),
    "futex": (202, 98),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
# And of one that also looks for files and reads them. aarch64 has no calls of the old kind: -1 is no call at all.
LOOKING = {
    "stat": (4, -1),
    "lstat": (6, -1),
    "access": (21, -1),
    "readlink": (89, -1),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlinkat": (267, 78),
    "getdents64": (217, 61),
    "pread64": (17, 67),
    "fcntl": (72, 25),
    "getcwd": (79, 17),
}
MMAP, MPROTECT, OPENAT, IOCTL = (9, 222), (10, 226), (257, 56), (16, 29)

PROT_EXEC = 4
WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
# FIOCLEX is how Python closes a file at exec. What has other bits, such as TIOCSTI, is refused.
BEYOND_FIOCLEX = 2**32 - 1 - 0x5451

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, name in linux/audit.h

# Instructions of BPF: load a word of seccomp_data, jump if equal, jump if a bit is set, return.
LOAD, EQUAL, BITS, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in seccomp_data; an argument has 8 bytes, the low word first
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM


@dataclass(frozen=True, slots=True)
class Unless:
    """A call that is allowed unless one of these bits is set in one of its arguments (counted from 0)."""

    call: int
    argument: int
    bits: int


def computing(machine: str) -> bytes | None:
    """The program of a process that computes, and opens and starts nothing; None for an unknown machine."""
    if machine not in ARCHITECTURES:
        return None
    column, architecture = ARCHITECTURES[machine]
    # No new code: neither memory that is mapped to be run, nor memory that becomes so.
    unless = [Unless(MMAP[column], 2, PROT_EXEC), Unless(MPROTECT[column], 2, PROT_EXEC)]
    return program(architecture, (numbers[column] for numbers in COMPUTING.values()), unless)


def reading(machine: str) -> bytes | None:
    """The program of a process that also reads files, libraries among them; None for an unknown machine."""
    if machine not in ARCHITECTURES:
        return None
    column, architecture = ARCHITECTURES[machine]
    calls = [numbers[column] for numbers in [*COMPUTING.values(), *LOOKING.values(), MMAP, MPROTECT]]
    unless = [Unless(OPENAT[column], 2, WRITING), Unless(IOCTL[column], 1, BEYOND_FIOCLEX)]
    return program(architecture, calls, unless)


def program(architecture: int, calls: Iterable[int], unless: Iterable[Unless]) -> bytes:
    """An array of `struct sock_filter` that allows these calls."""
    steps = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    for one in unless:
        steps += [(EQUAL, 0, 4, one.call), (LOAD, 0, 0, ARGUMENTS + 8 * one.argument)]
        steps += [(BITS, 0, 1, one.bits), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    for call in calls:
        if call >= 0:
            steps += [(EQUAL, 0, 1, call), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in [*steps, (RETURN, 0, 0, REFUSE)])
