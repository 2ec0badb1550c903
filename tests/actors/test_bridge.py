"""A bridge alone on a stage: its session is a probe, its upstream a wire."""

import time
from dataclasses import replace

import pytest

from actors.bridge import OPENING_SECONDS, BridgeInbox, OpenAIBridgeActor
from actors.messages.bridge import AskText, Configure, Ready, UpstreamEvent, UpstreamLost
from actors.messages.ids import ChoiceId, Generation
from actors.runtime import Hired, Stop
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from actors.testing.wire import Wire, Wires
from upstream.facts import Postponed, ReplyEnded, ReplyNumber, Setup, TurnId
from upstream.link import OPEN_SECONDS
from upstream.models import Capabilities

SETUP = Configure(ChoiceId(1), Setup("You are Tina.", "marin", "hi"), ())


class Alone:
    """The bridge of a first generation, dialled."""

    def __init__(self, stage: Stage, can: Capabilities | None = None, full: bool = False) -> None:
        self.stage, self.session, self.upstream = stage, Probe("session"), Wires()
        self.upstream.full = full
        self.upstream.can = can or Capabilities()
        self.bridge: Hired[BridgeInbox] = stage.launch(
            OpenAIBridgeActor, self.session, Generation(1), self.upstream, "somebody", SETUP
        )
        stage.settle()

    @property
    def wire(self) -> Wire:
        (wire,) = self.upstream.dialled
        return wire

    def configured(self) -> Wire:
        """It is Tina, and has said so."""
        self.wire.welcome()
        self.session.expect(Ready)
        return self.wire

    def end(self) -> None:
        """Leave in order."""
        self.bridge.tell(Stop())
        self.stage.expect_terminated(self.bridge)


@pytest.mark.parametrize(("expires_in", "seconds"), [(None, 1795.0), (600.0, 600.0), (3600.0, 1795.0), (-5.0, 1795.0)])
def test_a_bridge_that_is_ready_says_how_long_it_lasts(stage: Stage, expires_in: float | None, seconds: float) -> None:
    """What the model's record allows, from dialling; less if the upstream said so, unless a clock is wrong."""
    alone = Alone(stage, Capabilities(session_seconds=1800))
    stage.advance(5)
    expires_at = None if expires_in is None else time.time() + expires_in
    alone.wire.say(type="session.created", session={"expires_at": expires_at})
    alone.wire.say(type="session.updated", session={"audio": {"output": {"voice": "marin"}}})
    assert seconds - 60 < alone.session.expect(Ready, choice=1).seconds <= seconds  # the upstream's clock is a real one
    alone.end()


@pytest.mark.parametrize("welcomed", [False, True])
def test_a_connection_that_is_not_ready_in_time_is_given_up(stage: Stage, welcomed: bool) -> None:
    """Whether nothing comes at all, or a session that is never what we asked for; sooner than a handshake may last."""
    alone = Alone(stage)
    if welcomed:
        alone.wire.say(type="session.created")
    stage.advance(OPENING_SECONDS - 0.1)
    assert alone.bridge.is_alive()
    stage.advance(0.2)
    stage.expect_terminated(alone.bridge, UpstreamLost)
    assert OPENING_SECONDS < OPEN_SECONDS


@pytest.mark.parametrize("changed", [False, True])
def test_the_time_to_be_ready_begins_with_the_dialling(stage: Stage, changed: bool) -> None:
    """Others go first, for as long as it takes, also if it is to be somebody else by then."""
    alone = Alone(stage, full=True)
    if changed:
        stage.advance(6)
        alone.bridge.tell(replace(SETUP, choice=ChoiceId(2)))
    stage.advance(60)
    assert alone.bridge.is_alive()
    alone.wire.begin()
    stage.advance(OPENING_SECONDS - 0.1)
    assert alone.bridge.is_alive()
    stage.advance(0.2)
    stage.expect_terminated(alone.bridge, UpstreamLost)


