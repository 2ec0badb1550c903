"""The commands as somebody types them who has read nothing."""

import configparser
import os
import socket
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from cli.call import Script, place
from cli.demo import CALLS, CLIPS
from cli.name import command_name
from engine.installed import PACKAGES
from phone import CallEnded
from tests.kit.four import MOHIT
from tests.kit.ports import free_port
from tests.kit.shore import Porter, shore
from tests.kit.story import WITHIN, run

ROOT = Path(__file__).parents[2]
CLIP = CLIPS / "en_proposal.m4a"


def command(*args: str) -> tuple[int, str]:
    """The exit code, and all that was written; in lines as wide as they are."""
    done = CliRunner().invoke(app, args, env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_the_version_is_told() -> None:
    """And nothing is started."""
    code, told = command("--version")
    assert code == 0
    assert told.startswith("persona-voice-server ")


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "localhost:{}", "http://127.0.0.1:{}/", "ws://127.0.0.1:{}"])
def test_a_call_to_nobody_says_how_to_start_a_server(tmp_path: Path, address: str) -> None:
    """However the address is written, also without a scheme."""
    url = address.format(free_port())
    call = ("call", "--astrologer", MOHIT, "--audio", str(CLIP), "--out", str(tmp_path), "--url", url)
    code, told = command(*call)
    assert code == 1
    assert "no server answers at ws://" in told
    assert "start one with make run" in told


@pytest.mark.parametrize(
    "args", [("call", "--astrologer", MOHIT, "--audio", str(CLIP), "--out"), ("demo", "--no-patient", "--out")]
)
def test_a_file_is_no_folder_for_the_replies(tmp_path: Path, args: tuple[str, ...]) -> None:
    """It is told before anybody is called, and the file stays as it is."""
    file = tmp_path / "file"
    file.write_text("mine")
    code, told = command(*args, str(file))
    assert code == 2
    assert "is a file" in told.replace("\n", " ")
    assert file.read_text() == "mine"


@pytest.mark.parametrize("user", ["a b", "a/b", "a?b", "x" * 129])
def test_a_user_id_that_is_none_is_refused_with_the_reason(tmp_path: Path, user: str) -> None:
    """The server's own sentence says which signs there may be."""

    async def story() -> None:
        async with shore(Porter(lambda caller: caller)) as address:
            script = Script(f"ws://{address}", user, MOHIT, (CLIP,), tmp_path)
            with pytest.raises(CallEnded, match="the server refused it with 400: The user id may hold"):
                await place(script, lambda event, facts: None)

    run(story())


def test_a_taken_port_is_told_before_anything_is_loaded() -> None:
    """To load the models takes seconds."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        code, told = command("engine", "--port", str(listener.getsockname()[1]))
    assert code == 1
    assert "Cannot listen on 127.0.0.1:" in told
    assert "loading" not in told


@pytest.mark.parametrize("package", PACKAGES)
def test_without_the_extra_the_engine_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Each of its packages is looked for before it is needed."""
    monkeypatch.setitem(sys.modules, package, None)
    code, told = command("engine", "--port", "0")
    assert code == 1
    assert f"({package} missing)" in told
    assert 'pip install "persona-voice-server[local]"' in told


@pytest.mark.thorough
def test_without_the_extra_the_server_says_so_too(tmp_path: Path) -> None:
    """And which other model may answer."""
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({PACKAGES!r}))\n")
    ours = {name: value for name, value in os.environ.items() if name not in ("OPENAI_API_KEY", "UPSTREAM_URL")}
    done = subprocess.run(
        [sys.executable, "-m", "supervisor", "serve", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=3 * WITHIN,
        env={**ours, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        check=False,
    )
    assert done.returncode == 2
    assert 'pip install "persona-voice-server[local]"' in done.stderr
    assert "OPENAI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("started_as", "name"),
    [
        ("/opt/tool/bin/persona-voice-server", "persona-voice-server"),
        ("persona-voice-server.exe", "persona-voice-server"),
        ("/work/supervisor.py", "python -m supervisor"),
        ("-m", "python -m supervisor"),
        ("/usr/bin/pytest", "python -m supervisor"),
    ],
)
def test_a_command_calls_itself_as_it_was_started(started_as: str, name: str) -> None:
    """The script of a wheel by its name."""
    assert command_name(started_as) == name


def test_a_wheel_has_the_recordings_of_the_demo() -> None:
    """They lie in a package that is packed, and their names are among its data."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    packed = setup["options.packages.find"]["include"].replace(",", " ").split()
    data = setup["options.package_data"][CLIPS.name].replace(",", " ").split()
    assert CLIPS.name in packed
    assert (CLIPS / "__init__.py").exists()
    for name in (name for _, _, names in CALLS for name in names):
        assert any(fnmatch(name, pattern) for pattern in data)
