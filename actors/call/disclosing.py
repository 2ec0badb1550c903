"""When the caller is told that an AI speaks: at the beginning of a call, and again after three hours of talk.

Talk is the time of calls, of this one and of those that this process knows of the same user. That the words are heard,
insisted.py sees to.
"""

from collections.abc import Mapping

from actors.call.host import SwitchboardHost
from actors.call.insisted import What
from actors.call.switchboard import Switchboard
from actors.call.timers import ReminderDue
from actors.caring.talks import REMINDED_SECONDS, Talks
from personas import Persona
from upstream.facts import TurnId


class Disclosing:
    """One call's, of this user. `talks` are those of the process; with `leaves_out` the caller is told nothing."""

    def __init__(
        self, host: SwitchboardHost, switchboard: Switchboard, talks: Talks, user: str, leaves_out: bool
    ) -> None:
        self._host, self._bridges, self._talks, self._user = host, switchboard.bridges, talks, user
        self._insisted = switchboard.conversation.greetings.insisted
        self._since, self._reminded = host.clock(), False
        self._leaves_out = leaves_out
        if leaves_out:
            return
        left = talks.left(user)
        self._reminded = not left  # by the words at the beginning
        self._tell()
        host.after(left or REMINDED_SECONDS, ReminderDue())

    def heard(self, unheard: Mapping[TurnId, str]) -> bool:
        """True if the caller was told in this call; `unheard`: what was heard of what is not heard to its end."""
        return self._leaves_out or self._insisted.heard(What.DISCLOSURE, unheard)

    def begin_heard(self) -> None:
        """The call goes on here, and the caller was told elsewhere."""
        self._insisted.forgive(What.DISCLOSURE)

    def remind(self) -> None:
        """Three hours are over."""
        self._since, self._reminded = self._host.clock(), True
        self._tell()
        self._host.after(REMINDED_SECONDS, ReminderDue())
        self._bridges.go_on()

    def ended(self) -> None:
        """The call is over: note how long it was."""
        self._talks.add(self._user, self._host.clock() - self._since, reminded=self._reminded)

    def _tell(self) -> None:
        self._insisted.owe(What.DISCLOSURE, words)


def words(persona: Persona) -> str:
    """What this persona says."""
    return persona.disclosure
