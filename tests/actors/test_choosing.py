"""What a caller may choose, and what stays as it was chosen, whatever becomes of the file of personas meanwhile."""

import gc
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from actors.messages.admission import Declined, Leaving, Reserve
from actors.messages.caller import (
    Chose,
    Close,
    ConfigAck,
    Error,
    HungUp,
    Notice,
    SearchedPersona,
    SpeechStarted,
    Summary,
    Typed,
)
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import MONDAY_NOON, Stage
from actors.testing.wire import Wire
from personas import SHIPPED, Catalogue, Profile
from tests.kit.four import HARSH, MOHIT, PRIYANKA, TINA
from tests.kit.streaming import FRAME, asked, begin, heard, on_the_line, speak
from upstream.models import Capabilities

LONG = Limits(idle_seconds=1e6, call_seconds=1e6)


def edited(**fields: dict[str, Any]) -> Catalogue:
    """The personas who ship, with these fields of some of them, by id."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        row.update(fields.get(row["astrologer_id"], {}))
    return Catalogue.from_data(data)


def closed() -> dict[str, Any]:
    """Hours that are not on the stage's Monday, nor within a day of it."""
    return {"availability": {"timezone": "UTC", "weekly": {"Thu": "9am-5pm"}}}


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
    scene.current.catalogue = edited(**{TINA: {"tone": "second"}, MOHIT: {"tone": "second"}})
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
    assert [stay.persona.id for stay in stays] == [TINA, MOHIT]
    assert [len(stay.versions) for stay in stays] == [2, 1]
    scene.end()


def test_whoever_is_gone_from_the_file_stays_on_the_line(scene: Scene) -> None:
    """The call goes on over a loss, and nobody else can choose them."""
    wire = scene.on_the_line(TINA)
    data = orjson.loads(SHIPPED.read_bytes())
    rows = [row for row in data["astrologers"] if row["astrologer_id"] != TINA]
    scene.current.catalogue = Catalogue.from_data({**data, "astrologers": rows})
    wire.lose()
    back(scene, 2)
    scene.says(Chose(MOHIT))
    comes(scene, 3)
    scene.says(Chose(TINA))
    assert scene.caller.fish_for(Error).code == "unknown_astrologer"


def test_the_policy_of_memory_is_that_of_the_choice(scene: Scene) -> None:
    """An edit of it changes what nobody knows in the middle of a conversation."""
    wire = scene.on_the_line(TINA)
    scene.current.catalogue = Catalogue.from_data({**orjson.loads(SHIPPED.read_bytes()), "memory": "none"})
    wire.lose()
    assert back(scene, 2).texts() != []
    scene.says(Chose(MOHIT))
    comes(scene, 3).lose()
    assert back(scene, 4).texts() == []


def test_a_call_keeps_no_catalogue(scene: Scene) -> None:
    """Only the persona that it has: a catalogue of a thousand is some 27 MB."""
    scene.current.catalogue = edited(**{TINA: {"tone": "first"}})
    old = scene.current.catalogue.version
    wire = scene.on_the_line(TINA)
    scene.current.catalogue = edited()
    wire.lose()
    assert "Tone: first." in prompt(back(scene, 2))
    gc.collect()
    assert old not in {one.version for one in gc.get_objects() if isinstance(one, Catalogue)}


def test_who_is_closed_says_when_they_open_and_who_is_open_now(stage: Stage) -> None:
    """Of the same speciality and language if there is anybody; the call goes on."""
    scene = Scene(stage, edited(**{HARSH: closed()}))
    scene.on_the_line(TINA)
    scene.says(Chose(HARSH))
    error = scene.caller.fish_for(Error)
    assert error.code == "closed_now"
    opens = "Harsh Dubey takes calls again from 2026-11-26 09:00 (UTC). Choose one of: "
    assert error.message.startswith(opens)
    assert HARSH not in error.message
    scene.says(Chose(MOHIT))
    comes(scene, 2)
    scene.caller.fish_for(ConfigAck, astrologer_id=MOHIT)
    scene.end()


def test_hours_end_while_a_call_goes_on(stage: Stage) -> None:
    """Who is on the line stays, also over a loss; nobody can choose them any more."""
    hours = {"timezone": "UTC", "weekly": {"Mon": "9am-12:01pm"}}
    scene = Scene(stage, edited(**{TINA: {"availability": hours}}), LONG)
    wire = scene.on_the_line(TINA)
    assert stage.clock.wall() == MONDAY_NOON
    stage.advance(61)
    wire.lose()
    back(scene, 2)
    scene.says(Chose(MOHIT))
    comes(scene, 3)
    scene.says(Chose(TINA))
    assert scene.caller.fish_for(Error).code == "closed_now"
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


