"""Clips of every kind become PCM; others are refused with a sentence that says what to do."""

import io
import struct
import wave

import pytest

from audio import RATE, seconds, wav
from audio.codec import MAX_CLIP_BYTES, decode
from schemas import Refused
from tests.audio.sounds import CLIPS, clip, encoded, film, likeness, louder, riff, speech

SPOKEN = speech()

KINDS = [
    # container, codec, rate, layout, by FFmpeg's names
    ("ipod", "aac", 44_100, "mono"),
    ("ipod", "aac", 48_000, "stereo"),
    ("ipod", "alac", 44_100, "mono"),
    ("webm", "libopus", 48_000, "stereo"),
    ("webm", "vorbis", 48_000, "stereo"),
    ("matroska", "pcm_s16le", 48_000, "mono"),
    ("ogg", "libopus", 48_000, "mono"),
    ("ogg", "vorbis", 48_000, "stereo"),
    ("ogg", "flac", 48_000, "mono"),
    ("wav", "pcm_u8", 8_000, "mono"),
    ("wav", "pcm_s16le", RATE, "mono"),
    ("wav", "pcm_s16le", 48_000, "stereo"),
    ("wav", "pcm_s16le", 16_000, "3.0"),
    ("wav", "pcm_s24le", 44_100, "stereo"),
    ("wav", "pcm_s32le", 16_000, "mono"),
    ("wav", "pcm_f32le", 22_050, "5.1"),
    ("wav", "pcm_s16le", 192_000, "mono"),
    ("wav", "pcm_alaw", 8_000, "mono"),
    ("wav", "pcm_mulaw", 8_000, "mono"),
    ("wav", "adpcm_ms", 22_050, "mono"),
    ("wav", "adpcm_ima_wav", 22_050, "mono"),
    ("mp3", "libmp3lame", 44_100, "stereo"),
    ("mp3", "libmp3lame", 16_000, "mono"),
    ("3gp", "libopencore_amrnb", 8_000, "mono"),
    ("3gp", "aac", 16_000, "mono"),
    ("adts", "aac", 44_100, "mono"),
    ("flac", "flac", 48_000, "mono"),
]


def refusal(content: bytes) -> Refused:
    """The refusal of a clip."""
    with pytest.raises(Refused) as caught:
        decode(content)
    return caught.value


@pytest.mark.parametrize(("container", "codec", "rate", "layout"), KINDS)
def test_every_kind_is_heard(container: str, codec: str, rate: int, layout: str) -> None:
    """Whatever a phone or a browser records is decoded to the same speech at 24 kHz."""
    pcm = decode(encoded(SPOKEN, container, codec, rate, layout))

    assert seconds(pcm) == pytest.approx(seconds(SPOKEN), abs=0.1)
    assert likeness(pcm, SPOKEN) > 0.95


@pytest.mark.parametrize("name", sorted(file.stem for file in CLIPS.glob("*.m4a")))
def test_a_phone_and_a_browser_record_the_same(name: str) -> None:
    """The m4a and the webm of one sentence decode to the same audio, so the encoder's priming was removed."""
    phone, browser = decode(clip(f"{name}.m4a")), decode(clip(f"{name}.webm"))

    assert seconds(phone) == pytest.approx(seconds(browser), abs=0.05)
    assert likeness(phone, browser) > 0.98


def test_the_sound_of_a_film_is_heard() -> None:
    """A video is accepted if it has an audio track."""
    assert likeness(decode(film(SPOKEN)), SPOKEN) > 0.95


def test_a_film_without_sound_is_refused() -> None:
    """The refusal of a video without an audio track says so."""
    refused = refusal(film(None))

    assert refused.code == "audio_undecodable"
    assert "no audio track" in refused.message


def test_an_unknown_codec_is_named() -> None:
    """The refusal of a codec that is not on the list names it."""
    refused = refusal(encoded(SPOKEN, "mp4", "ac3"))

    assert refused.code == "audio_undecodable"
    assert "ac3" in refused.message


