"""What is told to the guardian of a call: it is hired with the first words, and again after a crash."""

from collections.abc import Callable

from actors.counters import Counters
from actors.guardian import Guarding
from actors.messages.guardian import KnowHelplines, Said, ToGuardian, Transcript
from actors.runtime import Ref
from care import Helpline


class Guard:
    """`hire` hires a guardian. One that has crashed is replaced twice; then that is counted, and the call goes on."""

    def __init__(self, hire: Callable[[], Ref[ToGuardian]], counters: Counters) -> None:
        self._hire, self._counters = hire, counters
        self._guarding = Guarding()
        self._guardian: Ref[ToGuardian] | None = None

    def overhear(self, transcript: Transcript, text: str, final: bool) -> None:
        """Somebody has said this: some more of a transcript, or all of it."""
        if not text or not self._guarding.reads(transcript):
            return
        if self._guardian is None:
            self._guardian = self._hire()
        self._guardian.tell(Said(transcript, text, final))

    def know(self, helplines: tuple[Helpline, ...]) -> None:
        """The caller is in another country: help is named by these numbers now."""
        if self._guardian:
            self._guardian.tell(KnowHelplines(helplines))

    def ended(self, cause: BaseException | None, now: float) -> None:
        """The guardian has ended."""
        self._guardian = None
        if not self._guarding.ended(cause, now):
            self._counters.guardians_given_up += 1
