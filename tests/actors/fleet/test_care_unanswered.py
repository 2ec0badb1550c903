"""A caller may be in danger, and their call moves before anybody has said so."""

from collections.abc import Callable

from actors.caring.judging import Talk
from actors.messages.caller import Typed
from actors.messages.caring import Help
from actors.messages.guardian import Judged
from actors.messages.resuming import Resumed
from actors.testing.stage import Stage
from care.signs import Worried
from tests.kit.fleet_stage import FleetStage

WORDS = "I have written all the letters now."  # which no list knows


class SlowJudge:
    """It is asked, and answers when the test does."""

    pause = 5.0

    def __init__(self) -> None:
        self.asked: list[tuple[Talk, Callable[[Judged], None]]] = []

    def ask(self, talk: Talk, tell: Callable[[Judged], None]) -> Callable[[], None]:
        """As of Judge."""
        self.asked.append((talk, tell))
        return lambda: None


def test_what_a_judge_had_not_answered_is_asked_where_the_call_goes_on(stage: Stage) -> None:
    """Though its caller says nothing more."""
    judge = SlowJudge()
    fleet = FleetStage(stage, judge=judge)
    call = fleet.call()
    call.says(Typed(WORDS))
    stage.advance(0.5)
    fleet.a.dies()
    judge.asked.clear()
    assert isinstance(call.tries(fleet.b), Resumed)
    [(talk, tell)] = judge.asked
    assert ("user", WORDS) in talk
    tell(Judged((Worried("suicide", sure=True),)))
    call.line.fish_for(Help)
    fleet.b.wire().welcome()
    fleet.end()