def test_what_is_refused_is_no_switch(stage: Stage) -> None:
    """Whoever is closed, inactive or unknown, however often: then the switch itself is granted."""
    catalogue = edited(**{HARSH: closed(), PRIYANKA: {"status": "inactive"}})
    scene = Scene(stage, catalogue, Limits(switches=1))
    refused = [HARSH, PRIYANKA, "nobody"]
    for astrologer_id in refused * 2:
        scene.says(Chose(astrologer_id))
        stage.settle()
    scene.on_the_line(TINA)
    for astrologer_id in refused * 2:
        scene.says(Chose(astrologer_id))
        stage.settle()
    codes = [message.code for message in scene.caller.heard if isinstance(message, Error)]
    assert codes == ["closed_now", "inactive_astrologer", "unknown_astrologer"] * 4
    scene.on_the_line(MOHIT)
    scene.end()


@pytest.mark.parametrize("at_once", [1, 60])
def test_who_asks_on_and_on_is_sent_away(scene: Scene, at_once: int) -> None:
    """A refusal is no switch, but it is a refused message; and once the call is over no refusal comes any more."""
    for number in range(60):
        scene.says(Chose(f"nobody {number}"))
        if number % at_once == 0:
            scene.stage.settle()
    scene.stage.settle()
    told = [message.code for message in scene.caller.heard if isinstance(message, Error | Close)]
    assert told[21:] == ["too_many_messages", 4400]
    assert at_once > 1 or set(told[:21]) == {"unknown_astrologer"}


def test_words_choose_whoever_fits_and_is_open(stage: Stage) -> None:
    """In the language asked for; and then that one is whom the caller has chosen."""
    scene = Scene(stage, edited(**{MOHIT: closed()}))
    scene.says(SearchedPersona("will my husband love me in marriage", "English", "clip"))
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
    scene.says(SearchedPersona(query, language))
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
    assert "# Caller\nName: Usha\n\n" in prompt(second)  # from the next answer on
    second.consent()
    second.lose()
    assert "# Caller\nName: Usha\n\n" in prompt(back(scene, 3))


ASHA = Profile(name="Asha")


@pytest.mark.parametrize("when", ["asked", "reserved", "called", "configured", "ready", "greeted"])
def test_what_is_told_after_a_choice_by_the_address(scene: Scene, when: str) -> None:
    """The app names the persona in the address and the caller in a config: the first answer knows both."""
    scene.supervisor.by_hand = when == "reserved"
    scene.says(Chose(TINA))
    if when != "asked":
        scene.stage.settle()
    if when in ("configured", "ready", "greeted"):
        scene.wire(1).say(type="session.created")
    if when in ("ready", "greeted"):
        scene.wire(1).consent()
    if when == "greeted":
        scene.wire(1).answer("Hello.")
    scene.says(Chose(TINA, profile=ASHA))
    scene.stage.settle()
    if when == "reserved":
        scene.supervisor.answer(scene.supervisor.expect(Reserve))
    wire = scene.wire(1)
    if when in ("asked", "reserved", "called"):
        wire.say(type="session.created")
    for _ in range(2):
        wire.consent()
    scene.caller.fish_for(ConfigAck)
    if when != "greeted":
        wire.answer("Hello.")
    scene.says(Typed("who am I?"))
    updates = [number for number, kind in enumerate(wire.kinds) if kind == "session.update"]
    assert "# Caller\nName: Asha\n" in prompt(wire)
    assert wire.kinds.index("conversation.item.create") > updates[-1]
    assert len(scene.upstream.dialled) == 1


