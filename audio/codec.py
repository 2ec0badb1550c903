"""Recorded clips to PCM, and PCM to WAV. `decode` runs in a worker process, because FFmpeg is fed by strangers there.

PCM is always 16 bit signed little-endian, mono, 24 kHz, which is what the upstream takes.
"""

import itertools
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from audio.budget import Budget, BudgetedFile
from audio.channels import Mono
from audio.claims import with_true_sizes
from audio.heads import piece_at_start, unwrapped
from audio.joined import files_in
from audio.sniff import undecodable
from schemas import Refused

RATE = 24_000  # samples a second
WIDTH = 2  # bytes a sample

MAX_CLIP_BYTES = 4 * 2**20  # bytes
SHORTEST_CLIP = 0.1  # seconds; the Realtime API refuses to commit less
LONGEST_CLIP = 120.0  # seconds of decoded sound

# A sample value: -50 dBFS. Speech from a phone at arm's length without gain control peaks above -40 dBFS, the noise of
# its microphone in a quiet room below -55; a muted one records zeros.
AUDIBLE = 104

# A rate or a channel count outside these is a mistake or a bomb: 64 kB at 1 Hz become 200 MB in one resampler call.
RATES = range(4_000, 192_001)
MOST_CHANNELS = 8
MOST_DAMAGED = 50  # packets; after so many the rest of the clip is noise
MOST_SHAPES = 8  # formats of one clip: each needs a resampler. HE-AAC that begins without its upper half has two
MOST_TRACKS = 4  # of one file, that are searched for sound
PIECE = 8192  # samples that are resampled at once: frames are as short as 2.5 ms, and each call has a fixed cost

DEMUXERS = "mov,matroska,ogg,wav,mp3,aac,flac"
CODECS = (
    "aac,alac,mp3,mp3float,opus,vorbis,flac,amrnb,amrwb,adpcm_ms,adpcm_ima_wav,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be"
)
# Without the whitelists FFmpeg follows playlists, and opens the decoder of a video track just to describe it. Without
# the smaller probesize it buffers 5 MB of tiny packets before it returns the first.
OPTIONS = {
    "format_whitelist": DEMUXERS,
    "codec_whitelist": CODECS,
    "protocol_whitelist": "none",
    "probesize": str(2**19),
}
# av 18 raises on tags that are not UTF-8 unless this is set; av 19 accepts them and has no such argument.
TAGS: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}


def decode(clip: bytes, budget: Budget | None = None) -> bytes:
    """Decode a recorded clip to PCM. Formats: m4a, webm, ogg, wav, mp3, 3gp, raw AAC (ADTS), flac; found by content.

    A clip that was cut off yields what came before the cut; damaged packets are skipped; of joined files all are heard.
    `budget` limits the CPU time.
    Raises Refused: empty_audio, audio_too_big, audio_undecodable, audio_too_short, audio_too_long, nothing_heard.
    """
    check_size(clip)
    if piece_at_start(clip):
        raise undecodable(clip)
    budget, pcm = budget or Budget(), bytearray()
    for file in files_in(unwrapped(clip)):
        try:
            pcm += _heard(with_true_sizes(file), budget)
        except av.FFmpegError as error:
            budget.check()
            raise undecodable(clip) from error
        budget.check()  # if it is used up, the file ended early and this is not the whole clip
        _check_length(pcm)
    _check_sound(pcm)
    return bytes(pcm)


def check_size(clip: bytes) -> None:
    """Raise Refused (empty_audio or audio_too_big) for a clip that can be refused without decoding it."""
    if not clip:
        raise Refused("empty_audio", "The clip has no bytes; record again and send the whole file.")
    if len(clip) > MAX_CLIP_BYTES:
        raise Refused("audio_too_big", "The clip is larger than 4 MiB; send a shorter one, or one that is compressed.")


def wav(pcm: bytes, comment: bytes = b"") -> bytes:
    """Make a WAV file of PCM, with a comment such as SYNTHETIC."""
    return wav_head(len(pcm), len(comment)) + pcm + comment


def wav_head(size: int, behind: int = 0) -> bytes:
    """The header of a WAV file with `size` bytes of PCM, and chunks of `behind` bytes after them."""
    shape = struct.pack("<HHIIHH", 1, 1, RATE, RATE * WIDTH, WIDTH, 8 * WIDTH)
    sizes = struct.pack("<I", 36 + size + behind), struct.pack("<I", size)
    return b"RIFF" + sizes[0] + b"WAVEfmt " + struct.pack("<I", len(shape)) + shape + b"data" + sizes[1]


def seconds(pcm: bytes | bytearray) -> float:
    """How many seconds PCM plays."""
    return len(pcm) / (RATE * WIDTH)


