"""What a user told of their age on one server is known on the others, with real supervisors and sessions."""

from actors.admission.ages import DAY
from actors.messages.caller import Chose
from actors.testing.stage import Stage
from personas import Profile
from tests.kit.fleet import Caller, Node, fleet
from tests.kit.four import FOUR, TINA
from tests.simulation.register import CALM, Trouble

AWAY = Trouble(away=1.0, longest=2.0)
CHILD, GROWN = Profile(birth_date="2015-05-31"), Profile(birth_date="1980-05-31")


def calls(node: Node, user: str, profile: Profile | None = None, wait: float = 1.0) -> Caller:
    """A user calls somebody who costs money, and says how old they are."""
    caller = node.connects(user)
    node._stage.advance(wait)
    caller.says(Chose(TINA, profile=profile))
    node._stage.advance(wait)
    return caller


def test_a_minor_on_one_server_is_one_on_the_others(stage: Stage) -> None:
    """As soon as they have told it, whatever they say there; for a day, and nobody else is."""
    with fleet(stage, FOUR) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        assert calls(a, "one", CHILD).errors == ["not_for_minors"]
        assert calls(b, "one", GROWN).errors == ["not_for_minors"]
        assert calls(b, "two", GROWN).personas == []
        b.welcome()
        assert b.callers[-1].personas == [TINA]
        stage.advance(100.0)
        assert calls(b, "one").errors == ["not_for_minors"]
        for node in (a, b):
            assert DAY - 110.0 < node.services.ages.left("one", stage.clock.now()) < DAY - 100.0


def test_who_tells_it_in_the_middle_of_a_call_is_one_there_too(stage: Stage) -> None:
    """And in the next call on another server, at once."""
    with fleet(stage, FOUR) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        one = a.calls("one", TINA)
        one.says(Chose(TINA, profile=CHILD))
        stage.advance(0.05)
        assert calls(b, "one", wait=0.05).errors == ["not_for_minors"]


def test_it_is_told_when_the_register_is_back(stage: Stage) -> None:
    """Meanwhile each server goes by what it knows, and nobody is kept out."""
    with fleet(stage, FOUR) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        trouble(AWAY, a, b)
        assert calls(a, "one", CHILD).errors == ["not_for_minors"]
        assert calls(b, "one", GROWN).errors == []
        b.welcome()
        assert b.callers[-1].personas == [TINA]
        trouble(CALM, a, b)
        stage.advance(5.0)
        assert calls(b, "one").errors == ["not_for_minors"]
        assert calls(a, "one").errors == ["not_for_minors"]


def test_a_register_that_forgets_learns_it_again(stage: Stage) -> None:
    """With the next call of the user on a server that knows."""
    with fleet(stage, FOUR) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        assert calls(a, "one", CHILD).errors == ["not_for_minors"]
        nodes.memory.forget()
        assert calls(a, "one").errors == ["not_for_minors"]
        assert calls(b, "one").errors == ["not_for_minors"]


def trouble(kind: Trouble, *nodes: Node) -> None:
    """From now on the register is so for these."""
    for node in nodes:
        node.register.line.trouble = kind
