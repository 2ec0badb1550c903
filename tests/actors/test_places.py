"""How many callers a persona has, with real sessions under a real supervisor."""

import random
from collections.abc import Iterator
from typing import Any, cast

import orjson
import pytest

from actors.call.snapshot import SessionSnapshot
from actors.messages.admission import Admitted, Connected, Detached, From
from actors.messages.caller import Chose, Close, ConfigAck, Error, FromCaller, HungUp, SearchedPersona
from actors.messages.identity import Identity
from actors.services import Limits, Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.stage import Stage
from actors.testing.wire import Wire, Wires
from audio import Pool
from personas import SHIPPED, Catalogue, CurrentCatalogue, Profile
from supervisor import SupervisorActor, SupervisorSnapshot
from tests.kit.four import HARSH, MOHIT, PRIYANKA, TINA
from tests.kit.insides import shown


def limited(**most: int) -> Catalogue:
    """The personas who ship, so many callers for each of these."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        if row["astrologer_id"] in most:
            row["max_callers"] = most[row["astrologer_id"]]
    return Catalogue.from_data(data)


class House:
    """A supervisor, and callers by name."""

    def __init__(self, stage: Stage, catalogue: Catalogue, switches: int = 100) -> None:
        self.stage, self.wires, self.current = stage, Wires(), CurrentCatalogue(catalogue)
        limits = Limits(idle_seconds=1e6, call_seconds=1e6, switches=switches)
        services = Services(self.current, self.wires, cast(Pool, Decoders()), limits, clock=stage.clock)
        self.supervisor = stage.launch(SupervisorActor, services)
        self.callers: dict[str, tuple[int, Probe, Any]] = {}
        self.on: dict[str, str] = {}  # whom each was told of last

    def calls(self, user: str) -> None:
        """Somebody connects."""
        caller, number = Probe(user), len(self.callers) + 1
        self.supervisor.tell(Connected(Identity(user), number, caller))
        self.callers[user] = number, caller, caller.fish_for(Admitted).session

    def says(self, user: str, message: FromCaller) -> None:
        number, _, session = self.callers[user]
        session.tell(From(number, message))

    def chooses(self, user: str, wish: str | Chose | SearchedPersona) -> Wire | Error:
        """The connection that is opened for it, welcomed; or why not."""
        dialled, (_, caller, _) = len(self.wires.dialled), self.callers[user]
        caller.take()
        self.says(user, Chose(wish) if isinstance(wish, str) else wish)
        self.stage.settle()
        if errors := [message for message in caller.take() if isinstance(message, Error)]:
            return errors[0]
        wire = self.wires.dialled[dialled]
        wire.welcome()
        self.on[user] = caller.fish_for(ConfigAck).astrologer_id
        return wire

    def end(self) -> None:
        for number, _, session in self.callers.values():
            session.tell(Detached(number))
        self.stage.advance(3)
        assert self.stage.actors() == [self.supervisor]
        assert shown(self.supervisor, SupervisorSnapshot).held == {}
        self.supervisor.stop(block=False)
        self.stage.settle()


@pytest.fixture
def house(stage: Stage) -> Iterator[House]:
    """Tina takes one caller."""
    house = House(stage, limited(**{TINA: 1}))
    for user in ("a", "b"):
        house.calls(user)
    yield house
    house.end()


def busy(answer: Wire | Error) -> str:
    assert isinstance(answer, Error), "she was free"
    assert answer.code == "busy"
    return answer.message


def test_one_more_is_told_who_is_free(house: House) -> None:
    """Of the same speciality and language first; and the next choice is none of the worse for it."""
    house.chooses("a", TINA)
    assert busy(house.chooses("b", TINA)).startswith("Tina Kulkarni is talking to others. Choose one of: ")
    assert isinstance(house.chooses("b", MOHIT), Wire)


def test_whoever_is_busy_too_is_not_named(stage: Stage) -> None:
    """Neither among those of the same speciality and language, nor where nobody is."""
    alike = {"speciality": "Love", "language": "English", "status": "active"}
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        row["max_callers"] = 1
        if row["astrologer_id"] in (MOHIT, PRIYANKA):
            row.update(alike)
    house = House(stage, Catalogue.from_data(data))
    for user in ("a", "b", "c", "d"):
        house.calls(user)
    house.chooses("a", MOHIT)
    assert busy(house.chooses("b", MOHIT)).endswith(f"Choose one of: {PRIYANKA}.")
    house.chooses("c", PRIYANKA)
    assert busy(house.chooses("b", MOHIT)).endswith(f"Choose one of: {TINA}, {HARSH}.")
    house.chooses("d", TINA)
    assert busy(house.chooses("b", MOHIT)).endswith(f"Choose one of: {HARSH}.")
    house.chooses("b", HARSH)
    assert busy(house.chooses("b", MOHIT)).endswith("Nobody takes calls now; try again later.")
    house.end()


def test_who_is_named_speaks_the_language(stage: Stage) -> None:
    """Somebody of the same speciality who does not is named only with all the others."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        row["max_callers"] = 1
        if row["astrologer_id"] in (TINA, HARSH, MOHIT):
            row["speciality"] = "Love"
    catalogue = Catalogue.from_data(data)
    assert [catalogue.get(id_).language for id_ in (TINA, HARSH, MOHIT)] == ["Hindi", "Hindi", "English"]
    house = House(stage, catalogue)
    for user in ("a", "b", "c"):
        house.calls(user)
    house.chooses("a", TINA)
    assert busy(house.chooses("c", TINA)).endswith(f"Choose one of: {HARSH}.")
    house.chooses("b", HARSH)
    assert busy(house.chooses("c", TINA)).endswith(f"Choose one of: {MOHIT}, {PRIYANKA}.")
    house.end()


