"""What the caller says to a session, and what it says to the caller: by the names of docs/wire.md, a class for each."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from actors.messages.caring import Help, HelpNumber
from actors.messages.resuming import Encoded, NotResumed, Resumed, ResumeOffer
from audio import Packed
from personas import Profile
from personas.meter import Bill
from personas.pricing import Amount, Tariff
from upstream.facts import Role, Status
from upstream.hot_message import hot_message

Mode: TypeAlias = Literal["clip", "stream"]
"""clip: whole recorded utterances and whole replies. stream: audio as it is spoken, both ways."""


@dataclass(frozen=True, slots=True)
class Chose:
    """The caller wants to talk to this persona; in this mode, or in the one that there is.

    With a `profile` they tell of themselves; without one, what they told before holds. `resumable`: their connection
    may be lost, and they will come back.
    """

    astrologer_id: str
    mode: Mode | None = None
    profile: Profile | None = None
    resumable: bool = False


@dataclass(frozen=True, slots=True)
class SearchedPersona:
    """The caller wants to talk to whoever fits these words best; in this language, if it is given."""

    query: str
    language: str | None = None
    mode: Mode | None = None
    resumable: bool = False


@hot_message
class Spoke:
    """Audio as it is spoken: PCM16 little-endian, mono, 24 kHz, whole samples."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Played:
    """So much of a reply the caller's player has played, in ms from its start."""

    response_id: str
    ms: int


class Counted(Protocol):
    """Bytes that are counted while they wait (actors/admission/waiting.py). `lost`: others needed the room."""

    lost: bool

    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """One utterance, as the phone recorded it: m4a, webm, ogg, wav, mp3 or 3gp. A large one is still packed.

    `counted` is what it was counted as until now, if it was.
    """

    clip: bytes | Packed
    counted: Counted | None = None


@dataclass(frozen=True, slots=True)
class Typed:
    text: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller wants the persona to stop talking."""


@dataclass(frozen=True, slots=True)
class Pinged:
    pass


@dataclass(frozen=True, slots=True)
class Partial:
    """A frame that is complete only with the next: it says nothing yet, and counts."""


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    """The caller is back on another connection: `attach` and `received` are of the last one that they saw begin."""

    token: str
    attach: int
    received: int


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller ended the call in order."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """The caller sent something that the wire refused."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Stray:
    """A binary frame came that is no audio of a stream: `message` says what it is. More of the kind may follow."""

    message: str


SLOW = 4413
"""The close code of a line that is too slow, in either direction: who may come back does so at once."""


@dataclass(frozen=True, slots=True)
class TooFast:
    """More came on the connection than may, or too slowly, in a way that only the endpoint sees.

    `code` is that of the close, `error` that of the error before it, if there is one.
    """

    reason: str
    code: int = 4400
    error: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """So many frames of this connection the caller has `received`; `said` is what else the message says, if it does."""

    received: int
    said: "FromCaller | None" = None


FromCaller: TypeAlias = (
    Chose | SearchedPersona | Spoke | Played | Recorded | Typed | Interrupted | Pinged | HungUp | Partial | Receipt
    | ResumeAsked | Malformed | Stray | TooFast
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConfigAck:
    """The persona is on the line. `disclosure` says in its language that an AI speaks; the voice is `synthetic`."""

    astrologer_id: str
    name: str
    language: str
    language_code: str
    voice: str
    session_id: str
    message: str
    price: Tariff | None = None
    resume: ResumeOffer | None = None
    disclosure: str | None = None
    synthetic: bool = True


@dataclass(frozen=True, slots=True)
class AudioResponse:
    """One whole reply: PCM16 little-endian, mono, 24 kHz, which the wire sends as a WAV file. It grows no more."""

    response_id: str
    pcm: bytes | bytearray


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """The persona begins to speak: the audio that follows is of this reply."""

    response_id: str
    astrologer_id: str
    format: Literal["pcm16"] = "pcm16"


@dataclass(frozen=True, slots=True)
class Sound:
    """Some of a reply: PCM16 little-endian, mono, 24 kHz, which the wire sends as a binary frame."""

    response_id: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """All of a reply was sent, or all that there will be of it."""

    response_id: str
    status: Status


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The model hears the caller speak."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The model hears that the caller has stopped."""


@dataclass(frozen=True, slots=True)
class TextResponse:
    response_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    role: Role
    text: str
    item_id: str
    final: bool = True


@dataclass(frozen=True, slots=True)
class Clear:
    """Stop playing this reply, throw away what is buffered of it."""

    response_id: str


NoticeCode: TypeAlias = Literal[
    "switching", "reconnecting", "resumed", "waiting", "say_again", "typed_only", "minute", "draining", "budget",
    "not_for_minors",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notice:
    """`seconds` on the line so far and `price` so far, one for each currency, are those of a minute."""

    code: NoticeCode
    message: str
    seconds: int | None = None
    price: tuple[Amount, ...] | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """How long the caller talked to whom, what it costs, and `help`: the last word before the Close."""

    bill: Bill
    help: tuple[HelpNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class Error:
    """Something of the caller's did not work; the call goes on unless a Close follows."""

    code: str
    message: str
    limit: str = ""  # the setting that was reached
    retry_after: int = 0  # seconds


@dataclass(frozen=True, slots=True)
class Pong:
    pass


@dataclass(frozen=True, slots=True)
class Close:
    """The last thing said on a connection: a WebSocket close code, and a reason of at most 123 bytes."""

    code: int
    reason: str


ToCaller: TypeAlias = (
    ConfigAck | AudioResponse | TextResponse | ResponseStarted | Sound | ResponseDone | SpeechStarted | SpeechStopped
    | Transcript | Clear | Notice | Help | Summary | Error | Pong | Resumed | NotResumed | Encoded | Close
)  # fmt: skip
