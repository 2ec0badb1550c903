"""A process shuts itself in, or protects what it has."""

import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cage import Unknown, User, clean_environment, kernel, user_named
from cage.filters import BITS, EQUAL, REFUSE, RETURN, computing, reading
from cage.user import OVERFLOW
from tests.kit.process import START_SECONDS

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the cage is made of calls of Linux")
ROOT = Path(__file__).parents[2]
AS_NOBODY = """
import os, sys
from cage import *
from cage import kernel
from cage.processes import _become
_become(User(65534, 65534))
"""


@contextmanager
def process(code: str) -> Iterator[subprocess.Popen[str]]:
    """A process of an ordinary user that runs some code, and ends with its stdin."""
    command = [sys.executable, "-c", AS_NOBODY + code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=clean_environment()
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def done(code: str) -> str:
    """What a process that runs some code says in the end: "done", or its first error."""
    with process(f"try:\n    {code}\n    print('done')\nexcept Exception as error:\n    print(error)") as one:
        return one.communicate(timeout=START_SECONDS)[0].strip()


def says(one: subprocess.Popen[str], order: str = "") -> str:
    """The next line of a process, after one to it."""
    assert one.stdin
    assert one.stdout
    one.stdin.write(f"{order}\n")
    one.stdin.flush()
    return one.stdout.readline().strip()


@LINUX
def test_who_protects_themselves_is_not_looked_at_by_their_own_user() -> None:
    """The environment and the memory of the server are closed to a decoder without a cage; to root they are not."""
    code = "kernel.set_dumpable(True)\nfor line in sys.stdin:\n    exec(line)\n    print('ready', flush=True)"
    with process(code) as one:
        look = f"open('/proc/{one.pid}/environ', 'rb').read()"
        assert says(one) == "ready"
        assert done(look) == "done"
        assert says(one, "protect()") == "ready"
        assert "Permission denied" in done(look)
        status = Path(f"/proc/{one.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status


@LINUX
def test_the_command_line_protects_itself() -> None:
    """Every command, because its environment may have keys."""
    show = "import sys; sys.argv[1:] = ['--version']\nfrom cli import main\ntry:\n    main()\nfinally:\n"
    show += "    print(open('/proc/self/status').read(), __import__('resource').getrlimit(4))"
    told = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "NoNewPrivs:\t1" in told
    assert "(0, 0)" in told


@LINUX
@pytest.mark.parametrize(
    ("attempt", "refused"),
    [
        (f"open({str(ROOT / 'setup.cfg')!r}).read()", False),
        (f"os.open({str(ROOT / 'setup.cfg')!r}, os.O_RDWR)", True),
        ("os.open('/tmp/new', os.O_CREAT)", True),
        ("os.unlink('/tmp/new')", True),
        ("open('/etc/hostname').read()", True),
        ("__import__('socket').socket()", True),
        ("os.fork()", True),
        ("os.kill(os.getpid(), 0)", True),
        ("__import__('resource').setrlimit(7, (9, 9))", True),
    ],
)
def test_the_reader_of_personas_reads_python_and_no_more(attempt: str, refused: bool) -> None:
    """It imports, and reads what came with the packages; the file of personas comes to it by a pipe."""
    if "hostname" in attempt and not kernel.landlock_version():
        pytest.skip("this kernel has no Landlock")
    told = done(f"assert shut_in(READER) == [] or not kernel.landlock_version(); {attempt}")
    assert (told != "done") is refused, told


def test_a_clean_environment_has_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the import path; nothing else, so that no key is passed on because somebody forgot it."""
    for name in ("SOME_API_KEY", "ENGINE_PACE", "TZ"):
        monkeypatch.setenv(name, "x")
    clean = clean_environment("TZ", prefixes=("ENGINE_",))
    assert clean.keys() >= {"PATH", "PYTHONPATH", "TZ", "ENGINE_PACE"}
    assert "SOME_API_KEY" not in clean
    assert "ENGINE_PACE" not in clean_environment()


def test_a_user_has_a_name_or_a_number() -> None:
    """Nobody is always somebody."""
    assert user_named("root") == User(0, 0)
    assert user_named("0") == User(0, 0)
    assert user_named("nobody").uid > 0
    assert user_named("61234") == User(61234, 61234)
    assert User.parsed(str(User(5, 6))) == User(5, 6)
    with pytest.raises(Unknown, match="no such person"):
        user_named("no such person")


def test_where_no_file_names_nobody_it_is_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container of one program."""
    monkeypatch.setattr("pwd.getpwnam", {}.__getitem__)
    assert user_named("nobody") == User(OVERFLOW, OVERFLOW)


@pytest.mark.parametrize("make", [computing, reading])
def test_the_filter_is_made_for_machines_whose_numbers_are_known(make: Callable[[str], Any]) -> None:
    """Jumps lead to instructions of the program, and its last one refuses."""
    assert make("sparc") is None
    for machine in ("x86_64", "aarch64"):
        steps = list(struct.iter_unpack("=HBBI", make(machine)))
        jumps = [number + 1 + max(step[1:3]) for number, step in enumerate(steps) if step[0] in (EQUAL, BITS)]
        assert max(jumps) < len(steps)
        assert steps[-1] == (RETURN, 0, 0, REFUSE)