def test_a_busy_one_is_no_switch(stage: Stage) -> None:
    """Nor the first choice: whoever was refused often may have whoever is free at once."""
    house = House(stage, limited(**{TINA: 1}), switches=1)
    house.calls("a")
    house.chooses("a", TINA)
    house.calls("b")
    for _ in range(3):
        busy(house.chooses("b", TINA))
    assert isinstance(house.chooses("b", MOHIT), Wire)
    for _ in range(3):
        busy(house.chooses("b", TINA))
    assert isinstance(house.chooses("b", HARSH), Wire)
    answer = house.chooses("b", MOHIT)
    assert isinstance(answer, Error)
    assert answer.code == "switch_too_often"
    house.end()


def test_a_busy_choice_changes_nothing(house: House) -> None:
    """Neither what is known of the caller, nor what of the call is remembered, after an edit of that."""
    house.chooses("a", TINA)
    wire = house.chooses("b", Chose(MOHIT, profile=Profile(name="Asha")))
    assert isinstance(wire, Wire)
    data = orjson.loads(SHIPPED.read_bytes()) | {"memory": "none"}
    data["astrologers"][0]["max_callers"] = 1
    assert data["astrologers"][0]["astrologer_id"] == TINA
    house.current.catalogue = Catalogue.from_data(data)
    wire.answer("Hello.")
    busy(house.chooses("b", Chose(TINA, profile=Profile(name="Usha"))))
    wire.lose()
    house.stage.settle()
    again = house.wires.dialled[-1]
    again.welcome()
    assert again.texts() == [("assistant", "Hello.")]
    assert "Name: Asha" in again.last("session.update")["session"]["instructions"]


WORDS = SearchedPersona("will my husband love me in marriage", "English")


def test_words_choose_the_best_who_is_free(stage: Stage) -> None:
    """Then the second best; and busy, with whoever else is free, only when all who fit are."""
    best, second = (match.persona.id for match in Catalogue.load().match(WORDS.query, WORDS.language))
    house = House(stage, limited(**{best: 1, second: 1}))
    for user in ("a", "b", "c"):
        house.calls(user)
        answer = house.chooses(user, WORDS)
    assert (house.on["a"], house.on["b"]) == (best, second)
    name = Catalogue.load().get(best).name
    assert busy(answer).startswith(f"{name} is talking to others. Choose one of: ")
    assert best not in busy(answer)
    assert second not in busy(answer)
    assert isinstance(house.chooses("c", TINA), Wire)
    house.end()


def test_who_goes_back_needs_no_second_place(house: House) -> None:
    """The caller has her still while another is called."""
    house.chooses("a", TINA)
    for astrologer_id in (MOHIT, TINA):
        house.says("a", Chose(astrologer_id))
        house.stage.settle()
    house.wires.dialled[-1].welcome()
    heard = house.callers["a"][1].take()
    assert not any(isinstance(message, Error) for message in heard)
    assert isinstance(heard[-1], ConfigAck)
    busy(house.chooses("b", TINA))


def test_a_place_is_free_when_its_caller_has_left(house: House) -> None:
    """Also while the session waits for the last facts of the model."""
    wire = house.chooses("a", TINA)
    assert isinstance(wire, Wire)
    house.says("a", HungUp())
    house.stage.settle()
    assert not wire.ended
    assert isinstance(house.chooses("b", TINA), Wire)


def test_a_choice_on_its_way_keeps_its_place(house: House) -> None:
    """The session gives back another choice's place after she was reserved, and before it knows of that."""
    house.chooses("a", MOHIT)
    house.says("a", Chose(PRIYANKA))
    house.stage.settle()
    house.wires.dialled[-1].welcome()  # is heard in the turn in which the session asks for Tina
    house.says("a", Chose(TINA))
    house.stage.settle()
    assert list(shown(house.supervisor, SupervisorSnapshot).held.values()) == [{PRIYANKA, TINA}]
    busy(house.chooses("b", TINA))
    house.wires.dialled[-1].welcome()
    busy(house.chooses("b", TINA))


def test_a_caller_who_chooses_and_leaves_in_one_breath_holds_nobody(house: House) -> None:
    """What was asked for before they left is free once they have."""
    house.says("a", Chose(TINA))
    house.says("a", HungUp())
    house.stage.settle()
    assert isinstance(house.chooses("b", TINA), Wire)


