"""What a caller may choose, and what stays as it was chosen, whatever becomes of the file of personas meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from actors.equipment import Limits
from actors.messages import Chose, Close, ConfigAck, Detached, Error, HungUp, Sought, Summary
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from personas import SHIPPED, Catalogue, Profile
from tests.kit.four import HARSH, MOHIT, PRIYANKA, TINA

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG = Limits(idle_seconds=1e6, call_seconds=1e6)


def edited(**fields: dict[str, Any]) -> Catalogue:
    """The personas who ship, with these fields of some of them, by id."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        row.update(fields.get(row["astrologer_id"], {}))
    return Catalogue.from_data(data)


def closed() -> dict[str, Any]:
    """Hours that are not now, nor within a day of it."""
    day = (datetime.now(UTC) + timedelta(days=3)).weekday()
    return {"availability": {"timezone": "UTC", "weekly": {DAYS[day]: "9am-5pm"}}}


def comes(scene: Scene, number: int) -> Wire:
    """The persona is on the line and greets."""
    wire = scene.wire(number)
    wire.welcome()
    wire.answer("Hello.")
    return wire


def back(scene: Scene, number: int) -> Wire:
    """The connection is made again; nobody greets twice."""
    wire = scene.wire(number)
    wire.welcome()
    return wire


def prompt(wire: Wire) -> str:
    """What the model was told of itself."""
    return str(wire.last("session.update")["session"]["instructions"])


def test_a_call_keeps_the_version_it_chose(stage: Stage) -> None:
    """Over a loss and a rollover; who is chosen after the edit is as the file says now, also on the way back."""
    scene = Scene(stage, edited(**{TINA: {"tone": "first"}, MOHIT: {"tone": "first"}}), LONG)
    wire = scene.on_the_line(TINA)
    scene.shelf.catalogue = edited(**{TINA: {"tone": "second"}, MOHIT: {"tone": "second"}})
    wire.lose()
    assert "Tone: first." in prompt(back(scene, 2))
    stage.advance(3302)
    assert "Tone: first." in prompt(back(scene, 3))
    scene.says(Chose(MOHIT))
    assert "Tone: second." in prompt(comes(scene, 4))
    scene.says(Chose(TINA))
    assert "Tone: second." in prompt(comes(scene, 5))
    scene.says(HungUp())
    stays = scene.caller.fish_for(Summary).bill.stays
    assert [stay.persona.id for stay in stays] == [TINA, MOHIT, TINA]
    assert len({stay.persona.version for stay in stays}) == 3
    scene.end()


def test_whoever_is_gone_from_the_file_stays_on_the_line(scene: Scene) -> None:
    """The call goes on over a loss, and nobody else can choose them."""
    wire = scene.on_the_line(TINA)
    data = orjson.loads(SHIPPED.read_bytes())
    rows = [row for row in data["astrologers"] if row["astrologer_id"] != TINA]
    scene.shelf.catalogue = Catalogue.from_data({**data, "astrologers": rows})
    wire.lose()
    back(scene, 2)
    scene.says(Chose(MOHIT))
    comes(scene, 3)
    scene.says(Chose(TINA))
    assert scene.caller.fish_for(Error).code == "unknown_astrologer"


def test_the_policy_of_memory_is_that_of_the_choice(scene: Scene) -> None:
    """An edit of it changes what nobody knows in the middle of a conversation."""
    wire = scene.on_the_line(TINA)
    scene.shelf.catalogue = Catalogue.from_data({**orjson.loads(SHIPPED.read_bytes()), "memory": "none"})
    wire.lose()
    assert back(scene, 2).texts() != []
    scene.says(Chose(MOHIT))
    comes(scene, 3).lose()
    assert back(scene, 4).texts() == []


def test_who_is_closed_says_when_they_open_and_who_is_open_now(stage: Stage) -> None:
    """Of the same speciality and language if there is anybody; the call goes on."""
    scene = Scene(stage, edited(**{HARSH: closed()}))
    scene.on_the_line(TINA)
    scene.says(Chose(HARSH))
    error = scene.caller.fish_for(Error)
    assert error.code == "closed_now"
    assert error.message.startswith("Harsh Dubey takes calls again from ")
    assert "09:00 (UTC). Choose one of: " in error.message
    assert HARSH not in error.message
    scene.says(Chose(MOHIT))
    comes(scene, 2)
    scene.caller.fish_for(ConfigAck, astrologer_id=MOHIT)
    scene.end()


def test_more_switches_than_a_minute_may_have(stage: Stage) -> None:
    """The first choice is none; the refusal says when, and then it is granted."""
    scene = Scene(stage, limits=Limits(switches=2))
    scene.on_the_line(TINA)
    stage.advance(5)
    scene.on_the_line(MOHIT)
    stage.advance(10)
    scene.on_the_line(TINA)
    stage.advance(10)
    scene.says(Chose(MOHIT))
    error = scene.caller.fish_for(Error)
    assert (error.code, error.message) == ("switch_too_often", "You switched 2 times in a minute: try again in 40 s.")
    stage.advance(39)
    scene.says(Chose(MOHIT))
    assert scene.caller.fish_for(Error).message.endswith("in 1 s.")
    stage.advance(1)
    scene.on_the_line(MOHIT)
    scene.end()


def test_words_choose_whoever_fits_and_is_open(stage: Stage) -> None:
    """In the language asked for; and then that one is whom the caller has chosen."""
    scene = Scene(stage, edited(**{MOHIT: closed()}))
    scene.says(Sought("will my husband love me in marriage", "English", "clip"))
    comes(scene, 1)
    who = scene.caller.fish_for(ConfigAck).astrologer_id
    assert who == PRIYANKA  # Mohit would be better
    scene.says(Chose(who))
    scene.caller.fish_for(ConfigAck, astrologer_id=who)
    assert len(scene.upstream.dialled) == 1
    scene.end()


@pytest.mark.parametrize(("query", "language"), [("qqq", None), ("marriage", "French"), ("", None)])
def test_words_that_nobody_fits(scene: Scene, query: str, language: str | None) -> None:
    """The caller is told how to choose, and may."""
    scene.says(Sought(query, language))
    error = scene.caller.fish_for(Error)
    assert error.code == "no_persona"
    assert "GET /api/astrologers" in error.message
    scene.on_the_line(TINA)


def test_what_a_caller_told_holds_for_the_call(scene: Scene) -> None:
    """As data under Caller, for everybody, on every connection, until they tell something else."""
    told = Profile(name="Asha", birth_date="1990-05-31")
    scene.says(Chose(TINA, profile=told))
    first = comes(scene, 1)
    assert "# Caller\nName: Asha\nBirth date: 1990-05-31\n" in prompt(first)
    scene.says(Chose(MOHIT))
    second = comes(scene, 2)
    assert "Name: Asha" in prompt(second)
    scene.says(Chose(MOHIT, profile=Profile(name="Usha")))
    second.lose()
    assert "# Caller\nName: Usha\n\n" in prompt(back(scene, 3))


def test_a_caller_who_leaves_before_the_choice_is_granted(scene: Scene) -> None:
    """Nobody is called."""
    scene.supervisor.by_hand = True
    scene.says(Chose(TINA))
    scene.stage.settle()
    scene.session.tell(Detached(1))
    scene.stage.advance(1)
    assert scene.upstream.dialled == []
    assert not any(isinstance(message, Close) for message in scene.caller.heard)
