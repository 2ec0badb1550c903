"""How much is buffered for a client, and how long one is waited for. No settings: only tests use other values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Buffer sizes in bytes, and timeouts in seconds."""

    text: int = 32 * 2**20
    """Of unsent messages: about three minutes of whole replies."""
    sound: int = 15 * 48_000
    """Of unsent streamed audio: 15 s, which is released at the pace at which it plays."""
    unsent: int = 64 * 1024
    """Of the kernel's send buffer: a second of a stream, and enough for whole replies at the speed of any network."""
    write_seconds: float = 15.0
    """To write a frame, in addition to its size divided by `slowest_line`."""
    slowest_line: float = 16_000
    """Bytes a second: the least rate at which a caller must read, and must send a large frame."""
    frame_seconds: float = 15.0
    """How long a large incoming frame may stall, or fall behind `slowest_line`."""
    pong_seconds: float = 10.0
    """To write the answer to a ping."""
    resume_seconds: float = 5.0
    """For the first message of a connection that asks to resume a call: it counts for no limit of calls until then."""
    begin_seconds: float = 15.0
    """For the first message of the call that begins because none could be resumed."""
    look_seconds: float = 1.0
    """How often it is looked for signs of life of all callers: web/signs_of_life.py."""
    stream_seconds: float = 5.0
    """Without a frame of a stream: then it is asked (a ping) whether anybody is there."""
    quiet_ping_seconds: float = 12.0
    """Without any sign of life: then it is asked."""
    ping_seconds: float = 30.0
    """From one ping to the next, whatever comes: proxies end connections on which nothing is sent for a minute."""
    lost_seconds: float = 25.0
    """Without any sign of life: then the meter stops."""
    gone_seconds: float = 60.0
    """Without any sign of life: then the connection is ended."""
    linger_seconds: float = 10.0
    """How long, after a close in the middle of a frame, the rest of that frame is read and thrown away."""
    quiet_seconds: float = 1.0
    """If none of it comes for so long, there is no more."""
    linger_bytes: int = 64 * 2**20
    """How much of it."""
    request_seconds: float = 10.0
    """To receive a request without its body, from its first byte; a connection's first, from the start, with TLS."""
    idle_seconds: float = 75.0
    """Between two requests; proxies keep idle connections for 60."""
    answer_seconds: float = 60.0
    """To write a response."""
    body_seconds: float = 10.0
    """To receive the body of a request."""


CLIENT_LIMITS = ClientLimits()
