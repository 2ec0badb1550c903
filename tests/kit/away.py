"""A call on a stage whose caller goes away, and comes back."""

from typing import Any

from actors.messages.admission import Admitted, Attached, CannotResume, Detached, Resume
from actors.messages.caller import Chose, Close, ConfigAck, Mode, Receipt, ResponseDone, Sound
from actors.messages.resuming import NotResumedCode, Resumed, ResumeOffer
from actors.testing.fragile import FragileLine
from actors.testing.probe import Probe
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.four import TINA
from tests.kit.streaming import asked, begin, finish, give

TALK = 10.0  # seconds after which a call is worth coming back to


class FragileCall:
    """A caller who may come back; `line` is their newest connection, `offer` is how they come back."""

    def __init__(self, scene: Scene, mode: Mode = "stream", *, greeted: bool = True) -> None:
        self.scene, self.line = scene, FragileLine()
        self.verdict = Probe("verdict")
        self.attach = 0
        scene.connection += 1
        scene.session.tell(Attached(scene.connection, self.line))
        scene.says(Chose(TINA, mode, resumable=True))
        self.wire: Wire = scene.wire(1)
        self.wire.welcome()
        ack = self.line.fish_for(ConfigAck)
        assert isinstance(ack.resume, ResumeOffer)
        self.offer = ack.resume
        if greeted:
            begin(self.wire, "greeting", asked(self.wire))
            give(self.wire, "greeting", "Namaste.")
            finish(self.wire, "greeting")
            scene.stage.advance(TALK)
            if mode == "stream":
                self.line.fish_for(ResponseDone)
            self.acknowledge()
            self.line.take()

    def acknowledge(self) -> None:
        """The caller says what they received."""
        self.scene.says(Receipt(self.line.received))
        self.scene.stage.settle()

    def goes(self, how: Close | None = None) -> None:
        """The connection ends, and the server knows."""
        gone = Detached(self.scene.connection)
        self.scene.session.tell(Detached(self.scene.connection, how) if how else gone)
        self.scene.stage.settle()

    def tries(self, attach: int | None = None, received: int | None = None, token: str = "") -> FragileLine:
        """A connection asks for the call; the answer comes to `verdict`, or to the supervisor."""
        line = FragileLine("caller, back")
        self.scene.connection += 1
        attach = self.attach if attach is None else attach
        received = self.line.received if received is None else received
        where = (token or self.offer.token, attach, received)
        self.scene.session.tell(Resume("somebody", self.scene.connection, line, self.verdict, *where))
        self.scene.stage.settle()
        return line

    def comes_back(self) -> Resumed:
        """The caller is back on another connection."""
        self.line = self.tries()
        self.verdict.fish_for(Admitted)
        resumed = self.line.expect(Resumed)
        self.attach = resumed.attach
        return resumed

    def refused(self) -> NotResumedCode:
        """Why the last try was refused."""
        code: NotResumedCode = self.scene.supervisor.fish_for(CannotResume).code
        return code


def sound(messages: list[Any]) -> bytes:
    """All sound of these messages."""
    return b"".join(one.pcm for one in messages if isinstance(one, Sound))
