"""What CI and the container install is pinned by hash, and is what setup.cfg asks for."""

import configparser
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = {
    "server": ("cluster",),
    "local": ("local", "cluster"),
    "dev": ("local", "cluster", "otel", "testing", "dev"),
}
"""Each file of requirements/, and the extras that it has."""
PIN = re.compile(
    r"^([\w.-]+)==([\w.+!]+)((?: ; [^\\\n]+)?) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def pins(name: str) -> dict[str, list[tuple[str, str]]]:
    """The version and hashes of each package in a file; several where it depends on the machine."""
    found: dict[str, list[tuple[str, str]]] = {}
    for package, version, _, hashes in PIN.findall((ROOT / "requirements" / f"{name}.txt").read_text()):
        found.setdefault(canonicalize_name(package), []).append((version, hashes))
    return found


def asked(extras: tuple[str, ...]) -> Iterator[Requirement]:
    """What setup.cfg asks for."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].splitlines()
    for extra in extras:
        lines += setup["options.extras_require"][extra].splitlines()
    for line in lines:
        if line and not line.startswith("persona-voice-server"):
            yield Requirement(line)


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_pinned_is_what_is_asked_for(name: str) -> None:
    """After a change of setup.cfg: `make lock`."""
    pinned = pins(name)
    for requirement in asked(LOCKS[name]):
        versions = [version for version, _ in pinned.get(canonicalize_name(requirement.name), [])]
        assert versions, f"{requirement} is not in requirements/{name}.txt: make lock"
        assert all(map(requirement.specifier.contains, versions)), f"{requirement}: {versions}: make lock"
    assert "setuptools" in pinned


@pytest.mark.parametrize("name", [*LOCKS, "agents"])
def test_every_line_has_its_hashes_and_no_address(name: str) -> None:
    """Nothing is installed unseen, and the file says nothing about where it was made."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) == sum(map(len, pins(name).values())) > 0
    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted|^/", text, re.MULTILINE)


def test_all_files_agree() -> None:
    """Callers are served with what was tested."""
    dev = pins("dev")
    for name in ("server", "local"):
        assert {package: dev.get(package) for package in pins(name)} == pins(name)


def test_a_second_wheel_under_a_pinned_version_is_refused(tmp_path: Path) -> None:
    """Somebody who takes over a project may add a file to an old version: its hash is not known here."""
    (version, hashes), *_ = pins("server")["idna"]
    wheel = tmp_path / f"idna-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        info = f"idna-{version}.dist-info"
        file.writestr("idna/__init__.py", "raise SystemExit('not what was locked')")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: idna\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    told = {}
    for name, line in (("locked", f"idna=={version} \\\n{hashes}"), ("free", f"idna=={version}\n")):
        (tmp_path / name).write_text(line)
        options = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / f"{name}.site")]
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--isolated",
            "--no-deps",
            *options,
            "-r",
            str(tmp_path / name),
        ]
        told[name] = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PIP_CONFIG_FILE": os.devnull}
        )
    assert told["free"].returncode == 0, told["free"].stderr
    assert told["locked"].returncode == 1
    assert "DO NOT MATCH THE HASHES" in told["locked"].stderr
