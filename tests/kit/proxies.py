"""nginx as deploy/nginx.conf configures it, on other addresses, and HAProxy with a configuration: real ones."""

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.haproxy import find_haproxy
from tests.kit.process import Server
from tests.kit.story import WITHIN

NGINX_CONF = (Path(__file__).parents[2] / "deploy" / "nginx.conf").read_text()
NGINX = shutil.which("nginx")
NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Nginx:
    """One that runs, with its sockets and log in a folder, and a port."""

    folder: Path
    port: int
    front: Path

    @property
    def log(self) -> str:
        """The lines of its access log."""
        return (self.folder / "access.log").read_text()


def nginx_conf(folder: Path, port: int, changes: Mapping[str, str] = NONE, nodes: Sequence[str] = ()) -> str:
    """The example on this port, with sockets in a folder, also of the servers n1 and n2 unless `nodes` are given."""
    text = NGINX_CONF.replace("listen 127.0.0.1:8000", f"listen 127.0.0.1:{port}; listen unix:{folder}/front")
    places = dict[str, str]()
    for number in (1, 2):
        node, socket = f"127.0.0.1:800{number}", f"unix:{folder}/n{number}"
        address = nodes[number - 1] if nodes else socket
        places |= {f"{node}/": f"{address}/" if nodes else f"{socket}:/", node: address}
        places |= {f"127.0.0.1:80{gate}{number}": f"unix:{folder}/g{gate}{number}" for gate in (1, 2)}
    places |= {"set_real_ip_from 127.0.0.1": "set_real_ip_from unix:", "/run/nginx.pid": f"{folder}/pid"}
    places |= {"/var/log/nginx": str(folder), "worker_rlimit_nofile 65536;": "", "16384": "512"}
    for old, new in {**places, **changes}.items():
        assert old in text, old
        text = text.replace(old, new)
    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        text = text.replace("http {", f"http {{ {kind}_temp_path {folder}/{kind};", 1)
    return text


@contextmanager
def open_folder() -> Iterator[Path]:
    """For sockets, whose paths must be short, and for its workers, who are somebody else if root starts it."""
    with tempfile.TemporaryDirectory(prefix="ng") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def nginx(text: str, folder: Path, port: int) -> Iterator[Nginx]:
    """One that runs with this configuration, which it has checked."""
    assert NGINX
    file = folder / "nginx.conf"
    file.write_text(text)
    command = [NGINX, "-c", str(file), "-p", str(folder), "-e", str(folder / "error.log")]
    checked = subprocess.run([*command, "-t", "-q"], capture_output=True, text=True, check=False, timeout=WITHIN)
    assert checked.returncode == 0, checked.stderr
    (folder / "pid").unlink(missing_ok=True)  # the check has made one
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        deadline = time.monotonic() + WITHIN
        while not (folder / "pid").exists():  # then it listens
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield Nginx(folder, port, folder / "front")
    finally:
        process.terminate()
        process.wait(WITHIN)


@contextmanager
def haproxy(file: Path) -> Iterator[Server]:
    """One that runs with this configuration; what it says is in its log."""
    process = subprocess.Popen([find_haproxy(), "-db", "-f", str(file)], stderr=subprocess.PIPE, text=True)
    running = Server(process)
    reader = threading.Thread(target=running.read, daemon=True)
    reader.start()
    try:
        yield running
    finally:
        process.kill()
        process.wait(WITHIN)
        reader.join(WITHIN)
        assert process.stderr
        process.stderr.close()