def _heard(file: bytes, budget: Budget) -> bytes | bytearray:
    """The first track of a file on which something is to be heard; if there is none, the first."""
    first: bytes | bytearray = b""
    for number in range(MOST_TRACKS):
        with av.open(BudgetedFile(file, budget), "r", options=OPTIONS, **TAGS) as container:
            tracks = _tracks(container)
            pcm = _pcm(_frames(container, tracks[number], budget))
        first = first or pcm
        if _audible(pcm):
            return pcm
        if number + 1 == len(tracks):
            break
    return first


def _tracks(container: InputContainer) -> list[AudioStream]:
    """The tracks of sound that can be decoded. Raises Refused if there is none."""
    tracks = container.streams.audio
    if not tracks:
        raise Refused("audio_undecodable", "The file has no audio track; send one that was recorded with sound.")
    # A track that FFmpeg has no decoder for comes without a codec context, whatever the stubs of av say.
    codecs = [getattr(track.codec_context, "name", "unknown") for track in tracks]
    if known := [track for track, codec in zip(tracks, codecs, strict=True) if codec in CODECS.split(",")]:
        return known
    raise Refused(
        "audio_undecodable", f"The codec {codecs[-1]} is not supported; send AAC, Opus, MP3, AMR, FLAC or PCM."
    )


def _frames(container: InputContainer, track: AudioStream, budget: Budget) -> Iterator[AudioFrame]:
    track.codec_context.thread_count = 1  # threads gain nothing on clips, and their stacks count as memory
    damaged = 0
    # The demuxer raises where a clip is cut off: what came before is still returned.
    with suppress(av.FFmpegError):
        for packet in container.demux(track):
            budget.check()
            try:
                yield from packet.decode()
            except av.FFmpegError:
                damaged += 1
                if damaged > MOST_DAMAGED:
                    return


def _pcm(frames: Iterator[AudioFrame]) -> bytearray:
    """Resample frames to PCM. The length is limited by what is really decoded: a header may claim any duration."""
    pcm = bytearray()
    # The shape can change within a clip (chained ogg, joined ADTS); a resampler accepts only one.
    for count, (_, alike) in enumerate(itertools.groupby(frames, key=_shape), 1):
        if count > MOST_SHAPES:
            raise Refused("audio_undecodable", "The clip changes its rate or channels all the time: record it again.")
        pieces = _pieces(alike)
        if not (first := next(pieces, None)):
            continue
        mono = Mono(first.layout, RATE)
        for piece in itertools.chain([first], pieces, [None]):
            mono.add(piece)
            _check_length(pcm, len(mono))
        pcm += mono.pcm()
    return pcm


def _pieces(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    """Join frames of one shape into fewer, longer ones."""
    fifo = AudioFifo()
    for frame in frames:
        frame.pts = None  # the fifo refuses gaps between timestamps
        fifo.write(frame)
        if fifo.samples >= PIECE and (piece := fifo.read()):
            yield piece
    if rest := fifo.read():
        yield rest


def _shape(frame: AudioFrame) -> tuple[str, str, int]:
    """The sample format, channel layout and rate of a frame. Raises Refused for a rate or layout out of range."""
    rate, channels = frame.sample_rate, frame.layout.nb_channels
    if rate not in RATES or channels > MOST_CHANNELS:
        raise Refused(
            "audio_undecodable",
            f"The clip is at {rate} Hz (channels: {channels}); send 4000 to 192000 Hz and at most 8 channels.",
        )
    return frame.format.name, frame.layout.name, rate


def _check_length(pcm: bytearray, more: int = 0) -> None:
    if len(pcm) + more > LONGEST_CLIP * RATE * WIDTH:
        raise Refused("audio_too_long", "The clip plays longer than 120 seconds; send it in shorter parts.")


def _check_sound(pcm: bytearray) -> None:
    if seconds(pcm) < SHORTEST_CLIP:
        raise Refused("audio_too_short", "The clip plays less than 100 ms; hold the button while you speak.")
    if not _audible(pcm):
        raise Refused("nothing_heard", "The clip is silent; check that the microphone is not muted, and speak again.")


def _audible(pcm: bytes | bytearray) -> bool:
    """True if the peak-to-peak amplitude of any second reaches that of a tone of -50 dBFS; an offset is not sound."""
    samples = memoryview(pcm).cast("h")
    pieces = (samples[start : start + RATE] for start in range(0, len(samples), RATE))
    return any(max(piece) - min(piece) >= 2 * AUDIBLE for piece in pieces)


def _comment(text: str) -> bytes:
    """The LIST chunk of type INFO that comments a WAV file (ICMT); ASCII. It stands behind the audio."""
    said = text.encode("ascii") + b"\0"
    entry = b"ICMT" + struct.pack("<I", len(said)) + said + b"\0" * (len(said) % 2)
    return b"LIST" + struct.pack("<I", 4 + len(entry)) + b"INFO" + entry


SYNTHETIC = _comment("Synthetic voice: an AI speaks, not a human being.")
"""What stands behind the audio of WAV files in which a persona speaks."""
