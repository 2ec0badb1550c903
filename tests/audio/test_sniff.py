"""The refusal of an undecodable clip says what kind of file it seems to be."""

import base64
import random

import pytest

from audio.codec import decode, wav
from audio.sniff import looks_like
from schemas import Refused
from tests.audio.sounds import clip, encoded, speech


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG image"),
        (b"%PDF-1.7\n" + bytes(100), "a PDF document"),
        (b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", "a playlist"),
        (b"#!AMR\n" + bytes(100), "AMR without a container"),
        (b'{"type": "audio"}', "text"),
        ("मेरी शादी कब होगी?".encode() * 2000, "text"),
        (base64.b64encode(clip("en_proposal.m4a")), "base64 that was encoded twice"),
        (b"data:audio/mp4;base64,AAAA", "a data: URL"),
        (bytes(5000), "nothing but zeros"),
        (speech(), "raw PCM without a container"),
        (clip("en_proposal.webm")[:80], "a webm file"),
        (clip("en_proposal.m4a")[:80], "cut off"),
    ],
)
def test_a_refusal_says_what_the_clip_looks_like(content: bytes, words: str) -> None:
    """The message names the formats that work, and the kind of file that was sent."""
    with pytest.raises(Refused) as caught:
        decode(content)

    assert caught.value.code == "audio_undecodable"
    assert "m4a, webm, ogg, wav, mp3 or 3gp" in caught.value.message
    assert words in caught.value.message


def test_noise_looks_like_nothing() -> None:
    """If the kind is not recognised, the message does not name one."""
    assert looks_like(random.Random(1).randbytes(50_000)) is None


WEBM, OGG = clip("en_proposal.webm"), encoded(speech(), "ogg", "libopus")
FRAGMENTS = encoded(
    speech(), "mp4", "aac", movflags="frag_keyframe+empty_moov+default_base_moof", frag_duration="200000"
)


@pytest.mark.parametrize(
    ("piece", "name"),
    [
        pytest.param(WEBM[WEBM.index(b"\x1fC\xb6u") :], "a piece of a webm", id="a cluster of a webm"),
        pytest.param(WEBM[WEBM.index(b"\xa3", 4000) :], "a piece of a webm", id="a block of a webm"),
        *(pytest.param(WEBM[cut : cut + 9000], "a piece of a webm", id=f"a webm from {cut}") for cut in (777, 5000)),
        pytest.param(OGG[OGG.index(b"OggS", 4000) :], "a piece of an ogg file", id="a page of an ogg"),
        pytest.param(OGG[700:], "a piece of an ogg file", id="an ogg that was cut anywhere"),
        pytest.param(FRAGMENTS[FRAGMENTS.index(b"moof") - 4 :], "a piece of an m4a or mp4", id="a fragment"),
        pytest.param(FRAGMENTS[FRAGMENTS.index(b"mdat") - 4 :], "a piece of an m4a or mp4", id="data of a fragment"),
        pytest.param(FRAGMENTS[3000:], "a piece of an m4a or mp4", id="fragments that were cut anywhere"),
    ],
)
def test_a_later_piece_of_a_recording_is_named(piece: bytes, name: str) -> None:
    """The most frequent mistake with a recorder that gives pieces away: only the first has the beginning."""
    with pytest.raises(Refused) as caught:
        decode(piece)

    assert caught.value.code == "audio_undecodable"
    assert f"{name} without its beginning; send the whole recording" in caught.value.message


@pytest.mark.parametrize(
    "before",
    [
        b"\xef\xbb\xbf",
        b"\r\n",
        b'--f7a1\r\nContent-Disposition: form-data; name="file"; filename="a.m4a"\r\nContent-Type: audio/mp4\r\n\r\n',
    ],
    ids=["a byte order mark", "a line break", "a multipart head"],
)
@pytest.mark.parametrize(
    "file",
    [clip("en_proposal.m4a"), WEBM, OGG, wav(speech()), encoded(speech(), "adts", "aac", 44_100)],
    ids=["m4a", "webm", "ogg", "wav", "aac"],
)
def test_a_file_behind_something_else_is_heard(before: bytes, file: bytes) -> None:
    """As clients make it that read it as text, or send the body of a form."""
    behind = b"\r\n--f7a1--\r\n" if before.startswith(b"--") else b""

    assert decode(before + file + behind) == decode(file)