@pytest.mark.parametrize("kind", [("webm", "libopus"), ("ogg", "libopus"), ("adts", "aac"), ("mp3", "libmp3lame")])
def test_a_clip_that_was_cut_off_yields_its_beginning(kind: tuple[str, str]) -> None:
    """Half a file gives about half of the audio, unchanged."""
    whole = encoded(SPOKEN, *kind)

    pcm = decode(whole[: len(whole) // 2])

    assert 1.5 < seconds(pcm) < 3.2
    assert likeness(pcm, SPOKEN) > 0.95


def test_an_m4a_in_fragments_may_be_cut_off() -> None:
    """An m4a in fragments, as Safari records it, yields what came before the cut as well."""
    whole = encoded(SPOKEN, "mp4", "aac", movflags="frag_keyframe+empty_moov+default_base_moof", frag_duration="200000")

    pcm = decode(whole[: len(whole) // 2])

    assert seconds(pcm) > 1.5
    assert likeness(pcm, SPOKEN) > 0.95


def test_an_m4a_without_its_index_is_told_so() -> None:
    """A recording that was never stopped has no index, so its samples cannot be located."""
    whole = encoded(SPOKEN, "ipod", "aac")  # the index is at its end

    refused = refusal(whole[: len(whole) // 2])

    assert refused.code == "audio_undecodable"
    assert "cut off" in refused.message


def test_damaged_packets_are_skipped() -> None:
    """Damaged parts of an m4a cost only these parts."""
    whole = bytearray(clip("en_proposal.m4a"))
    for hole in range(8_000, 20_000, 3_000):
        whole[hole : hole + 300] = b"\xff" * 300

    pcm = decode(bytes(whole))

    assert 4 < seconds(pcm) < seconds(SPOKEN) - 0.02
    assert likeness(pcm[-RATE * 2 :], SPOKEN[-RATE * 2 :]) > 0.9


def test_nothing_is_lost_at_the_end() -> None:
    """The samples in the resampler at the end of the clip are not lost."""
    assert seconds(decode(encoded(SPOKEN, "wav", "pcm_s16le", 48_000))) == pytest.approx(seconds(SPOKEN), abs=0.0001)


def test_a_joined_clip_may_change_its_shape() -> None:
    """Two ADTS recordings at different rates, one after the other, are both decoded."""
    joined = encoded(SPOKEN, "adts", "aac", 44_100) + encoded(SPOKEN, "adts", "aac", 16_000, "stereo")

    assert seconds(decode(joined)) == pytest.approx(2 * seconds(SPOKEN), abs=0.3)


def test_tags_in_any_encoding_do_not_matter() -> None:
    """A title in Latin-1, as Windows writes it, is not valid UTF-8 and is ignored."""
    plain = wav(SPOKEN)
    title = b"INFOINAM" + struct.pack("<I", 4) + b"caf\xe9"
    tagged = plain[:36] + b"LIST" + struct.pack("<I", len(title)) + title + plain[36:]

    assert seconds(decode(tagged)) == seconds(SPOKEN)


def test_the_header_is_not_believed() -> None:
    """The length of a WAV that claims 4 GB is that of its real data."""
    assert decode(riff(SPOKEN, RATE, bits=16, claimed=2**32 - 1)) == SPOKEN


def test_both_channels_are_mixed() -> None:
    """Speech in only one of two channels is decoded."""
    samples = memoryview(SPOKEN).cast("h")
    left = struct.pack(f"<{2 * len(samples)}h", *(value for sample in samples for value in (sample, 0)))

    assert likeness(decode(riff(left, RATE, channels=2, bits=16)), SPOKEN) > 0.95


def test_quiet_speech_is_heard() -> None:
    """Speech 35 dB below the normal level is accepted."""
    quiet = louder(SPOKEN, -35)

    assert decode(wav(quiet)) == quiet


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "empty_audio", id="no bytes"),
        pytest.param(bytes(MAX_CLIP_BYTES + 1), "audio_too_big", id="more than 4 MiB"),
        pytest.param(bytes(MAX_CLIP_BYTES), "audio_undecodable", id="4 MiB of zeros"),
        pytest.param(wav(b""), "audio_too_short", id="an empty WAV"),
        pytest.param(wav(SPOKEN[: RATE * 2 // 11]), "audio_too_short", id="91 ms"),
        pytest.param(wav(bytes(RATE * 2)), "nothing_heard", id="digital silence"),
        pytest.param(wav(b"\x00\x08" * RATE), "nothing_heard", id="a muted microphone with an offset"),
        pytest.param(wav(louder(SPOKEN, -60)), "nothing_heard", id="speech 60 dB down"),
        pytest.param(riff(bytes(range(256)) * 256, 1), "audio_undecodable", id="18 hours at 1 Hz"),
        pytest.param(riff(bytes(range(256)) * 1024, 2**32 - 1), "audio_undecodable", id="4 GHz"),
        pytest.param(riff(bytes(range(256)) * 1024, 0), "audio_undecodable", id="0 Hz"),
        pytest.param(riff(bytes(range(256)) * 1024, 48_000, channels=255), "audio_undecodable", id="255 channels"),
        pytest.param(riff(bytes(range(256)) * 1920, 4_000), "audio_too_long", id="122 s"),
        pytest.param(b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n", "audio_undecodable", id="an HLS playlist"),
        pytest.param(b"ffconcat version 1.0\nfile /etc/passwd\n", "audio_undecodable", id="an FFmpeg playlist"),
    ],
)
def test_what_is_no_speech_is_refused(content: bytes, code: str) -> None:
    """Every kind of clip without speech has its own code, and a sentence that says what to do."""
    refused = refusal(content)

    assert refused.code == code
    assert refused.message.endswith(".")


def test_a_bomb_is_stopped_by_what_it_decodes_to() -> None:
    """Five minutes of silence in 60 kB of flac: decoding stops at two minutes, with the refusal "too long"."""
    bomb = encoded(bytes(300 * RATE * 2), "flac", "flac", 24_000)

    assert len(bomb) < 200_000
    assert refusal(bomb).code == "audio_too_long"


def test_the_longest_clip_is_heard() -> None:
    """Just under two minutes is accepted."""
    lasting = SPOKEN * 26

    assert seconds(decode(encoded(lasting[: 119 * RATE * 2], "wav", "pcm_mulaw", 8_000))) == pytest.approx(119, abs=0.1)


def test_wav_holds_the_pcm() -> None:
    """A reply is sent as a WAV file that any player can read."""
    with wave.open(io.BytesIO(wav(SPOKEN))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.readframes(file.getnframes()) == SPOKEN
