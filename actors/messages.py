"""Everything that actors say to each other, grouped by arrow.

Facts travel up in the past tense, commands travel down in the imperative. What goes to the caller carries the
names of the wire, one class per message type (docs/wire.md).
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from actors.meter import Bill
from actors.runtime import LoopRef, Ref
from audio import Packed
from personas import Persona, Profile
from personas.pricing import Amount, Tariff
from upstream.facts import Event, Role, Setup, Status, Turn

Mode: TypeAlias = Literal["clip", "stream"]
"""clip: whole recorded utterances and whole replies. stream: audio as it is spoken, both ways."""

# caller -> session


@dataclass(frozen=True, slots=True)
class Chose:
    """The caller wants to talk to this persona; in this mode, or in the one that there is.

    With a `profile` they tell of themselves; without one, what they told before holds.
    """

    astrologer_id: str
    mode: Mode | None = None
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """The caller wants to talk to whoever fits these words best; in this language, if it is given."""

    query: str
    language: str | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Spoke:
    """Audio as it is spoken: PCM16 little-endian, mono, 24 kHz, whole samples."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Played:
    """So much of a reply the caller's player has played, in ms from its start."""

    response_id: str
    ms: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """One utterance, as the phone recorded it: m4a, webm, ogg, wav, mp3 or 3gp. A large one is still packed."""

    clip: bytes | Packed


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
class HungUp:
    """The caller ended the call in order."""


@dataclass(frozen=True, slots=True)
class Garbled:
    """The caller sent something that the wire refused."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Flooded:
    """More came on the connection than may, in a way that only the endpoint sees."""

    reason: str


FromCaller: TypeAlias = (
    Chose | Sought | Spoke | Played | Recorded | Typed | Interrupted | Pinged | HungUp | Garbled | Flooded
)

# session -> caller


@dataclass(frozen=True, slots=True)
class ConfigAck:
    """The persona is on the line."""

    astrologer_id: str
    name: str
    language: str
    language_code: str
    voice: str
    session_id: str
    message: str
    price: Tariff | None = None


@dataclass(frozen=True, slots=True)
class AudioResponse:
    """One whole reply: PCM16 little-endian, mono, 24 kHz, which the wire sends as a WAV file."""

    response_id: str
    pcm: bytes


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


NoticeCode: TypeAlias = Literal["switching", "reconnecting", "resumed", "say_again", "minute", "draining"]


@dataclass(frozen=True, slots=True)
class Notice:
    """`seconds` on the line so far and `price` so far, one for each currency, are those of a minute."""

    code: NoticeCode
    message: str
    seconds: int | None = None
    price: tuple[Amount, ...] | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """How long the caller talked to whom, and what it costs: the last word before the Close."""

    bill: Bill


@dataclass(frozen=True, slots=True)
class Error:
    """Something of the caller's did not work; the call goes on unless a Close follows."""

    code: str
    message: str


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
    | Transcript | Clear | Notice | Summary | Error | Pong | Close
)  # fmt: skip

# endpoint -> supervisor, and back


@dataclass(frozen=True, slots=True)
class Admitted:
    """You may come in: from now on tell this session what the caller says."""

    session: "LoopRef[From | Detached]"


@dataclass(frozen=True, slots=True)
class Connected:
    """A caller's connection asks to come in; `outbox` is told Admitted, or an Error and a Close.

    `mode` is that of its address.
    """

    user: str
    connection: int
    outbox: Ref[ToCaller | Admitted]
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """How the supervisor is: whether a call would be let in now, and how many are on the line."""

    admitting: bool
    callers: int


@dataclass(frozen=True, slots=True)
class Inquired:
    """Somebody outside wants to know how it goes."""

    reply_to: Ref[Report]


# endpoint, supervisor -> session


@dataclass(frozen=True, slots=True)
class Attached:
    """The caller's connection, by number; what an older number says is dropped from now on.

    They speak in this mode, if one is given, until a config names another.
    """

    connection: int
    outbox: Ref[ToCaller]
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Detached:
    """The connection is gone, and how: closed by the caller, or by its shore; else simply gone."""

    connection: int
    how: Close = Close(1006, "the connection is gone")


@dataclass(frozen=True, slots=True)
class From:
    """What the caller said, on this connection."""

    connection: int
    message: FromCaller


@dataclass(frozen=True, slots=True)
class Replaced:
    """The same user has called again, over a newer connection."""


# session -> supervisor