def test_a_connection_that_waited_for_its_turn_lasts_as_long_as_any(stage: Stage) -> None:
    """For the upstream it is as old as its handshake."""
    alone = Alone(stage, Capabilities(session_seconds=1800), full=True)
    stage.advance(25)
    alone.wire.begin()
    alone.wire.welcome()
    assert alone.session.expect(Ready).seconds == 1800
    alone.end()


def test_a_connection_that_waits_for_its_turn_may_be_left(stage: Stage) -> None:
    alone = Alone(stage, full=True)
    stage.advance(1)
    alone.end()


def test_a_connection_that_is_to_be_somebody_else_has_its_time_again(stage: Stage) -> None:
    """It was told late, and takes a moment; once it is ready it may be silent for as long as nobody asks anything."""
    alone = Alone(stage)
    alone.wire.say(type="session.created")
    stage.advance(OPENING_SECONDS - 1)
    alone.bridge.tell(replace(SETUP, choice=ChoiceId(2)))
    stage.advance(OPENING_SECONDS - 1)
    alone.wire.consent()
    alone.wire.consent()
    alone.session.expect(Ready, choice=2)
    stage.advance(100)
    alone.end()


def test_an_ask_after_a_long_silence_is_given_time(stage: Stage) -> None:
    """Nobody owed us anything before; what is owed and brought no further for long is lost."""
    alone = Alone(stage)
    alone.configured()
    stage.advance(100 - 0.1)
    alone.bridge.tell(AskText(TurnId(1), "hello"))
    stage.advance(14)
    assert alone.bridge.is_alive()
    stage.advance(6)
    stage.expect_terminated(alone.bridge, UpstreamLost)


def test_other_news_does_not_hide_that_an_answer_is_overdue(stage: Stage) -> None:
    """The end of a response was lost: frames still come, and nothing would ever be answered."""
    alone = Alone(stage)
    wire = alone.configured()
    alone.bridge.tell(AskText(TurnId(1), "hello"))
    stage.settle()
    wire.say(type="response.created", response={"id": "a", "metadata": {"ask": "1"}})
    for _ in range(8):
        wire.say(type="rate_limits.updated", rate_limits=[{"name": "tokens", "remaining": 1}])
        stage.advance(3)
    stage.advance(2)
    stage.expect_terminated(alone.bridge, UpstreamLost)


def test_an_answer_that_was_said_whole_is_over_though_its_end_was_lost(stage: Stage) -> None:
    """Else it would be said once more on another connection."""
    alone = Alone(stage)
    wire = alone.configured()
    alone.bridge.tell(AskText(TurnId(1), "hello"))
    stage.settle()
    wire.say(type="response.created", response={"id": "a", "metadata": {"ask": "1"}})
    wire.say(type="response.output_audio_transcript.delta", response_id="a", delta="Namaste.")
    stage.advance(10)
    assert not any(isinstance(fact.event, ReplyEnded) for fact in alone.session.take())
    wire.say(type="response.output_item.done", response_id="a", item={"id": "said", "status": "completed"})
    stage.advance(10)
    alone.session.fish_for(UpstreamEvent(Generation(1), ReplyEnded(ReplyNumber(1), TurnId(1), "completed", "Namaste.")))
    alone.bridge.tell(AskText(TurnId(2), "and now"))
    stage.settle()
    wire.answer("at last")
    alone.end()


def test_what_was_put_off_is_asked_again_when_its_time_has_come(stage: Stage) -> None:
    """The bridge has the clock; the session hears of the reply that will not be."""
    alone = Alone(stage)
    wire = alone.configured()
    alone.bridge.tell(AskText(TurnId(1), "hello"))
    stage.settle()
    wire.say(type="response.created", response={"id": "a", "metadata": {"ask": "1"}})
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 2s."}
    wire.say(type="response.done", response={"id": "a", "status": "failed", "status_details": {"error": error}})
    alone.session.fish_for(UpstreamEvent(Generation(1), Postponed(ReplyNumber(1), TurnId(1), 2.0)))
    stage.advance(1.9)
    assert wire.kinds.count("response.create") == 1
    stage.advance(0.2)
    assert wire.kinds.count("response.create") == 2
    assert wire.kinds.count("conversation.item.create") == 1
    wire.answer("at last")
    alone.end()
