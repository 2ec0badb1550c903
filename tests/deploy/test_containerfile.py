"""What the Containerfile says; test_started.py builds it."""

import configparser
import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "deploy" / "Containerfile").read_text().replace("\\\n", "").splitlines()
READ = {".css", ".html", ".js", ".json", ".lua", ".svg"}
NOT_INSTALLED = {"clients.js", "clients.js.test"}
"""Folders of which no server reads anything, or one file that is named by itself."""
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def test_what_is_installed_is_known_by_its_hash() -> None:
    """Each installation asks for hashes and takes wheels alone, but that of our own package."""
    installs = [line for line in LINES if "/pip " in line and " install " in line]
    hashed = [line for line in installs if "--require-hashes" in line]
    assert {re.search(r"requirements/(\w+)\.txt", line)[1] for line in hashed} == {"server", "local"}  # type: ignore[index]
    assert all("--only-binary :all:" in line for line in hashed)
    ours = [line for line in installs if line not in hashed]
    assert len(ours) == len(hashed)
    assert all("--no-deps --no-build-isolation ." in line for line in ours)


def test_what_is_sent_to_the_builder_is_the_package() -> None:
    """All packages, and no environment, no history and no secret beside them."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    packages = {name.strip("* ") for name in setup["options.packages.find"]["include"].split(",")}
    sent = {line[1:] for line in IGNORED if line.startswith("!")}
    assert IGNORED[0] == "*"
    assert packages <= sent
    assert sent - packages == {
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "requirements",
        "setup.cfg",
        "supervisor.py",
    }


def test_what_a_package_reads_is_installed_with_it() -> None:
    """Each file beside the code is named in setup.cfg: a checkout has them all, and an installation only those."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = {
        (package, pattern.strip())
        for package, patterns in setup["options.package_data"].items()
        for pattern in patterns.split(",")
    }
    tops = {name.strip("* ") for name in setup["options.packages.find"]["include"].split(",")}
    for file in (file for top in tops for file in (ROOT / top).rglob("*") if file.is_file()):
        folder = file.parent.relative_to(ROOT).parts
        if file.suffix not in READ or ".".join(folder) in NOT_INSTALLED:
            continue
        places = {
            (".".join(folder[:depth]), "/".join((*folder[depth:], file.name))) for depth in range(1, len(folder) + 1)
        }
        assert any(package == at and fnmatch(name, pattern) for package, pattern in named for at, name in places), file


def test_the_last_stages_only_copy() -> None:
    """What installs is left behind, and who serves is not root."""
    last = LINES[LINES.index("FROM served AS local") :]
    assert [line for line in last if line] == [
        "FROM served AS local",
        "COPY --from=with-local /opt/persona-voice /opt/persona-voice",
        "FROM served AS server",
        "COPY --from=with-server /opt/persona-voice /opt/persona-voice",
    ]
    assert "USER 10001:10001" in LINES[LINES.index("FROM base AS served") :]
