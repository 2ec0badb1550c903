"""Frames that are not what the API says: each counts whole or not at all, and what is our own fault is not hidden."""

import random
from array import array
from collections import Counter, deque
from collections.abc import Callable
from enum import Enum
from functools import cache
from itertools import count
from typing import Any, NoReturn

import orjson
import pytest

from realtime.client import incoming
from realtime.client.protocol import Protocol
from realtime.client.server_events import ServerEvent
from tests.realtime.client.samples import GONE, OTHERS, changed, places, whole
from tests.realtime.client.test_states import ENDING, STATES, Talk, check_types, reach
from upstream.commands import (
    Append,
    AskClip,
    AskText,
    CancelReply,
    Command,
    ConfigureSession,
    ContinueReply,
    EndOverdueReply,
    Greet,
    Retry,
    SetTurnDetection,
    TruncateReply,
    UpdateInstructions,
)
from upstream.facts import ReplyAudio, ReplyBegan, ReplyEnded, ReplyNumber, Setup, TurnId, Unusable

READ = sorted(incoming._READERS)
OFTEN = ("idle", "answering", "barge-in", "tuning")  # the others only in `make test-all`


@cache
def odd(kind: str) -> list[bytes]:
    """The event with each of its fields missing, and of every other type."""
    event = whole(kind)
    return [orjson.dumps(changed(event, way, other)) for way in places(event) for other in (GONE, *OTHERS)]


def seen(thing: Any) -> Any:
    """All that an object remembers, but for what it counted as odd."""
    if isinstance(thing, dict):
        return [(seen(key), seen(value)) for key, value in thing.items()]
    if isinstance(thing, list | tuple | deque | array):
        return [seen(each) for each in thing]
    if isinstance(thing, set | frozenset):
        return sorted(thing)
    if isinstance(thing, Counter | Enum | str | bytes | bytearray | int | float | count | None):
        return repr(thing)
    names = getattr(thing, "__slots__", None) or vars(thing)
    return {name: seen(getattr(thing, name)) for name in names if name != "anomalies"}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize(
    "state", [state if state in OFTEN else pytest.param(state, marks=pytest.mark.thorough) for state in STATES]
)
def test_an_odd_frame_counts_whole_or_not_at_all(state: str, kind: str) -> None:
    """Whatever is in any field of it: nothing raises, and what is malformed leaves everything as it was."""
    talk = reach(state)
    before = seen(talk.ours)
    for frame in odd(kind):
        malformed = talk.ours.anomalies["malformed"]
        facts = talk.ours.receive(frame)
        for fact in facts:
            check_types(fact)
        if talk.ours.anomalies["malformed"] > malformed:
            assert facts == []
            assert seen(talk.ours) == before, frame
        elif seen(talk.ours) != before:
            talk = reach(state)


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"\xff", b"[]", b"null", b"7", b'"x"', b"[" * 5000, b'{"a":' * 5000, b"{}", b'{"type": null}',
        b'{"type": {}}', b'{"type": "error", "event_id": 7}', b'{"type": "error", "event_id": {}}', b'{"type": NaN}',
        b'{"type": "\\ud800"}', b'{"type": "error", "error": "no"}', "\ud800",
        b'{"type": "input_audio_buffer.speech_started", "item_id": "x", "audio_start_ms": 1e999}',
        b'{"type": "response.output_audio.delta", "response_id": "x", "delta": "A"}',
        '{"type": "response.output_audio.delta", "response_id": "x", "delta": "न"}',
    ],
)  # fmt: skip
def test_what_is_no_event_is_counted(frame: bytes | str) -> None:
    """Once, and nothing else."""
    talk = reach("answering")
    assert talk.ours.receive(frame) == []
    assert talk.ours.anomalies == {"malformed": 1}


