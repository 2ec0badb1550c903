"""How the caller speaks: in whole clips, or in a stream. Named by a choice, or fixed by the first audio that comes."""

from actors.call.bridges import Bridges
from actors.call.choices import Choices
from actors.call.conversation import Conversation
from actors.call.host import SwitchboardHost
from actors.messages.caller import Mode


class CallMode:
    """`now` holds for whoever is wanted, None until it is known.

    The mode before is kept for whoever is live while another persona is being called: if that fails, they go on in it.
    """

    def __init__(self, host: SwitchboardHost, choices: Choices, bridges: Bridges, conversation: Conversation) -> None:
        self._host, self._choices, self._bridges, self._conversation = host, choices, bridges, conversation
        self.now: Mode | None = None
        self._before: Mode | None = None

    @property
    def streamed(self) -> bool:
        """True once it is known that the caller speaks in a stream."""
        return self.now == "stream"

    @property
    def _named(self) -> set[Mode]:
        """The mode of the call, and those of choices that may yet be granted. None named: the caller may use any."""
        return self._choices.modes | ({self.now} if self.now else set())

    def takes(self, mode: Mode) -> bool:
        """True if the caller may speak like this now."""
        return not self._named or mode in self._named

    def spoke(self, mode: Mode) -> None:
        """The caller spoke like this: the first audio fixes the mode, unless it was named."""
        if not self._named:
            self.set(mode)
            self._before = mode

    def set(self, mode: Mode) -> None:
        """From now on the caller speaks like this; if they spoke otherwise, what was not answered is over."""
        if mode == self.now:
            return
        if self.now:
            self._conversation.interrupt(self._bridges.line.live, self._host.clock())
            self._conversation.inbound.stream.drop()
        self.hold(mode)
        self._bridges.go_on()

    def hold(self, mode: Mode | None) -> None:
        """Use this mode for whoever is wanted. What came in another is refused, once no choice can ask for it."""
        self.now, inbound = mode, self._conversation.inbound
        self._conversation.outbound.set_mode(self.streamed, self._host.clock())
        self._bridges.tune(self.streamed)
        if came := inbound.came:
            self.spoke(came)
            inbound.sift(self.takes("clip"), self.takes("stream") or not self._bridges.serving)
        if self.streamed:
            self._host.pace()

    def keep(self) -> None:
        """Another persona is being called: whoever is live may go on in the mode of now."""
        self._before = self.now

    def restore(self) -> None:
        """The switch failed: the mode before holds again."""
        self.hold(self._before)
