"""Of a webm or an m4a whose headers claim less, or more, than there is, all is heard."""

import re

import pytest

from audio.claims import with_true_sizes
from audio.codec import decode, seconds
from tests.audio.sounds import clip, encoded, likeness, speech

SPOKEN = speech()
WEBM = encoded(SPOKEN, "webm", "libopus", cluster_time_limit="1000")
FRAGMENTS = encoded(SPOKEN, "mp4", "aac", movflags="frag_keyframe+empty_moov+default_base_moof", frag_duration="200000")
M4A = encoded(SPOKEN, "ipod", "aac", 44_100)


def heard(file: bytes) -> None:
    """All of the speech is in it."""
    pcm = decode(file)
    assert seconds(pcm) == pytest.approx(seconds(SPOKEN), abs=0.15)
    assert likeness(pcm, SPOKEN) > 0.95


@pytest.mark.parametrize("claimed", [0, 1, 100, 1000, 2000])
def test_a_cluster_may_claim_less(claimed: int) -> None:
    """Each of a webm, or the first alone."""
    starts = [found.start() for found in re.finditer(rb"\x1fC\xb6u", WEBM)]
    assert len(starts) > 2
    for some in (starts, starts[:1], starts[-1:]):
        changed = bytearray(WEBM)
        for start in some:
            width = 9 - WEBM[start + 4].bit_length()
            size = (1 << 7 * width) | min(claimed, (1 << 7 * width) - 2)
            changed[start + 4 : start + 4 + width] = size.to_bytes(width)
        heard(bytes(changed))


@pytest.mark.parametrize("claimed", [0, 1, 7, 8, 100, 2000, 2**31])
@pytest.mark.parametrize("file", [M4A, FRAGMENTS], ids=["an index behind the data", "fragments"])
def test_the_data_may_claim_less_or_more(file: bytes, claimed: int) -> None:
    """A recorder that did not write its sizes in the end."""
    changed = bytearray(file)
    for found in re.finditer(rb"\0..(.)mdat", file, re.DOTALL):
        changed[found.start() : found.start() + 4] = claimed.to_bytes(4)
    heard(bytes(changed))


@pytest.mark.parametrize(
    "file",
    [WEBM, FRAGMENTS, M4A, *map(clip, ("en_proposal.webm", "en_proposal.m4a", "hi_love_me.webm", "hi_love_me.m4a"))],
)
def test_what_is_right_is_left_as_it_is(file: bytes) -> None:
    """Also if it was cut off, anywhere."""
    assert with_true_sizes(file) == file
    for cut in range(50, len(file), 997):
        assert with_true_sizes(file[:cut]) == file[:cut]


def test_a_file_that_is_cut_off_stays_as_long_as_it_is() -> None:
    """Also in the size of a cluster, or of the second of two files that were joined."""
    (segment,) = (found.end() for found in re.finditer(rb"\x18S\x80g", WEBM))
    (cluster, *_) = (found.end() for found in re.finditer(rb"\x1fC\xb6u", WEBM))
    for joined in (WEBM[: segment + 8], WEBM[: cluster + 8], M4A[:200]):
        for end in range(len(joined)):
            file = WEBM + joined[:end]
            assert len(with_true_sizes(file)) == len(file)
            assert len(with_true_sizes(joined[:end])) == end