@pytest.mark.parametrize("ends", ["hang up", "gone", "session crash", "persona crash"])
def test_a_place_is_free_however_its_call_ends(house: House, ends: str) -> None:
    """Also when the session, or its persona, crashes."""
    house.chooses("a", TINA)
    busy(house.chooses("b", TINA))
    number, caller, session = house.callers["a"]
    match ends:
        case "hang up":
            house.says("a", HungUp())
        case "gone":
            session.tell(Detached(number))
        case "session crash":
            session.tell(object())
        case _:
            next(ref for ref in house.stage.actors() if ref.actor_class.__name__ == "PersonaActor").tell(object())
    house.stage.settle()
    house.stage.advance(3)
    if "crash" in ends:
        assert caller.fish_for(Close).code == 4500
    assert isinstance(house.chooses("b", TINA), Wire)


def test_a_caller_who_lost_the_model_keeps_the_place(house: House) -> None:
    """The connection is made again for the same call."""
    wire = house.chooses("a", TINA)
    assert isinstance(wire, Wire)
    wire.lose()
    busy(house.chooses("b", TINA))
    house.wires.dialled[-1].welcome()
    busy(house.chooses("b", TINA))


def test_a_switch_gives_the_place_up_when_the_other_is_there(house: House) -> None:
    """Not earlier: if the other cannot be reached, she goes on."""
    house.chooses("a", TINA)
    house.says("a", Chose(MOHIT))
    house.stage.settle()
    busy(house.chooses("b", TINA))
    house.wires.dialled[-1].welcome("hoarse")
    house.callers["a"][1].fish_for(Error, code="persona_switch_failed")
    busy(house.chooses("b", TINA))
    house.chooses("a", MOHIT)
    assert isinstance(house.chooses("b", TINA), Wire)


def test_whoever_was_only_called_is_free_again(house: House) -> None:
    """The last choice wins, and the place of the one before it is given back."""
    house.chooses("a", PRIYANKA)
    house.says("a", Chose(TINA))
    house.says("a", Chose(MOHIT))
    house.stage.settle()
    assert isinstance(house.chooses("b", TINA), Wire)


def test_a_busy_one_between_two_choices(house: House) -> None:
    """All in one breath: the last that is granted is the one, what was said to her goes to him."""
    house.chooses("b", TINA)
    house.says("a", Chose(MOHIT))
    house.says("a", Chose(TINA))
    house.says("a", Chose("nobody"))
    house.stage.settle()
    caller = house.callers["a"][1]
    house.wires.dialled[-1].welcome()
    caller.fish_for(ConfigAck, astrologer_id=MOHIT)
    codes = [message.code for message in caller.heard if isinstance(message, Error)]
    assert sorted(codes) == ["busy", "unknown_astrologer"]
    house.says("a", Chose(MOHIT))
    assert caller.fish_for(ConfigAck).astrologer_id == MOHIT  # he is whom they want: only acknowledged


def test_a_limit_that_comes_by_an_edit_counts_who_is_there(stage: Stage) -> None:
    """Calls go on though they are more than may be; nobody else comes in until there is room."""
    house = House(stage, limited())
    for user in ("a", "b", "c"):
        house.calls(user)
    house.chooses("a", HARSH)
    house.chooses("b", HARSH)
    house.current.catalogue = limited(**{HARSH: 2})
    busy(house.chooses("c", HARSH))
    house.says("a", HungUp())
    house.stage.advance(3)
    assert isinstance(house.chooses("c", HARSH), Wire)
    house.callers.pop("a")
    house.end()


@pytest.mark.parametrize("seed", range(30))
def test_never_more_than_there_is_room_for(seed: int) -> None:
    """Ten callers choose in any order: nobody has too many, and what the supervisor counts is what they hold."""
    with Stage(seed) as stage:
        chance = random.Random(seed)
        house = House(stage, limited(**{TINA: 1, MOHIT: 2}))
        for number in range(10):
            house.calls(f"u{number}")
        for _ in range(120):
            user = chance.choice(list(house.callers))
            house.says(user, Chose(chance.choice([TINA, TINA, MOHIT, PRIYANKA])))
            if chance.random() < 0.4:
                stage.settle()
            for wire in house.wires.dialled:
                if not wire.ended and "session.update" in wire.kinds and chance.random() < 0.5:
                    wire.welcome() if chance.random() < 0.9 else wire.lose()
            on = [shown(session, SessionSnapshot).holds for *_, session in house.callers.values() if session.is_alive()]
            for astrologer_id, most in ((TINA, 1), (MOHIT, 2)):
                assert sum(astrologer_id in held for held in on) <= most, (seed, on)
        stage.settle()
        living = {ref: shown(ref, SessionSnapshot).holds for *_, ref in house.callers.values() if ref.is_alive()}
        assert shown(house.supervisor, SupervisorSnapshot).held == {ref: on for ref, on in living.items() if on}
        house.end()
