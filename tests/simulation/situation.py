"""In which of its states a call is, as something goes wrong on one of its connections."""

from collections.abc import Iterable

from tests.simulation.caller import Caller
from tests.simulation.model import Link

SITUATIONS = (
    "connecting",
    "updating",
    "greeting",
    "idle",
    "user speaking",
    "model speaking",
    "coming while live",
    "retiring",
    "closing",
)


def situation(link: Link, links: Iterable[Link], callers: Iterable[Caller]) -> str:
    """One of SITUATIONS; it is the connection's own, where another one serves."""
    caller = next((each for each in callers if each.user == link.user and not each.gone and not each.ear.closed), None)
    serving = [other for other in links if other.user == link.user and other.updated and not other.ended]
    if caller is None:
        return "closing"
    if any(other.number > link.number for other in serving):
        return "retiring"
    if not link.updated:
        alone = "updating" if link.open else "connecting"
        return "coming while live" if serving else alone
    if caller.speaking:
        return "user speaking"
    if not link.greeted_at:
        return "greeting"
    if link.world.now >= caller.ear.player.until:
        return "idle"
    said = caller.ear.player.tape[-1].piece.word.answer
    return "greeting" if said.startswith("greeting") else "model speaking"
