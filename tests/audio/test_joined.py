"""Of clips that were joined, and of those whose header claims too little, all is heard."""

import pytest

from audio.budget import Budget
from audio.codec import decode, seconds, wav
from audio.joined import files_in
from schemas import Refused
from tests.audio.sounds import encoded, likeness, riff, speech

SPOKEN = speech()
RATE = 24_000
FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof"
FIRST, SECOND = SPOKEN[: RATE * 4], SPOKEN[RATE * 4 :]
LIST = b"LIST\x0a\0\0\0INFOICMT\0\0"


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("wav", "pcm_s16le", 48_000),
        ("wav", "pcm_f32le", 16_000),
        ("wav", "pcm_mulaw", 8_000),
        ("wav", "adpcm_ima_wav", 22_050),
        ("ipod", "aac", 44_100),
        ("ipod", "alac", 44_100),
        ("3gp", "libopencore_amrnb", 8_000),
        ("webm", "libopus", 48_000),
        ("ogg", "libopus", 48_000),
        ("mp3", "libmp3lame", 44_100),
        ("adts", "aac", 44_100),
        ("flac", "flac", 48_000),
    ],
)
def test_all_of_a_joined_clip_is_heard(container: str, codec: str, rate: int) -> None:
    """Two recordings of every kind, one behind the other; the second begins where the first ends."""
    joined = encoded(FIRST, container, codec, rate) + encoded(SECOND, container, codec, rate)

    pcm = decode(joined)

    assert seconds(pcm) == pytest.approx(seconds(SPOKEN), abs=0.15)
    assert likeness(pcm, SPOKEN) > 0.85


@pytest.mark.parametrize("count", [3, 7])
@pytest.mark.parametrize(
    ("container", "codec"), [("webm", "libopus"), ("matroska", "pcm_s16le"), ("ogg", "libopus"), ("ipod", "aac")]
)
def test_any_number_of_files_is_heard(container: str, codec: str, count: int) -> None:
    """With sizes in their headers, as of a recorder that goes back to write them."""
    assert seconds(decode(encoded(SPOKEN, container, codec) * count)) == pytest.approx(
        count * seconds(SPOKEN), abs=0.05 * count
    )


def test_wav_files_of_64_bits_are_heard() -> None:
    """RF64, which some recorders write whatever the length."""
    wide = encoded(SPOKEN, "wav", "pcm_s16le", 24_000, rf64="always")
    assert wide.startswith(b"RF64")

    assert seconds(decode(wide * 3)) == pytest.approx(3 * seconds(SPOKEN), abs=0.01)


def test_several_chunks_of_samples_are_heard() -> None:
    """A recorder that begins a chunk with each piece."""
    file = wav(SPOKEN[:96_000])
    rest = b"data" + (len(SPOKEN) - 96_000).to_bytes(4, "little") + SPOKEN[96_000:]

    assert decode(file + rest) == SPOKEN
    assert decode(file + LIST + rest) == SPOKEN


def test_samples_that_read_as_a_chunk_are_heard_once() -> None:
    """In a file whose header claims nothing, all that follows are samples."""
    samples = bytes(8) + b"data" + (1000).to_bytes(4, "little") + SPOKEN

    assert decode(riff(samples, RATE, bits=16, claimed=0)) == samples


def test_an_m4a_in_fragments_is_split_at_its_files_alone() -> None:
    """Each fragment has a head, but only a file has an index."""
    one = encoded(SPOKEN, "mp4", "aac", movflags=FRAGMENTS, frag_duration="200000")

    assert files_in(one) == [one]
    assert files_in(one * 3) == [one] * 3
    assert seconds(decode(one * 2)) == pytest.approx(2 * seconds(SPOKEN), abs=0.1)


def test_many_headers_of_one_recorder_make_one_file() -> None:
    """A recorder that writes a header each 20 ms; nothing is lost where two pieces meet."""
    joined = b"".join(wav(SPOKEN[start : start + 960]) for start in range(0, len(SPOKEN), 960))

    assert len(files_in(joined)) == 1
    assert decode(joined) == SPOKEN


def test_joined_files_may_differ() -> None:
    """The same words at two rates, and with two numbers of channels; other chunks are between them."""
    stereo = encoded(SPOKEN, "wav", "pcm_s16le", 48_000, "stereo")

    pcm = decode(wav(SPOKEN) + LIST + stereo)

    assert seconds(pcm) == pytest.approx(2 * seconds(SPOKEN), abs=0.01)
    assert likeness(pcm[len(SPOKEN) :], SPOKEN) > 0.95


@pytest.mark.parametrize(
    "joined",
    [
        b"".join(riff(SPOKEN[:960], RATE + number % 2, bits=16) for number in range(60)),
        b"RIFF\0\0\0\0WAVE" * 300_000,
        wav(b"") + b"data\2\0\0\0\1\5" * 300_000,
        (b"\0\0\0\x18ftyp" + b"moov\0\0\0\0mvhd") * 200_000,
    ],
    ids=["60 that differ", "300,000 heads of WAV", "300,000 chunks of WAV", "200,000 heads of m4a"],
)
def test_too_many_files_are_refused_at_once(joined: bytes) -> None:
    """To open each costs time, so it is said that they were joined."""
    budget = Budget()
    with pytest.raises(Refused, match="files that were joined"):
        decode(joined, budget)
    assert not budget.over


@pytest.mark.parametrize("claimed", [0, 1, 100, 101, 48_000, len(SPOKEN) - 2, len(SPOKEN), 2**31, 2**32 - 1])
def test_a_header_that_claims_another_length_is_not_believed(claimed: int) -> None:
    """Streaming recorders write 0 or the most, and one that crashed the length of its first piece."""
    assert decode(riff(SPOKEN, RATE, bits=16, claimed=claimed)) == SPOKEN


def test_what_follows_the_samples_is_no_sound() -> None:
    """Titles and the like."""
    assert decode(wav(SPOKEN) + LIST) == SPOKEN


def test_two_files_that_claim_nothing_are_heard() -> None:
    """The length of the first is told by where the second begins."""
    assert decode(riff(SPOKEN, RATE, bits=16, claimed=0) * 2) == SPOKEN * 2
    assert decode(riff(SPOKEN, RATE, bits=16, claimed=2**32 - 1) * 2) == SPOKEN * 2


def test_a_file_without_samples_among_others_is_passed_over() -> None:
    """A recorder that is stopped at once writes a header alone."""
    assert decode(wav(SPOKEN) + wav(b"") + wav(SPOKEN)[:30] + wav(SPOKEN)) == SPOKEN * 2
