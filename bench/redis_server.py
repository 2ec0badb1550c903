"""A Redis of its own for a measurement: on a unix socket, nothing on disk."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def redis() -> Iterator[str]:
    """The address of one that runs while the context is open."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("no redis-server: apt-get install redis-server")
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        socket = Path(folder) / "socket"
        command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            yield f"unix://{socket}"
        finally:
            process.kill()
            process.wait()
