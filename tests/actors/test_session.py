"""Moments of a session that no socket can hold still: real actors, and an upstream whose frames the test writes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import orjson

from actors.base import MOST_WAITING, Down, Hired, Overrun, Stop, launch
from actors.equipment import Equipment
from actors.messages import (
    Attached,
    AudioResponse,
    Chose,
    ConfigAck,
    Detached,
    Error,
    From,
    Interrupted,
    Pinged,
    Pong,
    Typed,
)
from actors.session import SessionInbox, UserSessionActor
from audio import Pool
from realtime.events import Frame, LinkEnded
from tests.kit.four import FOUR, MOHIT, PRIYANKA, TINA
from tests.kit.probe import Probe


class Wire:
    """An upstream connection by hand: what was sent on it, and what the test says comes."""

    def __init__(self, to: Any) -> None:
        self.to, self.sent = to, list[dict[str, Any]]()

    def send(self, frames: list[bytes]) -> None:
        self.sent += [orjson.loads(frame) for frame in frames]

    def close(self) -> None:
        self.to.tell(LinkEnded(1000, ""))

    def abort(self) -> None:
        pass

    def say(self, **event: Any) -> None:
        """One event from the upstream."""
        self.to.tell(Frame(orjson.dumps(event).decode()))

    def welcome(self, voice: str) -> None:
        """The session is there, and as it was asked for."""
        self.say(type="session.created")
        self.say(type="session.updated", session={"audio": {"output": {"voice": voice}}})

    def last(self, kind: str) -> dict[str, Any]:
        """The newest event of this type that was sent."""
        return [event for event in self.sent if event["type"] == kind][-1]

    def answer(self, words: str) -> None:
        """Answer the newest response.create, with one sample of sound: heard to its end before anybody can speak."""
        response = {"id": words, "metadata": self.last("response.create")["response"]["metadata"]}
        self.say(type="response.created", response=response)
        self.say(type="response.output_audio.delta", response_id=words, delta="AAA=")
        self.say(type="response.output_audio_transcript.delta", response_id=words, delta=words)
        self.say(type="response.done", response={"id": words, "status": "completed"})


class Upstream:
    """Hands out wires."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []

    def dial(self, user: str, to: Any) -> Any:
        self.wires.append(Wire(to))
        return self.wires[-1]


