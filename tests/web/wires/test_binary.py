"""What a binary frame is: PCM of a stream, or something else that was sent as one."""

import math
import random
import struct
from base64 import b64encode

import orjson
import pytest

from actors.messages.caller import Chose, Pinged, Recorded, Spoke, Stray, Typed
from audio import Packed, wav
from schemas import Refused
from tests.audio.sounds import clip, encoded, speech
from web.wires.binary import UNPROVEN, BinaryFrames

SPOKEN = speech()
FRAME = 960  # bytes of 20 ms
FRAMES = [SPOKEN[start : start + FRAME] for start in range(0, len(SPOKEN) - FRAME, FRAME)]
FILES = [
    ("a webm file", clip("en_proposal.webm")),
    ("an m4a, mp4 or 3gp file", clip("en_proposal.m4a")),
    ("an m4a, mp4 or 3gp file", encoded(SPOKEN, "3gp", "libopencore_amrnb", 8_000)),
    ("an ogg file", encoded(SPOKEN, "ogg", "libopus")),
    ("a WAV file", wav(SPOKEN)),
    ("an MP3 file", encoded(SPOKEN, "mp3", "libmp3lame", 44_100)),
    ("an MP3 file", encoded(SPOKEN, "mp3", "libmp3lame", 16_000, write_xing="0", id3v2_version="0")),
    ("an AAC file", encoded(SPOKEN, "adts", "aac", 44_100)),
    ("a FLAC file", encoded(SPOKEN, "flac", "flac", 24_000)),
    ("an AMR file", b"#!AMR\n" + bytes(range(32)) * 30),
    ("a CAF file", b"caff\0\1\0\0desc" + bytes(900)),
    ("a PNG image", b"\x89PNG\r\n\x1a\n" + bytes(900)),
    ("a JPEG image", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(900)),
    ("a gzip archive", b"\x1f\x8b\x08\0" + bytes(900)),
    ("an AU file", encoded(SPOKEN, "au", "pcm_s16be", 24_000)),
    ("a Wave64 file", encoded(SPOKEN, "w64", "pcm_s16le", 24_000)),
    ("an AVI video", b"RIFF\0\1\0\0AVI LIST" + bytes(900)),
    ("a SILK file", b"\x02#!SILK_V3" + bytes(900)),
]
NAMES = [f"{number} {kind}" for number, (kind, _) in enumerate(FILES)]


