"""The parsers that are fuzzed: they take what strangers send, and a target that fails is seen."""

import random
from pathlib import Path

import pytest

from tests.hostile import fuzz
from tests.hostile.fuzz import LONGEST, changed, watched
from tests.hostile.targets import TARGETS
from tests.kit.examples import examples


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_fails(name: str) -> None:
    """Of the seeds, and of what comes of them by chance."""
    target, chance = TARGETS[name], random.Random(20_261_130)
    seeds = target.seeds()
    for seed in seeds:
        target.run(seed)
    for _ in range(examples(600)):
        target.run(changed(chance, chance.choice(seeds), chance.choice(seeds))[:4000])


def test_an_input_that_fails_is_printed_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And ends the fuzzing."""
    monkeypatch.setattr(fuzz, "KEPT", tmp_path)

    def hates(data: bytes) -> None:
        if b"\xff" in data:
            raise ZeroDivisionError("that byte")

    with pytest.raises(ZeroDivisionError):
        fuzz.by_chance(watched(hates), [b"hello"], 60, seed=1)
    (kept,) = tmp_path.iterdir()
    assert b"\xff" in kept.read_bytes()
    said = capsys.readouterr().out
    assert fuzz.FAILED.search(said)
    assert "ZeroDivisionError: that byte" in said
    assert str(kept) in said


def test_inputs_stay_within_their_length() -> None:
    """Whatever is doubled."""
    chance = random.Random(7)
    assert max(len(changed(chance, bytes(LONGEST), b"x" * 99)) for _ in range(100)) == LONGEST