async def until(true: Callable[[], bool]) -> None:
    """Let the actors have their turns until this holds: thousands are enough for anything."""
    for _ in range(100_000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


class Scene:
    """A session with a caller, and everything around it told by hand."""

    def __init__(self) -> None:
        self.caller, self.parent, self.upstream = Probe(), Probe(), Upstream()
        equipment = Equipment(FOUR, self.upstream, Pool())
        self.session: Hired[SessionInbox] = launch(UserSessionActor("u", "s", equipment, Probe()), self.parent)
        self.session.tell(Attached(1, self.caller))

    def say(self, said: Any) -> None:
        """The caller says something."""
        self.session.tell(From(1, said))

    async def wire(self, number: int) -> Wire:
        """The connection of this number, once it is dialled."""
        await until(lambda: len(self.upstream.wires) >= number)
        return self.upstream.wires[number - 1]

    async def sent(self, wire: Wire, kind: str, count: int = 1) -> None:
        """Wait until so many events of this type were sent."""
        await until(lambda: sum(event["type"] == kind for event in wire.sent) >= count)

    async def end(self) -> None:
        """Hang up; the session must end quietly."""
        self.session.tell(Stop())
        assert (await self.parent.expect(Down)).cause is None


def run(story: Coroutine[Any, Any, None]) -> None:
    """A few seconds at most."""
    asyncio.run(asyncio.wait_for(story, 10))


async def on_the_line(scene: Scene) -> Wire:
    """Tina is on the line and has greeted."""
    scene.say(Chose(TINA))
    wire = await scene.wire(1)
    wire.welcome("marin")
    await scene.sent(wire, "response.create")
    wire.answer("greeting")
    await scene.caller.expect(AudioResponse)
    return wire


def test_a_choice_made_while_the_switch_before_it_gives_up_is_the_one_that_counts() -> None:
    """What is said from then on is meant for it, and reaches it."""

    async def story() -> None:
        scene = Scene()
        await on_the_line(scene)
        scene.say(Chose(MOHIT))
        second = await scene.wire(2)
        second.to.tell(LinkEnded(3000, "no"))
        scene.say(Chose(PRIYANKA))  # in the mailbox before the Down of Mohit's bridge
        third = await scene.wire(3)
        assert (await scene.caller.expect(Error)).code == "persona_switch_failed"
        third.welcome("shimmer")
        await scene.sent(third, "response.create")
        third.answer("greeting")
        scene.say(Typed("are you there?"))
        await scene.sent(third, "conversation.item.create")
        assert third.last("conversation.item.create")["item"]["content"][0]["text"] == "are you there?"
        await scene.end()

    run(story())


def test_a_greeting_that_is_refused_does_not_hold_up_the_turns_behind_it() -> None:
    """The caller is told, and what they said early is asked."""

    async def story() -> None:
        scene = Scene()
        scene.say(Chose(TINA))
        scene.say(Typed("early"))
        wire = await scene.wire(1)
        wire.welcome("marin")
        await scene.sent(wire, "response.create")
        refused = wire.last("response.create")["event_id"]
        wire.say(type="error", error={"code": "invalid_value", "message": "no", "event_id": refused})
        assert (await scene.caller.expect(Error)).code == "upstream_unavailable"
        await scene.sent(wire, "response.create", 2)
        assert wire.last("conversation.item.create")["item"]["content"][0]["text"] == "early"
        await scene.end()

    run(story())


def test_the_greeting_stands_before_what_was_said_early_when_history_is_seeded() -> None:
    """Else the model would think that it spoke last; and nothing is seeded that will be asked again."""

    async def story() -> None:
        scene = Scene()
        scene.say(Chose(TINA))
        scene.say(Typed("early"))
        wire = await scene.wire(1)
        wire.welcome("marin")
        await scene.sent(wire, "response.create")
        wire.answer("hello")
        await scene.sent(wire, "response.create", 2)
        wire.answer("yes")
        scene.say(Typed("later"))
        await scene.sent(wire, "response.create", 3)
        wire.to.tell(LinkEnded(1006, "gone"))
        again = await scene.wire(2)
        again.welcome("marin")
        await scene.sent(again, "response.create")
        items = [event["item"] for event in again.sent if event["type"] == "conversation.item.create"]
        said = [(item["role"], item["content"][0]["text"]) for item in items]
        assert said == [("assistant", "hello"), ("user", "early"), ("assistant", "yes"), ("user", "later")]
        await scene.end()

    run(story())


def test_config_ack_comes_before_the_greeting_is_asked_for() -> None:
    """And only when the voice asked for was confirmed."""

    async def story() -> None:
        scene = Scene()
        scene.say(Chose(TINA))
        wire = await scene.wire(1)
        wire.welcome("alloy")  # not hers
        ended = await scene.caller.expect(Error)
        assert ended.code == "upstream_refused"
        assert not any(isinstance(message, ConfigAck) for message in scene.caller.heard)
        assert "response.create" not in [event["type"] for event in wire.sent]
        assert (await scene.parent.expect(Down)).cause is None

    run(story())


def test_an_interrupted_greeting_is_not_given_on_the_next_connection() -> None:
    """It had begun, the connection was lost, the caller said stop: what they say next is asked at once."""

    async def story() -> None:
        scene = Scene()
        scene.say(Chose(TINA))
        wire = await scene.wire(1)
        wire.welcome("marin")
        await scene.sent(wire, "response.create")
        wire.to.tell(LinkEnded(1006, "gone"))
        again = await scene.wire(2)
        scene.say(Interrupted())
        scene.say(Typed("to the point"))
        again.welcome("marin")
        await scene.sent(again, "response.create")
        assert "instructions" not in again.last("response.create")["response"]
        assert again.last("conversation.item.create")["item"]["content"][0]["text"] == "to the point"
        await scene.end()

    run(story())


def test_what_an_older_connection_says_is_dropped() -> None:
    """Connections are numbered; only the newest has the line, and only its end ends the call."""

    async def story() -> None:
        scene, newer = Scene(), Probe()
        scene.session.tell(Attached(2, newer))
        scene.session.tell(From(1, Pinged()))
        scene.session.tell(Detached(1))
        scene.session.tell(From(2, Pinged()))
        await newer.expect(Pong)
        assert scene.caller.heard == newer.heard == []
        scene.session.tell(Detached(2))
        assert (await scene.parent.expect(Down)).cause is None

    run(story())


def test_a_bridge_that_is_told_too_much_ends_its_session() -> None:
    """Not a loss that another connection would mend: the cause reaches the supervisor."""

    async def story() -> None:
        scene = Scene()
        wire = await on_the_line(scene)
        for _ in range(MOST_WAITING + 1):
            wire.say(type="rate_limits.updated")
        assert isinstance((await scene.parent.expect(Down)).cause, Overrun)
        assert len(scene.upstream.wires) == 1

    run(story())
