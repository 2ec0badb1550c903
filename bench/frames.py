"""The part of WebSocket (RFC 6455) that a load generator needs, at a low cost of CPU."""

import base64
import hashlib
import os
import struct

from websockets.speedups import apply_mask

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def header(opcode: int, length: int, masked: bool = False) -> bytes:
    """The header of a frame. The masking key is zero, so that the payload is sent unchanged."""
    bit, key = (128, bytes(4)) if masked else (0, b"")
    if length < 126:
        return bytes((128 | opcode, bit | length)) + key
    if length < 65536:
        return struct.pack("!BBH", 128 | opcode, bit | 126, length) + key
    return struct.pack("!BBQ", 128 | opcode, bit | 127, length) + key


def frame(opcode: int, payload: bytes, masked: bool = False) -> bytes:
    """A complete frame."""
    return header(opcode, len(payload), masked) + payload


def request(path: str, host: str) -> bytes:
    """The client's request of the handshake."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def response(headers: dict[str, str]) -> bytes:
    """The server's response to the handshake; `headers` are those of the request."""
    accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def headers(head: bytes) -> dict[str, str]:
    """The header fields of a request, by name in lower case."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


class Reader:
    """Parses frames, and puts the fragments of a message together."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = 0  # the opcode of a message of which more comes
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The messages that are complete now: opcode and payload, unmasked."""
        if self._rest:
            data = self._rest + data
        frames, at, size = [], 0, len(data)
        while size - at >= 2:
            first, length, start = data[at], data[at + 1] & 127, at + 2
            masked = data[at + 1] & 128
            if length >= 126:
                width = 2 if length == 126 else 8
                if size < start + width:
                    break
                length = int.from_bytes(data[start : start + width])
                start += width
            key = data[start : start + 4] if masked else b""
            start += 4 if masked else 0
            if size < start + length:
                break
            payload = data[start : start + length]
            if masked and key != bytes(4):
                payload = apply_mask(payload, key)
            if first > 128 and first & 15:
                frames.append((first & 15, payload))
            elif whole := self._joined(first, payload):
                frames.append(whole)
            at = start + length
        self._rest = data[at:]
        return frames

    def _joined(self, first: int, payload: bytes) -> tuple[int, bytes] | None:
        """The message that a fragment completes."""
        self._begun = first & 15 or self._begun
        self._parts.append(payload)
        if first < 128:
            return None
        whole, self._parts = b"".join(self._parts), []
        return self._begun, whole
