"""How much may wait for a client, and how long we wait for one. No settings: tests have less of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """With clients who are slow, or gone. What is held for them is in bytes."""

    text: int = 32 * 2**20
    """Of messages: some three minutes of whole replies that a caller does not read."""
    sound: int = 15 * 48_000
    """Of a stream: 15 s of it, which is released at the pace at which it plays."""
    unsent: int = 64 * 1024
    """In the kernel: a stream's second, and fast enough for whole replies on any line."""
    write_seconds: float = 15.0
    """For a frame to be written, and longer for one that takes longer on the slowest line."""
    slowest_line: float = 16_000
    """Bytes a second that a caller must read, and of a large frame send, at the least."""
    frame_seconds: float = 15.0
    """For a large frame that comes to stand still, or comes no faster than the slowest line, to go on."""
    pong_seconds: float = 10.0
    """For the answer to a ping to be written."""
    request_seconds: float = 10.0
    """For a whole request without its body, from its first byte; the first of a connection, and TLS, from the start."""
    idle_seconds: float = 75.0
    """Between two requests; proxies keep idle connections for 60."""
    answer_seconds: float = 60.0
    """For the answer to a question to be read."""
    body_seconds: float = 10.0
    """For the body of a question."""


PATIENCE = Patience()
