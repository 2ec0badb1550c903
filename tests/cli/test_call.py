"""`call`: what it says when a call fails."""

import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner
from websockets.sync.server import ServerConnection, serve

from cli import app
from phone.phone import Phone
from tests.kit.exchange import CLIPS


def test_a_server_that_says_nothing_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure itself has no words: they are those of the command."""
    monkeypatch.setattr(Phone.hear, "__defaults__", (0.2,))

    def silent(call: ServerConnection) -> None:
        for _ in call:
            pass

    with serve(silent, "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        command = [
            "call",
            "--astrologer",
            "mohit_vedic_marriage",
            "--audio",
            str(CLIPS / "hi_love_me.m4a"),
            "--out",
            str(tmp_path),
            "--url",
            url,
        ]
        done = CliRunner().invoke(app, command)
    serving.join()
    assert done.exit_code == 1
    assert done.stderr.strip() == "The call failed: no answer in time"