@pytest.mark.parametrize("first", ["setup", "instructions"])
def test_what_is_told_and_refused_while_the_model_is_called(scene: Scene, first: str) -> None:
    """The caller gets whom they chose, at once and on the connection that is there."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.say(type="session.created")
    (setup,) = wire.sent
    scene.says(Chose(TINA, profile=ASHA))
    scene.stage.settle()
    answers: list[Callable[[], None]] = [
        lambda: wire.say(type="session.updated", session=setup["session"]),
        lambda: wire.refuse("session.update", "rate_limit_exceeded"),
    ]
    for answer in answers if first == "setup" else reversed(answers):
        answer()
    scene.caller.fish_for(ConfigAck)
    wire.answer("Hello.")
    scene.stage.advance(30)
    assert len(scene.upstream.dialled) == 1
    assert not [told for told in scene.caller.take() if isinstance(told, Notice)]


def test_what_is_told_again_is_not_sent_again(scene: Scene) -> None:
    """Apps say the same with each config."""
    scene.says(Chose(TINA, profile=ASHA))
    wire = comes(scene, 1)
    updates = wire.kinds.count("session.update")
    scene.says(Chose(TINA, profile=ASHA))
    assert wire.kinds.count("session.update") == updates


def test_what_is_told_while_the_caller_speaks(scene: Scene) -> None:
    """The model goes on listening: not a word waits for its consent, and it tells that it hears them."""
    wire = on_the_line(scene)
    speak(scene, 200, mark=1)
    scene.says(Chose(TINA, profile=ASHA))
    speak(scene, 400, mark=2)
    assert "Name: Asha" in prompt(wire)
    assert heard(wire) == bytes([1]) * 10 * FRAME + bytes([2]) * 20 * FRAME
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    scene.caller.fish_for(SpeechStarted)


def test_what_is_told_while_another_is_called(scene: Scene) -> None:
    """Whoever is leaving is told nothing any more."""
    wire = scene.on_the_line(TINA)
    updates = wire.kinds.count("session.update")
    scene.says(Chose(MOHIT))
    scene.stage.settle()
    scene.says(Chose(MOHIT, profile=ASHA))
    assert "Name: Asha" in prompt(comes(scene, 2))
    assert wire.kinds.count("session.update") == updates


def test_what_is_told_with_a_refused_choice_does_not_count(stage: Stage) -> None:
    """Nothing of such a config does: whoever is on the line knows what they knew."""
    scene = Scene(stage, edited(**{HARSH: closed(), PRIYANKA: {"status": "inactive"}}), LONG)
    scene.says(Chose(TINA, profile=ASHA))
    wire = comes(scene, 1)
    for refused in (HARSH, PRIYANKA, "nobody"):
        scene.says(Chose(refused, profile=Profile(name="Usha")))
    stage.settle()
    wire.lose()
    assert "# Caller\nName: Asha\n" in prompt(back(scene, 2))
    scene.end()


def test_the_date_is_that_of_the_persona(stage: Stage) -> None:
    """Where it is Monday for whoever calls, it is not Sunday because the server stands elsewhere."""
    zones = {TINA: "Pacific/Kiritimati", MOHIT: "Pacific/Niue"}  # a day apart, or more
    scene = Scene(
        stage, edited(**{id_: {"availability": {"timezone": zone, "hours": "always"}} for id_, zone in zones.items()})
    )
    for number, (astrologer_id, zone) in enumerate(zones.items(), 1):
        scene.says(Chose(astrologer_id))
        assert prompt(comes(scene, number)).endswith(f"# Today\n{stage.clock.wall().astimezone(ZoneInfo(zone)).date()}")
    scene.end()


def test_where_the_model_takes_no_new_instructions(stage: Stage) -> None:
    """What is told in the middle of a call counts from the next connection on."""
    scene = Scene(stage)
    scene.upstream.can = Capabilities(mutable_instructions=False)
    wire = scene.on_the_line(TINA)
    scene.says(Chose(TINA, profile=ASHA))
    assert wire.kinds.count("session.update") == 1
    wire.lose()
    assert "Name: Asha" in prompt(back(scene, 2))
    scene.end()


def test_a_caller_who_leaves_before_the_choice_is_granted(scene: Scene) -> None:
    """Nobody is called, and no place is taken, also while the session waits for the last facts of the model."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    scene.stage.settle()
    scene.supervisor.by_hand = True
    scene.says(Chose(MOHIT))
    reserves = [scene.supervisor.fish_for(Reserve)]
    scene.says(Chose(PRIYANKA))
    scene.says(HungUp())
    reserves.append(scene.supervisor.fish_for(Reserve))
    scene.supervisor.fish_for(Leaving)  # the supervisor frees all that was asked for before
    for reserve in reserves:
        scene.supervisor.answer(reserve)
    scene.stage.settle()
    assert scene.session.is_alive()
    assert len(scene.upstream.dialled) == 1
    assert not any(isinstance(message, Reserve) for message in scene.supervisor.box)


def test_a_caller_who_leaves_before_the_choice_is_refused(scene: Scene) -> None:
    """They are told nothing of it."""
    for message in (Chose("nobody"), Typed("hello?"), HungUp()):
        scene.says(message)
    assert scene.caller.fish_for(Close).code == 1000
    assert not any(isinstance(message, Error) for message in scene.caller.heard)


def test_what_is_said_to_the_newest_choice_stays_though_one_before_is_refused(scene: Scene) -> None:
    """The register of the fleet took its time over the first: nothing that was said was meant for it."""
    scene.supervisor.by_hand = True
    scene.says(Chose(HARSH, "stream"))
    scene.says(Chose(TINA, "stream"))
    first, second = scene.supervisor.fish_for(Reserve), scene.supervisor.fish_for(Reserve)
    speak(scene, 500)
    scene.session.tell(Declined(first.choice, "busy", "Harsh is talking to others."))
    scene.stage.settle()
    scene.supervisor.answer(second)
    wire = scene.wire(1)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    scene.stage.settle()
    assert len(heard(wire)) == 15 * FRAME  # as much as is kept of what is said before a greeting
    scene.end()