@pytest.mark.parametrize("output", [["odd"], "odd", 7, {"id": "said"}, [{"id": 7}], [None]])
def test_an_end_that_is_malformed_is_no_end(output: Any) -> None:
    """Nothing of it counts, not what it cost either; the end that comes after it does."""
    talk = reach("answering")
    done = {"id": "live", "status": "completed", "usage": {"input_token_details": {"text_tokens": 5}}}
    progress = talk.ours.progress
    assert talk.say("response.done", event_id="e", response={**done, "output": output}) == []
    assert talk.ours.progress == progress
    facts = talk.say("response.done", event_id="e", response={**done, "output": [{"id": "said"}]})
    assert facts[-1] == ReplyEnded(ReplyNumber(1), TurnId(1), "completed", "")
    assert talk.ours.anomalies == {"malformed": 1}


def test_words_that_are_malformed_begin_nothing() -> None:
    """A response of which nobody told begins with words, but with sound ones."""
    talk = reach("thinking")
    assert talk.say("response.output_audio_transcript.delta", response_id="new", delta=7) == []
    assert talk.say("response.output_audio.delta", response_id="new", delta="AAAA") == [
        ReplyBegan(ReplyNumber(1), TurnId(1)),
        ReplyAudio(ReplyNumber(1), bytes(3)),
    ]


def test_of_several_limits_one_is_malformed() -> None:
    """None counts."""
    talk = reach("idle")
    sound = {"name": "tokens", "remaining": 1, "reset_seconds": 2}
    assert talk.say("rate_limits.updated", rate_limits=[sound, {"name": "requests", "remaining": "x"}]) == []
    (allowance,) = talk.say("rate_limits.updated", rate_limits=[{**sound, "name": "requests"}])
    check_types(allowance)


COMMANDS: list[Callable[[TurnId], Command]] = [
    lambda ask: AskText(ask, "x"), lambda ask: AskClip(ask, bytes(9600)), lambda ask: Greet(ask, "Hello."),
    ContinueReply, lambda ask: CancelReply(), lambda ask: TruncateReply(ReplyNumber(ask % 3 + 1), ask),
    lambda ask: SetTurnDetection(ask % 2 == 0), lambda ask: UpdateInstructions(f"You are {ask}."),
    lambda ask: Append(bytes(960)), lambda ask: Retry(), lambda ask: EndOverdueReply(),
    lambda ask: ConfigureSession(Setup(f"You are {ask}.", "marin", "hi", listens=True)),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(200))
def test_nothing_raises_in_any_order(seed: int) -> None:
    """Events of a few responses and items, sound and odd, among all that we may say meanwhile."""
    chance = random.Random(seed)
    talk = reach(chance.choice([state for state in STATES if state not in ENDING]))
    for ask in range(100):
        if chance.random() < 0.4:
            talk.ours.send(chance.choice(COMMANDS)(TurnId(ask)))
            if chance.random() < 0.1:
                talk.ours.to_send()
            continue
        event = whole(chance.choice(READ), chance.choice(["live", "a", "b"]), chance.choice(["turn", "c", "d"]))
        event.pop("event_id", None)
        event.pop("error", None) if chance.random() < 0.8 else None
        if chance.random() < 0.3:
            event = changed(event, chance.choice(list(places(event))), chance.choice(OTHERS))
        for fact in talk.ours.receive(orjson.dumps(event)):
            check_types(fact)
            if isinstance(fact, Unusable):
                talk = Talk()
                talk.open()


@pytest.mark.parametrize("fault", [KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError])
def test_a_fault_of_ours_is_no_malformed_frame(fault: type[Exception]) -> None:
    """It is raised, so that whoever holds the protocol ends and says why."""

    class Stumbling(Protocol):
        def _on(self, event: ServerEvent) -> NoReturn:
            raise fault("a fault of ours")

    ours = Stumbling()
    with pytest.raises(fault):
        ours.receive(b'{"type": "session.created", "session": {}}')
    assert ours.anomalies == {}
