"""What a caller's token locks in holds where choices are made."""

from typing import cast

from actors.messages.admission import Attached, From
from actors.messages.caller import Chose, Close, ConfigAck, Error, Mode, SearchedPersona, Typed
from actors.messages.identity import Identity
from actors.runtime import Stop, launch
from actors.services import Services
from actors.session import UserSessionActor
from actors.testing.probe import Probe
from actors.testing.scene import Decoders, Scene, Supervisor
from actors.testing.stage import Stage
from actors.testing.wire import Wires
from audio import Pool
from personas import CurrentCatalogue
from tests.kit.four import FOUR, MOHIT, PRIYANKA, TINA


def scene(stage: Stage, *personas: str, mode: Mode | None = None, seconds: float | None = None) -> Scene:
    """A caller whose token names these personas."""
    who = frozenset(personas) if personas else None
    return Scene(stage, FOUR, identity=Identity("somebody", who, mode, seconds))


def test_another_persona_ends_the_call_before_anything_is_opened(stage: Stage) -> None:
    """4403, with the reason; no place is taken, and nobody is dialled."""
    call = scene(stage, TINA)
    call.supervisor.by_hand = True
    call.says(Chose(MOHIT))
    assert call.caller.expect(Error).code == "not_allowed"
    assert call.caller.expect(Close).code == 4403
    assert call.upstream.dialled == []
    assert not [asked for asked in call.supervisor.box if type(asked).__name__ == "Reserve"]
    call.end()


def test_a_switch_to_another_persona_is_refused_and_the_call_goes_on(stage: Stage) -> None:
    """Whoever is on the line answers the next turn."""
    call = scene(stage, TINA, PRIYANKA)
    wire = call.on_the_line(TINA)
    call.says(Chose(MOHIT))
    refusal = call.caller.expect(Error)
    assert refusal.code == "not_allowed"
    assert TINA in refusal.message
    call.says(Typed("Are you still there?"))
    wire.consent()
    assert "Are you still there?" in str(wire.sent)
    call.says(Chose(PRIYANKA))
    call.wire(2).welcome()
    call.caller.fish_for(ConfigAck, astrologer_id=PRIYANKA)
    call.end()


def test_a_search_finds_only_whom_the_token_names(stage: Stage) -> None:
    """The words fit somebody else better."""
    call = scene(stage, MOHIT)
    call.says(SearchedPersona("Hindi marriage Tina"))
    call.wire(1).welcome()
    call.caller.fish_for(ConfigAck, astrologer_id=MOHIT)
    call.end()


def test_the_persona_of_the_server_is_not_called_with_a_token_for_another(stage: Stage) -> None:
    """Who chooses nobody is told so."""
    services = Services(CurrentCatalogue(FOUR), Wires(), cast(Pool, Decoders()), default_astrologer=MOHIT)
    for allowed, code in ((TINA, "no_persona"), (MOHIT, "")):
        caller, identity = Probe("caller"), Identity("somebody", frozenset([allowed]))
        parent = Supervisor(services.current, stage.clock)
        session = launch(UserSessionActor(identity, "call", services, parent), parent)
        session.tell(Attached(1, caller))
        session.tell(From(1, Typed("Hello?")))
        stage.settle()
        assert "".join(told.code for told in caller.take() if isinstance(told, Error)) == code
        session.tell(Stop())
        stage.advance(5)


def test_another_mode_is_refused(stage: Stage) -> None:
    """At the first choice with 4403, later with an error."""
    call = scene(stage, mode="clip")
    call.on_the_line(TINA)
    call.says(Chose(MOHIT, "stream"))
    assert call.caller.expect(Error).code == "not_allowed"
    call.end()
    call = scene(stage, mode="clip")
    call.says(Chose(TINA, "stream"))
    assert call.caller.fish_for(Close).code == 4403
    call.end()


def test_a_call_lasts_as_long_as_its_token_says(stage: Stage) -> None:
    """And never longer than calls may last."""
    call = scene(stage, seconds=60.0)
    call.on_the_line(TINA)
    for _ in range(59):
        stage.advance(1)
    assert not [told for told in call.caller.take() if isinstance(told, Close)]
    stage.advance(1.5)
    assert call.caller.fish_for(Close).code == 1000
    call.end()
    assert Identity("somebody", seconds=9e9).longest(3600.0) == 3600.0
