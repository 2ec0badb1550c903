"""The image of deploy/Containerfile, built here by a real builder, on a Debian that is made here.

No registry is asked for a base image. Debian's mirror and the package index are.
"""

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
BUILD_SECONDS = 1800.0
FROM_TAR = "FROM scratch\nADD base.tar /\n"
SLIM = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "info", "locale", "lintian")]
"""What the slim image of Debian leaves out."""


def missing(*programs: str) -> str:
    """Why nothing can be built or started here; empty if it can be."""
    if lacking := [name for name in programs if not shutil.which(name)]:
        return f"no {', '.join(lacking)}: apt-get install mmdebstrap buildah bubblewrap systemd-container"
    if os.geteuid():
        return "only root can build an image and become another user"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "no mount namespaces here"
    return ""


@dataclass(frozen=True, slots=True)
class Image:
    """What was built: its files, and how a container of it is started."""

    root: Path
    user: int
    environment: dict[str, str]
    command: list[str]
    health: list[str]


class Builder:
    """Builds the targets of the Containerfile, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make_base(self, *packages: str) -> None:
        """A Debian 12, as its slim image has it, and these packages."""
        tar, include = self._folder / "base.tar", [f"--include={','.join(packages)}"] if packages else []
        run(["mmdebstrap", "--quiet", "--variant=minbase", *SLIM, *include, "bookworm", str(tar)])
        (self._folder / "Containerfile").write_text(FROM_TAR)
        self._buildah("bud", "--quiet", "--tag", "base", str(self._folder))
        tar.unlink()

    def build(self, target: str) -> Image:
        """Build a target; its files can be changed, and others do not see that."""
        trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
        (self._folder / "pip.conf").write_text("[global]\ncert = /trusted.pem\n")
        mounts = ["--volume", f"{trusted}:/trusted.pem:ro", "--volume", f"{self._folder}/pip.conf:/etc/pip.conf:ro"]
        where = ["--file", str(CONTAINERFILE), "--target", target, "--tag", target, str(ROOT)]
        base = ["--build-arg", "BASE=localhost/base"]
        self._buildah(
            "bud", "--quiet", "--layers", "--isolation", "chroot", "--format", "docker", *base, *mounts, *where
        )
        config = json.loads(self._buildah("inspect", "--type", "image", target))["Docker"]["config"]
        self._buildah("from", "--name", f"{target}-started", f"localhost/{target}")
        return Image(
            root=Path(self._buildah("mount", f"{target}-started").strip()),
            user=int(config["User"].partition(":")[0]),
            environment=dict(one.split("=", 1) for one in config["Env"]),
            command=[*config["Entrypoint"], *config["Cmd"]],
            health=config["Healthcheck"]["Test"][1:],
        )

    def forget(self) -> None:
        """Nothing stays mounted."""
        self._buildah("umount", "--all")
        self._buildah("rm", "--all")

    def _buildah(self, *words: str) -> str:
        places = ["--root", str(self._folder / "storage"), "--runroot", str(self._folder / "run")]
        return run(["buildah", *places, *words])


def run(command: Sequence[str]) -> str:
    """What a program prints; what it complains of, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@contextmanager
def builder(*packages: str) -> Iterator[Builder]:
    """One with a base that has these packages. It leaves nothing."""
    folder = Path(run(["mktemp", "--directory", "--tmpdir", "imageXXXXXX"]).strip())
    made = Builder(folder)
    try:
        made.make_base(*packages)
        yield made
    finally:
        made.forget()
        shutil.rmtree(folder)
