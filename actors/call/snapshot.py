"""What a session shows of its call, to tests and to whoever watches the server. Made when somebody asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from actors.call.conversation import Conversation
from actors.call.line import Line
from actors.call.turns import Utterance
from actors.runtime import Snapshot
from upstream.facts import BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class CallNow:
    """How a call stands, without anybody's words.

    `state` is one of choosing, connecting, listening, hearing, thinking, speaking, away, ending. `persona` is the id of
    whoever is wanted, else empty. `generation` is the connection that serves, 0 if none does; `coming` the one that is
    to take over. `heard_ms` and `spoken_ms`: the caller's audio that has come, and the personas' that was sent.
    `phases` are the newest of each phase, in seconds.
    """

    state: str
    persona: str
    streamed: bool
    generation: int
    coming: int
    heard_ms: int
    spoken_ms: int
    phases: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SessionSnapshot(Snapshot):
    """What a session shows of its call.

    `connection` and `address` are the caller's. `holds` are the personas, by id, that are on the line or wanted there.
    `turns` wait for an answer, the oldest first; `unsent` are the bytes of replies that the caller was not sent yet.
    `away`: the caller's connection is lost, and they may come back.
    """

    connection: int
    address: str
    holds: frozenset[str]
    turns: tuple[Utterance, ...]
    unsent: int
    away: bool
    now: CallNow


def of_session(
    base: Snapshot, caller: tuple[int, str], line: Line, conversation: Conversation, how: tuple[int, bool, bool, float]
) -> SessionSnapshot:
    """The snapshot of a session. `caller`: the connection and the address; `how`: ms of a stream, away, ending, now."""
    holds = frozenset(one.persona.id for one in (line.wanted, line.live and line.live.selection) if one)
    turns, unsent, away = tuple(conversation.inbound.turns), conversation.outbound.unsent, how[1]
    now = _now(line, conversation, *how)
    return SessionSnapshot(base.parent, base.children, base.cause, *caller, holds, turns, unsent, away, now)


def _now(line: Line, conversation: Conversation, streamed_ms: int, away: bool, ending: bool, now: float) -> CallNow:
    outbound, clips = conversation.outbound, conversation.inbound.recordings.ms
    spoken = outbound.playing.gone + sum(outgoing.released for outgoing in outbound.playing)
    return CallNow(
        state="ending" if ending else "away" if away else _state(line, conversation, now),
        persona=line.wanted.persona.id if line.wanted else "",
        streamed=outbound.streamed,
        generation=line.live.generation if line.live else 0,
        coming=line.coming.generation if line.coming else 0,
        heard_ms=streamed_ms + clips,
        spoken_ms=spoken // BYTES_PER_MS,
        phases=outbound.phases.latest,
    )


def _state(line: Line, conversation: Conversation, now: float) -> str:
    if not line.wanted:
        return "choosing"
    if not line.live or line.live.selection != line.wanted:
        return "connecting"
    if conversation.inbound.stream.speaking:
        return "hearing"
    if any(one.begun and (not one.done or one.heard_ms(now) < one.ms) for one in conversation.outbound.playing):
        return "speaking"
    if conversation.greetings.owed or any(said.asked for said in conversation.inbound.turns):
        return "thinking"
    return "listening"
