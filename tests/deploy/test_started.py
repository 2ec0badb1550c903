"""The server as the container and the unit start it: the image is built from deploy/, and real calls are placed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import boxes
from tests.kit.image import ROOT, Builder, Image, builder, missing
from tests.kit.ports import free_port
from tests.kit.process import STOP_SECONDS
from tests.kit.story import WITHIN

WHY_NOT = missing("mmdebstrap", "buildah", "bwrap", "setpriv", "systemd-nspawn")
pytestmark = [pytest.mark.thorough, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]
TOKEN = "t" * 32
DROP_IN = ROOT / "deploy" / "voice.service.d" / "local-engine.conf"
WRITABLE = """
import os, json
found = [at for at, *_ in os.walk("/") if os.access(at, os.W_OK) and not at.startswith(("/proc", "/dev"))]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def built() -> Iterator[Builder]:
    """A base with systemd, for the unit; the container does not use it."""
    with builder("systemd-sysv") as made:
        yield made


@pytest.fixture(scope="module")
def small(built: Builder) -> Image:
    """The target without the local engine."""
    return built.build("server")


@pytest.fixture(scope="module")
def large(built: Builder) -> Image:
    """The target with it."""
    return built.build("local")


@pytest.fixture(scope="module")
def upstream() -> Iterator[dict[str, str]]:
    """A local engine elsewhere: what a server is told to reach it."""
    command = [sys.executable, "-m", "supervisor", "engine", "--port", "0"]
    environment = {**os.environ, "LOCAL_ENGINE_TOKEN": TOKEN, "ENGINE_WAIT": str(WITHIN)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as engine:
        try:
            assert engine.stdout
            url = engine.stdout.readline().split()[-1]
            yield {"UPSTREAM_URL": url, "UPSTREAM_API_KEY": TOKEN}
        finally:
            engine.terminate()


def test_a_container_answers_a_call(small: Image, upstream: dict[str, str], tmp_path: Path) -> None:
    """As another user, without privileges, with nothing that it may write; its decoders are shut in whole."""
    with boxes.boxed(small, **upstream) as server:
        process = boxes.the_server(server)
        kept = boxes.privileges(process)
        assert "marriage proposal" in boxes.call(server, tmp_path)
        health = boxes.box(small, {"PORT": server.address.rpartition(":")[2]}, *small.health)
        assert subprocess.run(health, check=False, timeout=WITHIN).returncode == 0
        assert "with these gaps" not in "".join(server.log)
        process.terminate()
        assert server.process.wait(STOP_SECONDS) == 0
    nobody = boxes.box(small, {"PORT": str(free_port())}, *small.health)
    assert subprocess.run(nobody, check=False, timeout=WITHIN, stderr=subprocess.DEVNULL).returncode == 1
    assert kept["Uid"].split() == [str(small.user)] * 4 != ["0"] * 4
    assert {int(kept[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert kept["NoNewPrivs"] == "1"


def test_a_container_can_answer_by_itself(large: Image, tmp_path: Path) -> None:
    """With the local engine, in the same box."""
    with boxes.boxed(large) as server:
        assert "marriage proposal" in boxes.call(server, tmp_path)


def test_a_container_does_not_start_open(small: Image) -> None:
    """On every address, without keys: it says what to do, with exit code 2."""
    told = subprocess.run(
        boxes.box(small, small.environment, *small.command),
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN,
    )
    assert told.returncode == 2
    assert "API_KEY" in told.stderr


@pytest.mark.parametrize("target", ["small", "large"])
def test_an_image_has_no_tools(target: str, request: pytest.FixtureRequest) -> None:
    """No installer, no compiler, nothing that makes its caller root, and nothing that its user may write but home."""
    image: Image = request.getfixturevalue(target)
    names = {file.name for folder in ("usr/bin", "opt/persona-voice/bin") for file in (image.root / folder).iterdir()}
    assert not [name for name in names if re.fullmatch(r"(pip|gcc|g\+\+|cc|make|curl|wget|uv)[\d.-]*", name)]
    site = next((image.root / "opt/persona-voice/lib").glob("python3*/site-packages"))
    assert not list(site.glob("pip*"))
    assert not [file for file in image.root.rglob("*") if file.is_file() and file.lstat().st_mode & 0o6000]
    shown = subprocess.run(
        boxes.box(image, {}, "/usr/bin/python3", "-c", WRITABLE),
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN,
    )
    assert json.loads(shown.stdout) == []


def test_systemd_starts_the_unit(small: Image, upstream: dict[str, str], tmp_path: Path) -> None:
    """A real one, which has its user, its state and its log; budgets are kept where it may write."""
    with boxes.booted(small, BUDGET_FILE="/var/lib/persona-voice/budgets", **upstream) as server:
        process = boxes.the_server(server)
        kept = boxes.privileges(process)
        assert "marriage proposal" in boxes.call(server, tmp_path)
        assert "with these gaps" not in "".join(server.log)
        server.process.terminate()
        server.lines("serve: stopped", 1)
    assert int(kept["Uid"].split()[0]) > 60_000  # the range of users whom systemd makes
    assert {int(kept[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert (kept["NoNewPrivs"], kept["Seccomp"]) == ("1", "2")
    assert (small.root / "var/lib/private/persona-voice/budgets").stat().st_size


def test_systemd_starts_the_unit_with_the_local_engine(large: Image, tmp_path: Path) -> None:
    """With the drop-in, without which the ear cannot make its code."""
    with boxes.booted(large, DROP_IN) as server:
        assert "marriage proposal" in boxes.call(server, tmp_path)
