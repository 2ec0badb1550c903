"""What a caller reads who comes back, of a server that the test plays: nothing is untrue, nothing is written over."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import WebSocketRoute, expect

from tests.kit.four import MOHIT
from tests.kit.process import Server
from tests.page.conftest import Visit
from tests.page.visitor import Visitor

OFFER = {"token": "Wd3", "attach": 0, "seconds": 30}
RESUMED = {"type": "resumed", "attach": 1, "received": 0, "away_ms": 9, "uplink_ms": 300}
MOVED = {**RESUMED, "lost_ms": 0, "asked_again": False, "node": "b"}
ANEW = "What was said before could not be kept: a new call has begun."
NUMBERS = [{"name": "Tele-MANAS", "number": "14416", "languages": ["hi"]}]

Told = list[dict[str, Any]]


def ack() -> dict[str, Any]:
    """Mohit is on the line."""
    who = {"astrologer_id": MOHIT, "name": "Mohit", "language": "English", "language_code": "en", "voice": "cedar"}
    return {"type": "config_ack", **who, "session_id": "1-1", "message": "", "synthetic": True, "resume": OFFER}


def says(words: str) -> Told:
    """A streamed reply, of which no sound came."""
    reply = {"type": "transcript", "role": "assistant", "text": words, "item_id": "1.1", "final": True}
    start = {"type": "response_started", "response_id": "1.1", "astrologer_id": MOHIT, "format": "pcm16"}
    return [start, reply, {"type": "response_done", "response_id": "1.1", "status": "completed"}]


class Played:
    """A server: what it answers to each kind of message, and what it was told."""

    def __init__(self, visitor: Visitor, **answers: Told) -> None:
        self.visitor, self.answers = visitor, {"ping": [{"type": "pong"}], **answers}
        self.heard: list[dict[str, Any]] = []
        visitor.page.route_web_socket(lambda url: "/ws/" in url, self._open)

    def _open(self, socket: WebSocketRoute) -> None:
        socket.on_message(self._hear(socket))
        if "resume=true" not in socket.url:
            self._say(socket, [ack(), *says("Namaste.")])

    def _hear(self, socket: WebSocketRoute) -> Callable[[str | bytes], None]:
        def hear(frame: str | bytes) -> None:
            if isinstance(frame, bytes):
                return
            self.heard.append(json.loads(frame))
            self._say(socket, self.answers.get(self.heard[-1]["type"], []))

        return hear

    def _say(self, socket: WebSocketRoute, messages: Told) -> None:
        for message in messages:
            socket.send(json.dumps(message))

    def kinds(self) -> list[str]:
        """What it was told of late, but for what is told again and again."""
        return [one["type"] for one in self.heard if one["type"] not in ("ping", "played", "ack")]


def called(running: Server, visit: Visit, **answers: Told) -> tuple[Visitor, Played]:
    """The greeting was heard, and a question is typed."""
    visitor = visit(f"http://{running.address}/")
    played = Played(visitor, **answers)
    visitor.call("Mohit")
    visitor.sees("listening")
    visitor.type("Will I marry?")
    return visitor, played


def loses(visitor: Visitor) -> None:
    """The network is gone."""
    visitor.page.evaluate("dispatchEvent(new Event('offline'))")
    visitor.sees("reconnecting")


def test_a_new_call_is_written_below_the_old_one(running: Server, visit: Visit) -> None:
    """Its replies are counted from the beginning: nothing is written over, and the words of the old one are there."""
    words = "Namaste. You will marry in May."
    lost = [{"type": "not_resumed", "code": "too_much", "message": "a new one begins", "text": words}]
    visitor, _ = called(running, visit, resume=lost, config=[ack(), *says("Good morning.")])
    loses(visitor)
    visitor.sees("listening")
    assert visitor.lines("assistant") == ["Namaste.", "You will marry in May.", "Good morning."]
    expect(visitor.page.locator("#problem")).to_have_text(ANEW)
    expect(visitor.page.locator(".line.unheard")).to_have_text("You: Will I marry?")


def test_a_call_that_goes_on_elsewhere_is_left_alone(running: Server, visit: Visit) -> None:
    """Nobody is called from here."""
    stale = [{"type": "not_resumed", "code": "stale", "message": "it goes on elsewhere"}]
    visitor, played = called(running, visit, resume=stale)
    loses(visitor)
    visitor.sees("ended", "it goes on in another tab or on another device")
    assert played.kinds() == ["text", "resume"]


def test_a_call_that_ended_meanwhile_says_whom_to_call(running: Server, visit: Visit) -> None:
    """The notice did not come through; the bill has the numbers."""
    summary = {"seconds": 9, "by_persona": [], "help": NUMBERS}
    over = {"type": "not_resumed", "code": "ended", "message": "it has ended", "summary": summary}
    visitor, _ = called(running, visit, resume=[over])
    loses(visitor)
    visitor.sees("ended", "it was over before you were back")
    expect(visitor.page.locator(".help a")).to_have_attribute("href", "tel:14416")


def test_a_persona_who_has_forgotten_is_not_passed_off_as_one_who_knows(running: Server, visit: Visit) -> None:
    """The servers keep no words; and what the caller was saying is not waited for."""
    moved = [{**MOVED, "received": 99, "forgotten": True}]
    heard = {"type": "transcript", "role": "user", "text": "Will I marry?", "item_id": "user.2", "final": True}
    visitor, _ = called(running, visit, resume=moved, text=[heard, {"type": "speech_started"}])
    visitor.sees("hearing")
    loses(visitor)
    expect(visitor.page.locator("#captions > .note").last).to_contain_text(
        "does not know any more what was said before"
    )
    visitor.sees("listening")


def test_what_was_typed_without_a_line_outlives_a_reload(running: Server, visit: Visit) -> None:
    """It is sent when the call goes on, and its answer is waited for."""
    visitor, played = called(running, visit, resume=[RESUMED])
    loses(visitor)
    visitor.type("Are you there?")
    visitor.reload()
    visitor.sees("thinking")
    texts = [one["text"] for one in played.heard if one["type"] == "text"]
    assert (texts[0], texts[-1]) == ("Will I marry?", "Are you there?")
