"""The base64 of a clip is read in every form in which clients write it."""

from base64 import b64encode, encodebytes, urlsafe_b64encode
from urllib.parse import quote

import pytest

from audio.clip_base64 import decode_base64
from schemas import Refused
from tests.audio.sounds import clip

CLIP = clip("en_proposal.m4a")
ODD = CLIP[: len(CLIP) // 3 * 3 - 1]  # which needs padding
TEXT = b64encode(ODD).decode()
LINES = encodebytes(ODD).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT, id="as it is"),
        pytest.param(urlsafe_b64encode(ODD).decode(), id="the alphabet of URLs"),
        pytest.param(urlsafe_b64encode(ODD).decode().rstrip("="), id="the alphabet of URLs without padding"),
        pytest.param(TEXT.rstrip("="), id="without padding"),
        pytest.param(f"{TEXT}=", id="with too much padding"),
        pytest.param(f"data:audio/mp4;codecs=mp4a.40.2;base64,{TEXT}", id="a data URL"),
        pytest.param(f" DATA:audio/mp4;BASE64,{TEXT}\n", id="a data URL in capitals"),
        pytest.param(f"audio/m4a;base64,{TEXT}", id="a data URL without data:"),
        pytest.param(f"data:audio/mp4;base64,{quote(TEXT, safe='')}", id="a data URL that is quoted"),
        pytest.param(LINES, id="lines"),
        pytest.param(LINES.replace("\n", "\r\n"), id="lines of Windows"),
        pytest.param(LINES.replace("\n", " "), id="lines that became one"),
        pytest.param(LINES.replace("\n", "\\n"), id="lines that were escaped twice"),
        pytest.param(TEXT.replace("/", "\\/"), id="slashes that were escaped twice"),
        pytest.param(TEXT.replace("+", " "), id="pluses that became blanks"),
        pytest.param(f'"{TEXT}"', id="in quotes"),
        pytest.param(f"b'{TEXT}'", id="as Python shows it"),
        pytest.param(f"\ufeff{TEXT}", id="with a byte order mark"),
    ],
)
def test_every_form_is_read(text: str) -> None:
    """The bytes are those of the file, whatever wrote the text."""
    assert decode_base64(text) == ODD


@pytest.mark.parametrize("size", range(12))
def test_every_length_is_read_with_and_without_padding(size: int) -> None:
    """Also nothing at all."""
    content = bytes(range(250, 250 - size, -1))
    for text in (b64encode(content).decode(), urlsafe_b64encode(content).decode()):
        assert decode_base64(text) == decode_base64(text.rstrip("=")) == content


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("AAAA*AAA", "character 5 is '*'"),
        ("AAAA\u0928AAA", "character 5 is in neither alphabet"),
        ("AAAAA", "characters were lost"),
        ("AAA=AAA=", "several pieces"),
        ("[object Blob]", "not its bytes"),
        ("blob:http://localhost/1b2c", "not its bytes"),
        ("file:///data/recording.m4a", "not its bytes"),
    ],
)
def test_what_is_no_base64_says_why(text: str, says: str) -> None:
    """In one sentence, with what to do."""
    with pytest.raises(Refused) as caught:
        decode_base64(text)
    assert caught.value.code == "bad_base64"
    assert says in caught.value.message
    assert caught.value.message.endswith("Encode the whole file once.")
