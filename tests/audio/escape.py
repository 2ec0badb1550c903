"""Code that has taken over a decoder, and tries to get out: the tested process runs `serve` in place of the real one.

It is the real worker with the real cage; only instead of decoding a clip it does what the clip says, and its answer
says in place of PCM how that went: "done", or the error of the system.
"""

import ctypes
import mmap
import os
import resource
import signal
import socket
from collections.abc import Callable

import audio.worker
from audio.budget import Budget

WORKER = vars(audio.worker)
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE, PROCESS_VM_READV = "ptrace", "process_vm_readv"
SEIZE, READ_WRITE_EXECUTE = 0x4206, 7
IO_URING_SETUP, MEMFD_CREATE, USERFAULTFD, BPF, UNSHARE = (425, 425), (319, 279), (323, 282), (321, 280), (272, 97)
NEW_USER = 0x10000000


def serve(*user: str) -> None:
    """Serve as a worker does, and obey instead of decoding once the cage is shut."""

    def taken_over(*args: object, **limits: int) -> list[str]:
        missing: list[str] = shut_in(*args, **limits)
        WORKER["decode"] = obey
        return missing

    shut_in = WORKER["shut_in"]
    WORKER["shut_in"] = taken_over
    audio.worker.serve(*user)


def serve_free(*user: str) -> None:
    """The same without a cage: what is tried is possible there."""
    WORKER["shut_in"] = lambda *_, **__: []
    serve(*user)


def obey(order: bytes, budget: Budget) -> bytes:
    """Do one of WAYS, with an argument; returns how it went."""
    name, _, argument = order.decode().partition(" ")
    try:
        (WAYS | TRICKS)[name](argument)
    except (OSError, ValueError, ImportError) as error:  # ValueError of `resource`
        went = f"{type(error).__name__}: {error}".encode()
        return went + b" " * (len(went) % 2)  # as samples of two bytes
    return b"done"


def read_the_key(server: str) -> None:
    """Of the server, from its environment."""
    with open(f"/proc/{server}/environ", "rb", buffering=0) as file:
        file.read()


def read_a_file(path: str) -> None:
    """Such as the private key of TLS."""
    os.close(os.open(path, os.O_RDONLY))


def write_a_file(path: str) -> None:
    """Such as the server's code, or a new one beside it."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def list_a_folder(path: str) -> None:
    """Where files are."""
    os.listdir(path)


def connect(port: str) -> None:
    """To somebody by TCP."""
    with socket.socket() as caller:
        caller.connect(("127.0.0.1", int(port)))


def send(port: str) -> None:
    """A datagram: DNS is enough to tell a secret."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"secret", ("127.0.0.1", int(port)))


def fork(_: str) -> None:
    """To go on when this process is ended."""
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)


def execute(path: str) -> None:
    """Another program."""
    os.waitpid(os.posix_spawn(path, [path], {}), 0)


def lift_a_limit(_: str) -> None:
    """That of memory."""
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    more = most if most == resource.RLIM_INFINITY else most + 2**30
    resource.setrlimit(resource.RLIMIT_AS, (more, more))


def limit_another(process: str) -> None:
    """The server: with no files it serves nobody."""
    resource.prlimit(int(process), resource.RLIMIT_NOFILE, resource.prlimit(int(process), resource.RLIMIT_NOFILE))


def signal_another(process: str) -> None:
    """Whether the server, or a neighbour, could be ended."""
    os.kill(int(process), 0)


def trace_another(process: str) -> None:
    """With ptrace one reads and writes all that it has."""
    _call(PTRACE, SEIZE, int(process), 0, 0)


def read_memory(process: str) -> None:
    """Of which the beginning is not even mapped: EFAULT says that it would be possible."""
    here = (ctypes.c_size_t * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
    there = (ctypes.c_size_t * 2)(8, 8)
    try:
        _call(PROCESS_VM_READV, int(process), ctypes.addressof(here), 1, ctypes.addressof(there), 1, 0)
    except OSError as error:
        if error.strerror != os.strerror(14):
            raise


def run_written_memory(_: str) -> None:
    """Code of one's own, beyond what is loaded."""
    mmap.mmap(-1, 4096, prot=READ_WRITE_EXECUTE).close()


def make_a_file_in_memory(_: str) -> None:
    """Which could be executed."""
    os.close(_system_call(MEMFD_CREATE, ctypes.addressof(ctypes.create_string_buffer(b"x")), 0))


def make_a_ring(_: str) -> None:
    """By io_uring the kernel would make calls that no filter sees."""
    os.close(_system_call(IO_URING_SETUP, 4, ctypes.addressof(ctypes.create_string_buffer(256))))


def be_root_elsewhere(_: str) -> None:
    """A user namespace, from which one has all rights over some of the kernel."""
    _system_call(UNSHARE, NEW_USER)


def go_on_for_ever(_: str) -> None:
    """Also when the timer of a clip is stopped."""
    signal.setitimer(signal.ITIMER_PROF, 0)
    while True:
        pass


def hang_up(_: str) -> None:
    """And go on: who waits for the end of the process waits long."""
    for handle in (0, 1, 3):
        os.close(handle)
    go_on_for_ever("")


def answer(lie: str) -> None:
    """What no decoder answers, in hexadecimal digits."""
    WORKER["_answer"] = lambda answers, *_: (answers.write(bytes.fromhex(lie)), answers.flush())


def find_the_key_at_home(_: str) -> None:
    """In its own environment."""
    if not any("API_KEY" in name for name in os.environ):
        raise OSError(2, "there is none")


def find_a_handle(_: str) -> None:
    """That the server forgot to close: everything beyond stdin, stdout, stderr and the copy of stdout."""
    for handle in range(4, 1024):
        try:
            os.fstat(handle)
        except OSError:
            continue
        return
    raise OSError(9, "there is none")


WAYS: dict[str, Callable[[str], None]] = {
    way.__name__: way
    for way in (
        read_the_key, read_a_file, write_a_file, list_a_folder, connect, send, fork, execute, lift_a_limit,
        limit_another, signal_another, trace_another, read_memory, run_written_memory, make_a_file_in_memory,
        make_a_ring, be_root_elsewhere, find_the_key_at_home, find_a_handle,
    )
}  # fmt: skip

TRICKS = {trick.__name__: trick for trick in (go_on_for_ever, hang_up, answer)}
"""What needs no system call that a decoder does not need."""


def _system_call(numbers: tuple[int, int], *values: int) -> int:
    return _call("syscall", numbers[os.uname().machine == "aarch64"], *values)


def _call(name: str, *values: int) -> int:
    result = int(getattr(LIBC, name)(*map(ctypes.c_long, values)))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
