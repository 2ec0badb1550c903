"""A client of the app's wire over a real WebSocket, for `call`, the demo, tests and benchmarks."""

import asyncio
import io
import ssl
import time
import wave
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Origin

from audio import SYNTHETIC, wav
from upstream.facts import BYTES_PER_MS

Message = dict[str, Any]
MAX_FRAME = 16 * 2**20  # a reply of 100 s takes 6.4 MiB


class CallEnded(Exception):
    """The server closed the call, or refused it: `code` and `reason` of the close frame, and the last error message.

    If the handshake was refused, `code` is the HTTP status and `reason` the body; `retry_after` are the seconds after
    which another is worth it, 0 if the server does not say.
    """

    def __init__(self, code: int, reason: str, error: Message | None, retry_after: int = 0) -> None:
        what = "the call ended" if code >= 1000 else "the server refused it"
        super().__init__(f"{what} with {code}: {reason or 'no reason given'}")
        self.code, self.reason, self.error, self.retry_after = code, reason, error, retry_after


class NoServer(ConnectionError):
    """No server answers at the URL."""


class InvalidAddress(Exception):
    """The URL is invalid, or its server does not accept WebSockets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply of the persona. `seconds` is the time from the question to its arrival, `plays` its playing time."""

    wav: bytes
    text: str
    response_id: str
    seconds: float
    plays: float


