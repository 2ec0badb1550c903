"""Servers started as deploy/ says: in a container's root, and by a systemd that is started for it alone."""

import json
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.kit.image import ROOT, Image, run
from tests.kit.ports import free_port
from tests.kit.process import NEVER_LATE, START_SECONDS, STOP_SECONDS, Server
from tests.kit.story import WITHIN

KEY = "k" * 32
PATIENT = {"API_KEY": KEY, "LATE_MS": str(NEVER_LATE), "ENGINE_WAIT": str(WITHIN), "DRAIN_SECONDS": "0"}
"""Closed to strangers, and on a busy machine no call is refused."""
UNIT = ROOT / "deploy" / "voice.service"
CONSOLE = "[Journal]\nForwardToConsole=yes\nTTYPath=/dev/console\n"
CGROUP2 = 'umount --recursive /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@" >&2'
"""A systemd in a container wants the unified hierarchy, whatever this machine has."""
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
STATUS = ("Uid", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")


def box(image: Image, environment: dict[str, str], *command: str) -> list[str]:
    """The command in the image's root: read only, as its user, without capabilities and new privileges."""
    words = ["bwrap", "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    words += ["--ro-bind", str(image.root), "/", "--proc", "/proc", "--dev", "/dev", "--clearenv", "--chdir", "/"]
    words += [word for pair in environment.items() for word in ("--setenv", *pair)]
    words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    words += ["setpriv", f"--reuid={image.user}", f"--regid={image.user}", "--clear-groups", "--no-new-privs"]
    return [*words, "--bounding-set=-all", "--inh-caps=-all", *command]


@contextmanager
def boxed(image: Image, **environment: str) -> Iterator[Server]:
    """Start its server in such a box, on a free port of every address, and see that it ends."""
    told = {**image.environment, **PATIENT, "PORT": str(free_port()), **environment}
    with _started(box(image, told, *image.command)) as server:
        yield server


@contextmanager
def booted(image: Image, *dropins: Path, **environment: str) -> Iterator[Server]:
    """Let a systemd start the unit, with these drop-ins, from the image's root, which is changed for that."""
    settings = {**PATIENT, "PORT": str(free_port()), **environment}
    etc = image.root / "etc"
    run(["chroot", str(image.root), "userdel", "--remove", "persona-voice"])  # the unit makes its own
    files = {etc / "systemd/system/voice.service": UNIT.read_text()}
    files |= {etc / f"systemd/system/voice.service.d/{file.name}": file.read_text() for file in dropins}
    files[etc / "systemd/journald.conf.d/console.conf"] = CONSOLE
    files[etc / "persona-voice/environment"] = "".join(f"{name}={value}\n" for name, value in settings.items())
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (etc / "persona-voice/environment").chmod(0o600)
    (etc / "machine-id").write_text("uninitialized\n")
    wanted = etc / "systemd/system/multi-user.target.wants/voice.service"
    wanted.parent.mkdir(exist_ok=True)
    wanted.symlink_to("../voice.service")
    machine = ["systemd-nspawn", "--quiet", f"--directory={image.root}", "--boot", "--register=no", "--keep-unit"]
    machine += [f"--machine=voice-{settings['PORT']}", f"--system-call-filter={LANDLOCK}"]
    with _started(["unshare", "--mount", "bash", "-c", CGROUP2, "bash", *machine]) as server:
        yield server


@contextmanager
def _started(command: list[str]) -> Iterator[Server]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    server = Server(process)
    reader = threading.Thread(target=server.read, daemon=True)
    reader.start()
    try:
        assert server.listening.wait(START_SECONDS), "".join(server.log)
        assert server.address, "".join(server.log)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()
            reader.join(5)
            assert process.stderr
            process.stderr.close()


def the_server(started: Server) -> psutil.Process:
    """The process that serves, below what was started."""
    processes = psutil.Process(started.process.pid).children(recursive=True)
    (found,) = [one for one in processes if one.cmdline()[1:] == ["-m", "supervisor", "serve"]]
    return found


def privileges(process: psutil.Process) -> dict[str, str]:
    """What the kernel says of a process: its users, capabilities and filters."""
    lines = [line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()]
    return {name: value.strip() for name, value in lines if name in STATUS}


def call(started: Server, folder: Path) -> str:
    """Place a call with a recording, with a token; returns what the command says. It must be answered."""
    port = started.address.rpartition(":")[2]
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/calls", b'{"user": "u1"}', {"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(asked, timeout=WITHIN) as answer:
        token = json.load(answer)["token"]
    command = [sys.executable, "-m", "supervisor", "call", "--url", f"ws://127.0.0.1:{port}", "--user", "u1"]
    command += ["--token", token, "--no-patient", "--astrologer", "mohit_vedic_marriage", "--out", str(folder)]
    command += ["--audio", str(ROOT / "clips" / "en_proposal.m4a")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * WITHIN, check=False, cwd=ROOT)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{''.join(started.log)}"
    return done.stdout
