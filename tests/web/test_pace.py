"""Who speaks is never held back, who was out of reach catches up, and who floods pays for what it sends."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from actors.testing.stage import Stage
from tests.kit.raw import head
from tests.web.test_frame_queue import SOUND, Connection
from web import reading_budget, receiver
from web.reading_budget import LONGEST, PACE, PACE_AT_ONCE, READ_FRAMES
from web.request_scheduler import RequestScheduler

FRAME = 0.02  # seconds
PLAYED = b'{"type":"played","response_id":"1","ms":20}'


class NoTurns(RequestScheduler):
    """Others have them all."""

    async def turn(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def line(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A connection that never has a turn, whose pace goes by the clock of the stage."""
    clock = SimpleNamespace(monotonic=lambda: stage.now, perf_counter=lambda: stage.now)
    for module in (receiver, reading_budget):
        monkeypatch.setattr(module, "time", clock)
    connection = Connection(stage, scheduler=NoTurns())
    yield connection
    connection.task.cancel()
    stage.settle()


@pytest.mark.parametrize("together", [1, 10, 20])
def test_who_speaks_is_never_held_back(line: Connection, stage: Stage, together: int) -> None:
    """For a minute, frame by frame or some at once; now and then they say what they have heard."""
    played, sent = head(len(PLAYED)) + PLAYED, 0
    for number in range(int(60 / FRAME / together)):
        some = [SOUND] * together + [played] * (number * together % 50 == 0)
        line.parser.feed_data(b"".join(some))
        stage.settle()
        sent += len(some)
        assert not line.receiver.holds_back
        assert len(line.heard) == sent
        stage.advance(FRAME * together)


def test_who_was_out_of_reach_catches_up_while_others_flood(line: Connection, stage: Stage) -> None:
    """Five seconds of sound come at once, and then what is spoken: without any turn all is heard in as long again."""
    held = spoken = int(5 / FRAME)
    line.parser.feed_data(SOUND * held)
    stage.settle()
    assert len(line.heard) < held
    waits = b""
    for _ in range(spoken):
        stage.advance(FRAME)
        waits += SOUND
        if not line.protocol._reading_paused:
            line.parser.feed_data(waits)
            waits = b""
    stage.advance(FRAME)
    assert (len(line.heard), waits) == (held + spoken, b"")


def test_a_flood_of_sound_has_its_pace_and_no_more(line: Connection, stage: Stage) -> None:
    """Without any turn."""
    line.parser.feed_data(SOUND * 2000)
    stage.settle()
    stage.advance(4)
    sure, more = 4 * PACE, PACE_AT_ONCE + 2 * READ_FRAMES
    assert sure <= len(line.heard) <= sure + more


def test_a_flood_of_messages_waits_for_its_turns(line: Connection, stage: Stage) -> None:
    """Also of one who was speaking, or says a little in between."""
    line.parser.feed_data(SOUND * 30)
    stage.advance(1)
    line.parser.feed_data((head(len(PLAYED)) + PLAYED + SOUND) * 500)
    stage.settle()
    stage.advance(2 * LONGEST)
    told = len(line.heard)
    stage.advance(60)
    assert len(line.heard) == told < 100


def test_who_was_out_of_reach_may_say_what_they_heard(line: Connection, stage: Stage) -> None:
    """Twice a second, as they did meanwhile: they catch up all the same."""
    line.parser.feed_data((SOUND * 25 + head(len(PLAYED)) + PLAYED) * 10)
    stage.settle()
    assert len(line.heard) < 260
    stage.advance(3)
    assert len(line.heard) == 260


def test_a_flood_that_has_stopped_costs_nothing_later(line: Connection, stage: Stage) -> None:
    """When it was read the call is as before: what is said is heard at once."""
    line.parser.feed_data(SOUND * 500)
    stage.advance(500 / PACE + 1)
    assert len(line.heard) == 500
    line.parser.feed_data(SOUND)
    assert (line.session.backlog, line.receiver.holds_back) == (1, False)
    stage.settle()


def test_a_text_costs_more_than_sound(line: Connection, stage: Stage) -> None:
    """Thirty messages at once are over the pace; as many frames of sound are not."""
    line.parser.feed_data(SOUND * 30)
    stage.settle()
    assert not line.receiver.holds_back
    stage.advance(1)
    line.parser.feed_data((head(len(PLAYED)) + PLAYED) * 30)
    stage.settle()
    assert line.receiver.holds_back


def test_of_a_flood_whose_connection_is_lost_little_more_is_read(line: Connection, stage: Stage) -> None:
    """What its pace allows at once, and the rest is thrown away."""
    line.parser.feed_data(SOUND * 500)
    stage.settle()
    told = len(line.heard)
    cast(Any, line.receiver.request).transport = None
    stage.advance(10)
    assert len(line.heard) - told <= PACE_AT_ONCE + 2 * READ_FRAMES
    assert line.task.done()