@dataclass
class Phone:
    """One call. Use as `async with Phone(url, user) as phone`. Every message received is appended to `seen`.

    `bearer` is the token of the call, where the server wants one, and is sent as `Authorization`. `query` holds the
    parameters of the URL, `on_message` is called with each message, `error` is the last error message, `numbers` are
    whom to call for help, once the server has told.

    Entering raises CallEnded if the handshake is refused, InvalidAddress, NoServer, TimeoutError, SSLError.
    """

    url: str
    user: str
    query: dict[str, str] = field(default_factory=dict)
    origin: Origin | None = None
    on_message: Callable[[Message], None] = lambda message: None
    speaking: str = ""  # the response_id of the binary frames that arrive now
    seen: list[Message] = field(default_factory=list)
    error: Message | None = None
    numbers: list[Message] = field(default_factory=list)
    keepalive: dict[str, Any] = field(default_factory=dict)  # of websockets' `connect`: ping_interval, ping_timeout
    bearer: str = field(default="", repr=False)
    socket: ClientConnection = field(init=False, repr=False)

    async def __aenter__(self) -> Self:
        self.socket = await self.dial(self.query)
        return self

    async def dial(self, query: dict[str, str]) -> ClientConnection:
        """Open a connection. Raises as entering does."""
        address = f"{self.url}/ws-mobile/{quote(self.user, safe='')}"
        if query:
            address += f"?{urlencode(query)}"
        try:
            headers = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else None
            options: dict[str, Any] = {"max_size": MAX_FRAME, "additional_headers": headers, **self.keepalive}
            return await connect(address, origin=self.origin, proxy=None, **options)
        except InvalidStatus as refused:
            reason = (refused.response.body or b"").decode(errors="replace").strip()
            told = refused.response.headers.get("Retry-After", "")
            wait = int(told) if told.isdecimal() else 0
            raise CallEnded(refused.response.status_code, reason, None, wait) from None
        except TimeoutError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise InvalidAddress(f"the certificate of {self.url} is not valid: {error.verify_message}") from None
        except ssl.SSLError:
            raise InvalidAddress(f"the server at {self.url} does not speak TLS: write ws:// for wss://") from None
        except OSError as error:
            raise NoServer(f"no server answers at {self.url} ({error.strerror or error})") from None
        except (InvalidURI, InvalidHandshake, ValueError) as error:  # ValueError: of a port that there cannot be
            raise InvalidAddress(f"no call can be placed to {self.url}: {error}") from None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()

    async def say(self, **message: Any) -> None:
        """Send one message, e.g. `say(type="text", text="hello")`. Raises CallEnded when the server has closed."""
        await self.send(orjson.dumps(message).decode())

    async def send(self, frame: str | bytes) -> None:
        """Send one frame. Raises CallEnded when the server has closed."""
        try:
            await self.socket.send(frame)
        except ConnectionClosed:
            raise await self.closed() from None

    async def choose(self, astrologer_id: str, **audio: str) -> Message:
        """Choose a persona or switch to one, e.g. `choose(id, mode="stream")`. Returns the config_ack."""
        await self.say(type="config", astrologer_id=astrologer_id, **({"audio": audio} if audio else {}))
        return await self.hear("config_ack")

    async def speak(self, pcm: bytes, frame_ms: int = 20) -> None:
        """Send audio (PCM16 24 kHz mono) in frames of `frame_ms`, as fast as the server reads. Raises CallEnded."""
        size = frame_ms * BYTES_PER_MS
        for start in range(0, len(pcm), size):
            await self.send(pcm[start : start + size])

    async def reply(self, since: float | None = None, within: float = 60.0) -> Answer:
        """Wait for a complete streamed reply; its `seconds` end at the first audio. Raises CallFailed on an error.

        A reply that a lost upstream connection interrupted is complete with the reply that continues it.
        """
        since = time.perf_counter() if since is None else since
        async with asyncio.timeout(within):
            while (started := await self.next())["type"] != "response_started":
                if started["type"] == "error":
                    raise CallFailed(started)
                if started["type"] == "transcript" and _is_unspoken(started["item_id"]):
                    return Answer(
                        wav(b"", SYNTHETIC), started["text"], started["item_id"], time.perf_counter() - since, 0.0
                    )
        pcm, words, first, lost = bytearray(), list[str](), 0.0, False
        while True:
            message = await asyncio.wait_for(self.next(), within)
            match message:
                case {"type": "sound", "pcm": piece}:
                    first = first or time.perf_counter() - since
                    pcm += piece
                case {"type": "transcript", "role": "assistant", "final": True, "text": text}:
                    words.append(text)
                case {"type": "notice", "code": "reconnecting"}:
                    lost = True
                case {"type": "response_done", "status": "incomplete"} if lost:
                    lost = False
                case {"type": "response_done"}:
                    plays = len(pcm) / BYTES_PER_MS / 1000
                    return Answer(wav(bytes(pcm), SYNTHETIC), " ".join(words), started["response_id"], first, plays)
                case {"type": "error"}:
                    raise CallFailed(message)

    async def send_clip(self, clip: bytes) -> None:
        """Send one recorded clip, in bytes of a file."""
        await self.say(type="audio", audio=b64encode(clip).decode())

    async def ask(self, clip: bytes) -> Answer:
        """Send one recorded clip and wait for the reply to it. Raises as `answer`."""
        since = time.perf_counter()
        await self.send_clip(clip)
        return await self.answer(since)

    async def answer(self, since: float | None = None, within: float = 60.0) -> Answer:
        """Wait for a complete reply in clip mode, `within` seconds. Raises CallFailed, CallEnded, TimeoutError."""
        since = time.perf_counter() if since is None else since
        text = await self.hear("text_response", within)
        if _is_unspoken(text["response_id"]):
            return Answer(wav(b"", SYNTHETIC), text["text"], text["response_id"], time.perf_counter() - since, 0.0)
        sound = await self.hear("audio_response", within)
        data = b64decode(sound["audio"])
        return Answer(data, text["text"], sound["response_id"], time.perf_counter() - since, duration(data))

    async def hear(self, kind: str, within: float = 60.0) -> Message:
        """Wait for the next message of type `kind` and return it. Other messages are skipped; `seen` has them.

        Raises CallFailed on an error message (unless `kind` is "error"), CallEnded if the server closed, TimeoutError.
        """
        async with asyncio.timeout(within):
            while True:
                message = await self.next()
                if message["type"] == kind:
                    return message
                if message["type"] == "error":
                    raise CallFailed(message)

    async def next(self) -> Message:
        """Wait for the next message. A binary frame is {"type": "sound", "response_id", "pcm"}. Raises CallEnded."""
        frame = await self.receive()
        message: Message
        if isinstance(frame, bytes):
            message = {"type": "sound", "response_id": self.speaking, "pcm": frame}
        else:
            message = orjson.loads(frame)
        self.note(message)
        return message

    def note(self, message: Message) -> None:
        """Remember a message, and tell `on_message`."""
        self.seen.append(message)
        if message["type"] == "error":
            self.error = message
        self.numbers = message.get("numbers") or message.get("help") or self.numbers
        if message["type"] == "response_started":
            self.speaking = message["response_id"]
        self.on_message(message)

    async def receive(self) -> str | bytes:
        """The next frame. Raises CallEnded."""
        try:
            return await self.socket.recv()
        except ConnectionClosed:
            code, reason = self.socket.close_code or 1006, self.socket.close_reason or ""
            raise CallEnded(code, reason, self.error) from None

    async def closed(self, within: float = 60.0) -> CallEnded:
        """Wait until the server closes the call. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                try:
                    await self.next()
                except CallEnded as ended:
                    return ended


class CallFailed(Exception):
    """The server sent an error message instead of an answer; `code` is an error code of the wire."""

    def __init__(self, message: Message) -> None:
        super().__init__(f"{message['code']}: {message['message']}")
        self.code = message["code"]


def duration(wav: bytes) -> float:
    """How many seconds a WAV file plays."""
    with wave.open(io.BytesIO(wav)) as sound:
        return float(sound.getnframes() / sound.getframerate())


def _is_unspoken(response_id: str) -> bool:
    """True for a greeting of which nothing can be spoken: no sound follows its words."""
    return response_id.endswith(".0")
