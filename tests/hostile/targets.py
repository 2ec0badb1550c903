"""What is fuzzed: parsers of what strangers send. Each takes bytes, and raises only if the server is wrong."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

import schemas
from audio import clip_frame, heads, sniff
from audio.claims import with_true_sizes
from audio.clip_base64 import decode_base64
from audio.joined import files_in
from audio.riff import wav_files
from schemas import Refused, decoding
from tests.audio import costly, sounds
from tests.hostile import frames
from tests.kit.caller_frames import KINDS, REFUSABLE, drawn, fitting, nearly, understood, written
from tests.kit.doors import KEY, call_token, login
from tests.web.test_receive_buffer import Protocol
from web.auth import claims
from web.auth.call_tokens import CallTokens
from web.auth.keys import ServerKeys
from web.auth.refusal import TurnedAway
from web.reassembly import MAX_FRAME, Reassembler, TooManyFrames
from web.wires import app
from web.wires.binary import BinaryFrames

ROOM = 100  # bytes of a head that a file may get


@dataclass(frozen=True)
class Target:
    """`seeds` are inputs to begin with."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def text_frames(data: bytes) -> None:
    """A text frame is a message or a refusal of the schema."""
    understood(app.read, data)


def binary_frames(data: bytes) -> None:
    """So is each binary frame, whatever came before it."""
    now = [0.0]
    wire = BinaryFrames(lambda: now[0])
    for piece in _pieces(data):
        now[0] += len(piece) % 7 / 3
        understood(wire.read, piece)


def _pieces(data: bytes) -> list[bytes]:
    """The input, cut where it says: two bytes are the length of what follows them."""
    pieces, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2]) % 5000
        pieces.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return pieces


def large_frames(data: bytes) -> None:
    """A large frame is a clip or a refusal; and base64 is bytes, or none."""
    for work in (clip_frame.pack, clip_frame.unpack, lambda text: decode_base64(text.decode(errors="replace"))):
        code = "bad_base64"
        try:
            work(data)
        except Refused as refused:
            code = refused.code
        assert code in REFUSABLE | {"empty_audio"}


def json(data: bytes) -> None:
    """What is JSON is read as that, and what is mended is still the same."""
    with suppress(orjson.JSONDecodeError):
        assert decoding.loads(data) == orjson.loads(data)
    with suppress(orjson.JSONDecodeError):
        decoding.loads(data)
    assert decoding.mended(decoding.mended(data)) == decoding.mended(data)
    assert schemas.parts(data) >= 0


def containers(data: bytes) -> None:
    """Files are named, and cut, and mended, and not one byte is made up."""
    assert len(with_true_sizes(data)) == len(data)
    files = wav_files(data)
    assert files == [data] or sum(map(len, files)) <= len(data) + ROOM * len(files)
    with suppress(Refused):
        assert files_in(data)
    assert heads.unwrapped(data) in data
    heads.file_at_start(data)
    heads.piece_at_start(data)
    assert sniff.undecodable(data).code == "audio_undecodable"
    sniff.is_like_pcm(data)


def reassembly(data: bytes) -> None:
    """The same messages are read in whatever pieces they come."""
    whole = _read(data, len(data) or 1)
    for size in (1, 7) if len(data) < 2000 else (997,):
        pieces = _read(data, size)
        assert pieces == whole or whole[-1:] == ["too many"], (pieces[-3:], whole[-3:])


_LOOP = asyncio.new_event_loop()


def _read(data: bytes, size: int) -> list[Any]:
    queue = WebSocketDataQueue(Protocol(), 2**24, loop=_LOOP)  # type: ignore[arg-type]
    parser: Any = WebSocketReader(queue, MAX_FRAME, compress=False, decode_text=False)
    reassembler = Reassembler(queue, parser.feed_data)
    ended: list[Any] = []
    for at in range(0, len(data), size):
        try:
            over, _ = reassembler.feed(data[at : at + size])
        except TooManyFrames:
            ended = ["too many"]
            break
        if over:
            break
        assert reassembler.size <= len(data)
    error = queue.exception()
    read: list[Any] = [(message.type, message.data) for message, _ in queue._buffer]
    return read + ended + ([type(error).__name__, getattr(error, "code", 0)] if error else [])


def tokens(data: bytes) -> None:
    """A token is turned away, claims are an identity or a ValueError."""
    text = data.decode(errors="surrogateescape")
    with suppress(TurnedAway):
        CallTokens(ServerKeys([KEY])).read(text)
        raise AssertionError("a token that nobody issued was taken")
    with suppress(ValueError):
        said = orjson.loads(data)
        if isinstance(said, dict):
            claims.read(said)


def _texts() -> list[bytes]:
    return [written(one, True) for kind in KINDS for one in drawn(fitting(kind) | nearly(kind), 8)]


def _files() -> list[bytes]:
    small = [make()[:3000] for make in (*costly.FINE.values(), *costly.COARSE.values()) if make not in _SLOW_TO_MAKE]
    return [*small, sounds.encoded(bytes(4800), "wav", "pcm_s16le")]


_SLOW_TO_MAKE = (costly.tags_of_ogg, costly.tags_of_wav, costly.tiny_frames_of_flac)


def _wire() -> list[bytes]:
    texts = [frames.part(0x81, text[:2000]) for text in _texts()[::4]]
    split = frames.part(1, b'{"type":') + frames.part(0x89, b"x") + frames.part(0x80, b'"ping"}')
    return [*texts, b"".join(texts[:3]), split, frames.part(0x82, bytes(69_000)), frames.part(0x88, b"\x03\xe8bye")]


def _base64() -> list[bytes]:
    clip = b64encode(bytes(range(100)))
    return [clip, b"data:audio/webm;base64," + clip, b'{"type":"audio","audio":"%b"}' % clip, *_texts()[:20]]


def _binary() -> list[bytes]:
    both = [*_files()[:12], bytes([0, 32, 0, 224]) * 240, *_texts()[::9]]
    return [b"".join(len(one[:900]).to_bytes(2) + one[:900] for one in both[at : at + 4]) for at in range(len(both))]


def _tokens() -> list[bytes]:
    said = b'{"user":"u","sub":"u","astrologer_ids":["tina"],"mode":"clip","seconds":60,"exp":1,"jti":"x"}'
    return [call_token()[:-4].encode(), login().encode(), b"call1..", said]


TARGETS = {
    "text frames": Target(text_frames, _texts),
    "binary frames": Target(binary_frames, _binary),
    "large frames": Target(large_frames, _base64),
    "JSON": Target(json, _texts),
    "reassembly": Target(reassembly, _wire),
    "containers": Target(containers, _files),
    "tokens": Target(tokens, _tokens),
}