class Clock:
    """Seconds, as the test says."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def floats(pcm: bytes) -> bytes:
    """The same sound in samples of 32 bits, as browsers have it."""
    samples = memoryview(pcm).cast("h")
    return struct.pack(f"<{len(samples)}f", *(sample / 32768 for sample in samples))


def told(message: object) -> str:
    """What a stray frame is said to be."""
    assert isinstance(message, Stray), message
    return message.message


def test_speech_is_passed_on_as_it_is() -> None:
    """Every frame, whatever its bytes begin with; also noise, silence, and frames of any size."""
    frames = BinaryFrames(Clock())
    chance = random.Random(1)
    noise = [chance.randbytes(2 * chance.randrange(1, 900)) for _ in range(3000)]
    tone = struct.pack("<960h", *(round(16_000 * math.sin(number / 9)) for number in range(960)))
    for frame in [*FRAMES, bytes(FRAME), b"\0\0", *noise, tone, b"\xff\xff" * 480, SPOKEN[:96_000], *FRAMES]:
        assert frames.read(frame) == Spoke(frame)


@pytest.mark.parametrize(("kind", "file"), FILES, ids=NAMES)
@pytest.mark.parametrize("before", [0, 2, 2 * UNPROVEN], ids=["first", "second", "in the middle"])
@pytest.mark.parametrize("size", [0, FRAME, 4000], ids=["whole", "20 ms", "4 kB"])
def test_a_file_is_named(kind: str, file: bytes, before: int, size: int) -> None:
    """Whole or its first piece, at the beginning of a stream and in the middle; what to do instead is said."""
    if before and size == FRAME:
        before = 2  # in the middle of a stream, a frame as large as the one before is looked at least
    frames = BinaryFrames(Clock())
    for frame in FRAMES[:before]:
        frames.read(frame)

    said = told(frames.read(file[: size or None]))

    assert f"is {kind}," in said
    assert "base64 in an audio message" in said
    assert "PCM16" in said


PIECES = {
    "webm": clip("en_proposal.webm"),
    "m4a": clip("en_proposal.m4a"),
    "mp3": encoded(SPOKEN, "mp3", "libmp3lame", 24_000),
    "flac": encoded(SPOKEN, "flac", "flac", 24_000),
    "alac": encoded(SPOKEN, "ipod", "alac", 24_000),
    "amr": encoded(SPOKEN, "3gp", "libopencore_amrnb", 8_000),
    "wav at 16 kHz": encoded(SPOKEN, "wav", "pcm_s16le", 16_000),
    "wav in stereo": encoded(SPOKEN, "wav", "pcm_s16le", 24_000, "stereo"),
    "mulaw": encoded(SPOKEN, "wav", "pcm_mulaw", 8_000),
    "aiff": encoded(SPOKEN, "aiff", "pcm_s16be", 24_000),
    "au": encoded(SPOKEN, "au", "pcm_s16be", 24_000),
    "caf": encoded(SPOKEN, "caf", "pcm_s16le", 24_000),
    "Wave64": encoded(SPOKEN, "w64", "pcm_s16le", 24_000),
}


@pytest.mark.parametrize("size", [FRAME, 1001, 4096, 16_000])
@pytest.mark.parametrize("name", PIECES)
def test_the_later_pieces_of_a_file_are_no_audio(name: str, size: int) -> None:
    """As a recorder gives them away, each in a frame, zeros and all; PCM that follows is heard again."""
    file, clock = PIECES[name], Clock()
    frames = BinaryFrames(clock)

    said = [frames.read(file[start : start + size]) for start in range(0, len(file), size)]

    assert len({told(one) for one in said if one}) == 1
    clock.now += 3
    again = [frames.read(frame) for frame in FRAMES]
    assert all(isinstance(one, Stray | None) for one in again[:30])
    assert again[50:] == [Spoke(frame) for frame in FRAMES[50:]]  # after the first syllable


def test_pieces_that_look_like_pcm_now_and_then_are_no_stream() -> None:
    """Three in a row, and then one of noise: padding and silence in a file do so."""
    chance, frames = random.Random(2), BinaryFrames(Clock())
    told(frames.read(clip("en_proposal.webm")))

    for _ in range(20):
        for piece in (*FRAMES[50:53], chance.randbytes(FRAME)):
            assert isinstance(frames.read(piece), Stray)


def test_silence_behind_a_file_is_not_refused() -> None:
    """A caller who sent a file, and now streams from a microphone that is muted."""
    frames = BinaryFrames(Clock())
    told(frames.read(clip("en_proposal.webm")))

    assert [frames.read(bytes(FRAME)) for _ in range(9)] == [None] * 9


def test_a_head_before_pcm_is_all_that_is_refused() -> None:
    """A client that streams a WAV file sends its head first; the samples behind it are a stream."""
    frames = BinaryFrames(Clock())

    assert "a WAV file" in told(frames.read(wav(SPOKEN)[:44]))
    assert frames.read(FRAMES[9]) == Spoke(FRAMES[9])


def test_the_body_of_a_form_is_a_file() -> None:
    """A client that sends what it would upload."""
    form = b'--f7a1\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: audio/mp4\r\n\r\n'

    assert "is an m4a, mp4 or 3gp file" in told(BinaryFrames(Clock()).read(form + clip("en_proposal.m4a")))


def test_a_piece_of_a_webm_is_named() -> None:
    """A client that was connected again in the middle of its recording."""
    file = clip("en_proposal.webm")
    piece = file[file.index(b"\x1fC\xb6u") :]

    assert "a piece of a webm" in told(BinaryFrames(Clock()).read(piece))


@pytest.mark.parametrize("before", [0, 2 * UNPROVEN])
def test_a_message_in_a_binary_frame_is_read(before: int) -> None:
    """Libraries that send bytes send JSON so, too; also padded, with blanks, and one that is large."""
    frames = BinaryFrames(Clock())
    for frame in FRAMES[:before]:
        frames.read(frame)
    recording = b64encode(clip("en_proposal.m4a"))
    large = b'{"type": "audio", "audio": "%b"}' % (recording * 2)

    assert frames.read(b'{"type":"ping"}') == Pinged()
    assert frames.read(b' \n{ "type" : "ping" }\n') == Pinged()
    assert frames.read(b'\xef\xbb\xbf{"type":"ping"}\0') == Pinged()
    assert frames.read(orjson.dumps({"type": "config", "astrologer_id": "tina"})) == Chose("tina")
    assert frames.read('{"type":"text","text":"नमस्ते"}'.encode()) == Typed("नमस्ते")
    assert isinstance(frames.read(b'{"type": "audio", "audio": "%b"}' % recording), Recorded)
    assert frames.read(large) == Recorded(Packed(large))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b'{"type": "audio", "audio": "AAAA', "bad_json"),
        (b'{"type": "input_audio_buffer.append", "audio": "AAAA"}', "unknown_type"),
        (b'{"type": "text", "text": " "}', "bad_message"),
        (b"{}", "unknown_type"),
        (b"", "empty_audio"),
    ],
)
def test_a_message_that_is_wrong_is_refused_as_in_a_text_frame(frame: bytes, code: str) -> None:
    """It is no audio, and the sentence is that of the message."""
    with pytest.raises(Refused) as refused:
        BinaryFrames(Clock()).read(frame)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b64encode(SPOKEN[:FRAME]), "base64"),
        (b64encode(clip("en_proposal.m4a")), "base64"),
        (b"data:audio/mp4;base64," + b64encode(clip("en_proposal.m4a")), "text"),
        (b"When will I marry, and whom?", "text"),
        (str([7] * 400).encode(), "text"),
        (b"ping", "text"),
        (b"{'type':'ping'}", "text"),
        ("नमस्ते, मेरी शादी कब होगी?".encode(), "text"),
        ("हाँ".encode(), "text"),
        ("Überall schöne Grüße".encode(), "text"),
        ('{"type":"ping"}'.encode("utf-16"), "text in UTF-16"),
        ('{"type":"ping"}'.encode("utf-16-le"), "text in UTF-16"),
        ('{ "type":"ping"}'.encode("utf-16-be"), "text in UTF-16"),
    ],
)
def test_text_is_named(frame: bytes, kind: str) -> None:
    """Base64 and the like, in a frame of their own."""
    assert f"is {kind}:" in told(BinaryFrames(Clock()).read(frame))


def test_samples_of_32_bits_are_named() -> None:
    """As browsers give them; silence before them is neither, and PCM behind them is heard."""
    frames = BinaryFrames(Clock())
    assert isinstance(frames.read(bytes(FRAME)), Spoke)
    sound = floats(SPOKEN)
    said = [frames.read(sound[start : start + 2 * FRAME]) for start in range(24_000, len(sound) - 4 * FRAME, 2 * FRAME)]

    assert sum(isinstance(one, Stray) for one in said) > 0.9 * len(said)
    assert "32 bits" in told(said[10])
    assert frames.read(FRAMES[9]) == Spoke(FRAMES[9])


@pytest.mark.parametrize("size", [1, 3, 961, 1001])
def test_an_odd_byte_waits_for_the_next_frame(size: int) -> None:
    """A stream in pieces of any length is the same stream, sample by sample."""
    frames = BinaryFrames(Clock())
    heard = [frames.read(SPOKEN[start : start + size]) for start in range(0, min(len(SPOKEN), 400 * size), size)]

    pcm = b"".join(one.pcm for one in heard if isinstance(one, Spoke))
    assert all(one is None or (isinstance(one, Spoke) and one.pcm) for one in heard)
    assert pcm == SPOKEN[: len(pcm)]
    assert len(pcm) >= min(len(SPOKEN), 400 * size) - 1


def test_an_odd_byte_is_not_kept_for_what_is_said_later() -> None:
    """A recording that was cut in the middle of a sample would make noise of all that follows it."""
    clock = Clock()
    frames = BinaryFrames(clock)

    assert frames.read(FRAMES[3][:-1]) == Spoke(FRAMES[3][:-2])
    clock.now += 1.1
    assert frames.read(FRAMES[4]) == Spoke(FRAMES[4])


def test_a_frame_of_more_than_ten_seconds_is_refused() -> None:
    """Each time, however many come."""
    frames = BinaryFrames(Clock())
    for _ in range(2):
        with pytest.raises(Refused, match="audio_too_long"):
            frames.read(b"\1\0\2\0" * 121_000)
