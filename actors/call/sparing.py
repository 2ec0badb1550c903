"""What follows in a call when its caller turns out to be a minor (caller_age.py), at its beginning or in the middle.

- Known before a choice: it is declined if it is for a persona who costs money, or is for adults only.
- Known while one of these is wanted, or on the line: no priced time is metered any more, the persona is told
  (personas/prompt.py), the caller is told kindly and may choose somebody else for PARTING_SECONDS; then the call ends
  at a pause. What is being said is never cut.
"""

from collections.abc import Callable

from actors.admission import minors
from actors.call.bridges import Bridges
from actors.call.caller_age import CallerAge
from actors.call.connection import Caller
from actors.call.host import SwitchboardHost
from actors.call.timers import Look
from actors.call.transcripts import nobody
from actors.call.watch import For, Waiting
from actors.messages.persona import Spare, ToPersona
from actors.runtime import Ref
from actors.services import Services
from personas import Profile


class Sparing:
    """Knows whether the caller is a minor, and tells whoever has to know."""

    def __init__(
        self, host: SwitchboardHost, caller: Caller, persona: Ref[ToPersona], bridges: Bridges, services: Services
    ) -> None:
        self._host, self._caller, self._persona, self._bridges = host, caller, persona, bridges
        self._services, self._age = services, CallerAge(caller.identity, services, services.clock.now)
        self.told: Callable[[Profile], None] = nobody
        """Is told what the caller tells of themselves, too."""
        if self._age.minor:
            persona.tell(Spare())

    @property
    def minor(self) -> bool:
        """True if the caller is known to be a minor: nothing of what is said is kept, here or elsewhere."""
        return self._age.minor

    def learn(self, profile: Profile | None) -> None:
        """The caller told this of themselves."""
        if self._age.learn(profile):
            self._spare()
        if profile:
            self.told(profile)

    def suspect(self) -> None:
        """A child speaks, as the guardian is sure: that counts unless the token says that the caller is grown up."""
        if self._age.suspect():
            self._spare()

    def part(self) -> None:
        """Somebody is wanted: tell the caller if that is one whom they may not talk to, as is known by now."""
        wanted, services = self._bridges.line.wanted, self._services
        if wanted and self._age.bars(wanted.persona):
            self._caller.tell(minors.parting(wanted.persona, services.current.catalogue, services.clock.wall()))

    def waits(self) -> list[Waiting]:
        """For somebody else to be chosen, where whoever is wanted may not stay."""
        wanted = self._bridges.line.wanted
        return [Waiting(For.PARTING, wanted.choice)] if wanted and self._age.bars(wanted.persona) else []

    def _spare(self) -> None:
        self._persona.tell(Spare())
        self._bridges.prepare_anew()
        self.part()
        self._host.after(0.0, Look())
