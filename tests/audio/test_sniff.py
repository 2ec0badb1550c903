"""The refusal of an undecodable clip says what kind of file it seems to be."""

import base64
import random

import pytest

from audio.codec import decode
from audio.sniff import looks_like
from schemas import Refused
from tests.audio.sounds import clip, speech


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
