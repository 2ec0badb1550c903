"""The CPU budget of a clip, and where it is checked."""

import pytest

from audio.budget import Budget, BudgetedFile
from audio.codec import decode
from schemas import Refused
from tests.audio import costly
from tests.audio.sounds import clip


class Clock:
    """A clock that advances by one second each time it is read."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_what_is_used_up_is_refused() -> None:
    """`check` raises once the limit is exceeded, with a sentence that says what to do."""
    budget = Budget(3, Clock())
    for _ in range(3):
        budget.check()
    with pytest.raises(Refused, match="send it in shorter parts") as refused:
        budget.check()
    assert refused.value.code == "audio_undecodable"


def test_a_file_ends_where_the_budget_does() -> None:
    """The file reports its end, which stops a demuxer that only reads."""
    file = BudgetedFile(b"abc", Budget(2, Clock()))
    assert (file.read(1), file.read(1), file.read(1)) == (b"a", b"b", b"")
    file.seek(0)
    assert file.read() == b""


@pytest.mark.thorough
def test_what_ends_is_told_to_nobody_but_the_caller(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is logged, however often a demuxer tries again."""
    for name in ("chunks_of_wav", "fragments_of_mp4", "tags_of_wav"):
        with pytest.raises(Refused, match="takes too much work"):
            decode({**costly.FINE, **costly.COARSE}[name](), Budget(20, Clock()))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["empty_frames_of_aac", "other_track_of_webm", "chunks_of_wav", "tiny_frames_of_flac"])
def test_it_is_asked_often(name: str) -> None:
    """Decoding such a clip checks the budget so often that a hundred checks are enough to end it."""
    content = costly.FINE[name]()
    with pytest.raises(Refused, match="takes too much work"):
        decode(content, Budget(100, Clock()))


def test_an_ordinary_clip_is_asked_as_well() -> None:
    """Ordinary clips are checked in the same way."""
    with pytest.raises(Refused, match="takes too much work"):
        decode(clip("en_proposal.m4a"), Budget(20, Clock()))


@pytest.mark.parametrize("name", ["rates_of_aac", "channels_of_aac", "rates_of_mp3", "rates_of_flac"])
def test_a_clip_that_changes_all_the_time_is_refused(name: str) -> None:
    """Each change of format needs a resampler; the clip is refused long before its budget ends."""
    with pytest.raises(Refused, match="changes its rate or channels"):
        decode(costly.FINE[name](), Budget(1e9))