@dataclass(frozen=True, slots=True)
class Leaving:
    """The session is its caller's no more; its Down follows when the last facts are in.

    `code` is that with which the connection was closed, 1006 when it was simply gone.
    """

    session: LoopRef[Any]
    code: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The model has given this session a whole reply."""

    session: LoopRef[Any]


@dataclass(frozen=True, slots=True)
class Barred:
    """The upstream refuses our account: it would refuse every other call as well."""

    reason: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The caller would be put on the line with the first of these who may have one more.

    Granted comes back, or Declined when none of them may.
    """

    session: "LoopRef[Granted | Declined]"
    choice: int
    personas: tuple[Persona, ...]


@dataclass(frozen=True, slots=True)
class LetGo:
    """Of the personas that it has claimed, by id, the session needs only these any more."""

    session: LoopRef[Any]
    keeps: frozenset[str]


FromSession: TypeAlias = Leaving | Answered | Barred | Claimed | LetGo

# supervisor -> session


@dataclass(frozen=True, slots=True)
class Granted:
    """The persona of this choice is the caller's, in this very version."""

    choice: int
    persona: Persona


# session -> persona, and back


@dataclass(frozen=True, slots=True)
class Choose:
    """May the caller talk to this one?"""

    choice: int
    astrologer_id: str


@dataclass(frozen=True, slots=True)
class Seek:
    """Who fits these words, of those who take calls now?"""

    choice: int
    query: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Know:
    """What the caller told of themselves, for the rest of the call."""

    profile: Profile


@dataclass(frozen=True, slots=True)
class Meet:
    """A choice was granted: what the file says of memory now holds from here on."""


@dataclass(frozen=True, slots=True)
class Serve:
    """From now on the caller talks to this one: time is metered."""

    persona: Persona


@dataclass(frozen=True, slots=True)
class Rest:
    """From now on the caller talks to nobody: no time is metered."""


@dataclass(frozen=True, slots=True)
class Settle:
    """The call is over: what does it come to?"""


@dataclass(frozen=True, slots=True)
class Prepare:
    """What must an upstream connection of this generation be told to be the chosen persona?"""

    generation: int
    persona: Persona


@dataclass(frozen=True, slots=True)
class Remember:
    """A turn as it was heard; a later one with the same `ask` and role replaces it, an empty one removes it."""

    persona: str
    ask: int
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Selected:
    """Each of these personas would do for this choice, the best first; they take calls, and are as they are now."""

    choice: int
    personas: tuple[Persona, ...]


@dataclass(frozen=True, slots=True)
class Declined:
    choice: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Prepared:
    generation: int
    persona: Persona
    setup: Setup
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Passed:
    """One more minute is full."""

    bill: Bill


@dataclass(frozen=True, slots=True)
class Settled:
    """What the call comes to; nothing is metered any more."""

    bill: Bill


ToPersona: TypeAlias = Choose | Seek | Meet | Know | Prepare | Remember | Serve | Rest | Settle
FromPersona: TypeAlias = Selected | Declined | Prepared | Passed | Settled

# session -> bridge, and back


@dataclass(frozen=True, slots=True)
class Configure:
    """Be this persona, for this choice of the caller's. Only while nothing has been said on the connection."""

    choice: int
    setup: Setup
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Instruct:
    """Be the same persona by these instructions, from the next answer on."""

    instructions: str


@dataclass(frozen=True, slots=True)
class Greet:
    ask: int
    words: str


@dataclass(frozen=True, slots=True)
class AskClip:
    """PCM16 little-endian, mono, 24 kHz: one utterance to be answered."""

    ask: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class AskText:
    ask: int
    text: str


@dataclass(frozen=True, slots=True)
class GoOn:
    """Bring to its end the answer to this ask that a lost connection began; the turns seeded hold what was heard."""

    ask: int


@dataclass(frozen=True, slots=True)
class Append:
    """Some more of what the caller says: PCM16 little-endian, mono, 24 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Listen:
    """Find the turns in what is appended, or wait for whole clips."""

    listens: bool


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop answering whatever is being answered."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Let the model remember of this reply only what was heard, in ms from its start."""

    reply: int
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The connection is the persona of this choice, and waits for something to answer.

    From now on it lasts `seconds` at most.
    """

    generation: int
    choice: int
    seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Fact:
    """What the upstream protocol said, on the connection of this generation."""

    generation: int
    event: Event


ToBridge: TypeAlias = Configure | Instruct | Listen | Append | Greet | AskClip | AskText | GoOn | Hush | Keep
FromBridge: TypeAlias = Ready | Fact


class UpstreamLost(Exception):
    """The connection to the model is gone; another one may work."""


class UpstreamRefused(Exception):
    """The upstream will not do what we asked for, and would refuse again."""


class AccountRefused(UpstreamRefused):
    """It will not serve us at all, whatever we ask for: the key, the quota, the model."""
