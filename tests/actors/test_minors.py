"""A caller who is a minor: nobody who costs money, no memory, another tone; and what if it comes out late."""

import logging
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Protocol, cast

import orjson
import pytest

from actors.admission.ages import DAY, ToldAges
from actors.admission.minors import LAST_SECONDS, PARTING_SECONDS
from actors.call.caller_age import CallerAge
from actors.messages.admission import GONE, Detached, Reserve
from actors.messages.caller import Chose, Close, ConfigAck, Error, Notice, SearchedPersona, Sound, Summary, Typed
from actors.messages.identity import Identity
from actors.services import Limits, Services
from actors.testing.scene import Decoders, Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire, Wires
from audio import Pool
from care.ages import Age
from personas import SHIPPED, Catalogue, CurrentCatalogue, Profile
from tests.kit.four import FOUR, HARSH, MOHIT, PRIYANKA, TINA
from tests.kit.parts import tone
from tests.kit.streaming import asked, begin, finish, give

LONG = Limits(idle_seconds=1e6, call_seconds=1e6)
CHILD, GROWN = Profile(name="Asha", birth_date="2012-05-31", birth_place="Pune"), Profile(birth_date="1990-05-31")
RATE = 48_000


def some_free(memory: str = "shared") -> Catalogue:
    """The four: Tina and Harsh have a price, Mohit has none, Priyanka has none and is for adults only."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        if row["astrologer_id"] in (MOHIT, PRIYANKA):
            del row["pricing"]
        row["adults_only"] = row["astrologer_id"] == PRIYANKA
    return Catalogue.from_data({**data, "memory": memory})


SOME_FREE = some_free()


class Calls(Protocol):
    """Begins a call; its token says this of the caller's age."""

    def __call__(self, age: Age | None = None, catalogue: Catalogue = SOME_FREE, **services: Any) -> Scene: ...


@pytest.fixture
def call(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Calls]:
    """Makes calls, which end quietly when the test is over."""
    scenes: list[Scene] = []

    def begin(age: Age | None = None, catalogue: Catalogue = SOME_FREE, **services: Any) -> Scene:
        scenes.append(Scene(stage, catalogue, LONG, identity=Identity("somebody", age=age), **services))
        return scenes[-1]

    failures = request.session.testsfailed
    yield begin
    if request.session.testsfailed == failures:
        for scene in scenes:
            if scene.session in stage.actors():
                scene.end()


def prompt(wire: Wire) -> str:
    """What the model was last told of itself."""
    told = [event["session"] for event in wire.sent if event["type"] == "session.update"]
    return str([session["instructions"] for session in told if "instructions" in session][-1])


def refusal(scene: Scene, chose: Chose) -> Error:
    """What the caller is told who chooses somebody in vain."""
    scene.says(chose)
    error = scene.caller.fish_for(Error)
    assert not [message for message in scene.caller.box if isinstance(message, ConfigAck)]
    return error


def minor_by(how: str, call: Calls) -> Scene:
    """A caller of whom it is known in this way."""
    scene = call(Age(under=18) if how == "token" else None)
    if how == "profile":
        assert refusal(scene, Chose(TINA, profile=CHILD)).code == "not_for_minors"
    if how == "an earlier call":
        scene.services.ages.tell("somebody", Age(0, 18), scene.stage.now)
        scene.says(Chose("nobody", profile=GROWN))
        scene.caller.fish_for(Error)
    return scene


@pytest.mark.parametrize("how", ["token", "profile", "an earlier call"])
def test_a_minor_is_told_kindly_whom_they_may_call(call: Calls, how: str) -> None:
    """Nobody who costs money, and nobody for adults; nobody is dialled, and the reason is said."""
    scene = minor_by(how, call)
    for astrologer, reason in ((TINA, "cost money"), (HARSH, "cost money"), (PRIYANKA, "for grown-ups")):
        error = refusal(scene, Chose(astrologer, profile=GROWN))
        assert error.code == "not_for_minors"
        assert reason in error.message
        assert "It is not your fault." in error.message
        assert error.message.endswith(f"Choose one of: {MOHIT}.")
    assert scene.upstream.dialled == []
    assert scene.services.counters.minors == 1
    wire = scene.on_the_line(MOHIT)
    assert "# Young caller\nThe caller is a minor." in prompt(wire)


def test_words_find_nobody_whom_a_minor_may_not_call(call: Calls) -> None:
    """The best of the others; if there is none, the reason, and not that nobody fits."""
    scene = minor_by("token", call)
    scene.says(SearchedPersona("Tina marriage", None))
    scene.wire(1).welcome()
    scene.caller.fish_for(ConfigAck, astrologer_id=MOHIT)
    scene.says(SearchedPersona("love", "Hindi"))
    assert scene.caller.fish_for(Error).code == "not_for_minors"


def test_where_nobody_is_free_of_charge_that_is_said(call: Calls) -> None:
    """All who ship have a price."""
    error = refusal(call(Age(under=18), FOUR), Chose(TINA))
    assert error.code == "not_for_minors"
    assert "There is nobody here now whom young people can call." in error.message


@pytest.mark.parametrize("refused", ["nobody", "closed"])
def test_other_refusals_name_nobody_whom_a_minor_may_not_call(call: Calls, refused: str) -> None:
    """Or they would be refused once more."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        if row["astrologer_id"] in (MOHIT, PRIYANKA):
            del row["pricing"]
        if row["astrologer_id"] == MOHIT:
            row["availability"] = {"timezone": "UTC", "hours": "1am-2am"}
    scene = call(Age(under=18), Catalogue.from_data(data))
    error = refusal(scene, Chose(MOHIT if refused == "closed" else "nobody"))
    assert error.code == ("closed_now" if refused == "closed" else "unknown_astrologer")
    assert PRIYANKA in error.message
    assert TINA not in error.message
    assert HARSH not in error.message


@pytest.mark.parametrize(
    ("age", "profile"),
    [(Age(least=18), CHILD), (None, GROWN), (None, None), (None, Profile(birth_date="2012-05-31", birth_of="other"))],
)
def test_who_is_grown_up_or_unknown_calls_whom_they_like(call: Calls, age: Age | None, profile: Profile | None) -> None:
    """A token's word wins over the profile, and the birth data of others are not the caller's."""
    scene = call(age)
    scene.says(Chose(PRIYANKA, profile=profile))
    wire = scene.wire(1)
    wire.welcome()
    scene.caller.fish_for(ConfigAck, astrologer_id=PRIYANKA)
    assert "# Young caller" not in prompt(wire)
    if profile and profile.birth_of:
        assert "Birth data: of somebody of whom the caller asks, not of the caller" in prompt(wire)
    assert scene.services.counters.minors == 0


def test_a_token_that_says_too_little_leaves_the_profile_to_say_it(call: Calls) -> None:
    """Over 16 is not grown up."""
    assert refusal(call(Age(least=16)), Chose(TINA, profile=CHILD)).code == "not_for_minors"


def test_the_youngest_age_of_a_user_is_kept_over_calls_for_a_day(call: Calls, stage: Stage) -> None:
    """Whatever they say in the next; then it is forgotten."""
    ages = ToldAges()
    first = call(ages=ages)
    assert refusal(first, Chose(TINA, profile=CHILD)).code == "not_for_minors"
    first.end()
    second = call(ages=ages)
    assert refusal(second, Chose(TINA, profile=GROWN)).code == "not_for_minors"
    second.end()
    stage.jump(DAY)
    call(ages=ages).on_the_line(TINA)


@pytest.mark.parametrize("age", [Age(under=18), None])
def test_a_minor_is_not_remembered(call: Calls, age: Age | None) -> None:
    """No connection is told what they said, after a loss, or to the next persona; nor what was born where and when."""
    scene = call(age)
    wire = scene.on_the_line(MOHIT)
    scene.says(Typed("my cat is called Moti"))
    wire.consent()
    wire.answer("What a name.")
    scene.stage.settle()
    scene.says(Chose(MOHIT, profile=CHILD))
    wire.lose()
    second = scene.wire(2)
    second.welcome()
    assert "Moti" not in str(second.sent)
    assert "What a name." not in str(second.sent)
    assert "# Caller\nName: Asha\n\n" in prompt(second)
    assert "2012" not in prompt(second)
    assert "Pune" not in prompt(second)


def test_what_others_say_is_remembered(call: Calls) -> None:
    """So that the test above would see it."""
    scene = call()
    wire = scene.on_the_line(MOHIT)
    scene.says(Typed("my cat is called Moti"))
    wire.consent()
    wire.answer("What a name.")
    scene.stage.settle()
    wire.lose()
    scene.wire(2).welcome()
    assert "Moti" in str(scene.wire(2).sent)


def speaks(scene: Scene, wire: Wire, seconds: float) -> None:
    """The persona answers, in one sentence of so many seconds."""
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    wire.say(type="response.output_audio_transcript.delta", response_id="answer", delta="It is so.")
    pcm = b64encode(tone(seconds)).decode()
    wire.say(type="response.output_audio.delta", response_id="answer", delta=pcm)
    finish(wire, "answer")
    scene.stage.settle()


def in_a_stream(call: Calls, astrologer: str) -> tuple[Scene, Wire]:
    """A streamed call with this persona, who has greeted."""
    scene = call()
    scene.says(Chose(astrologer, "stream"))
    wire = scene.wire(1)
    wire.welcome()
    greets(scene, wire)
    return scene, wire


def greets(scene: Scene, wire: Wire) -> None:
    """In a second of sound, which is heard."""
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", "Namaste.")
    finish(wire, "greeting")
    scene.stage.advance(2)
    scene.caller.take()


def sound(scene: Scene) -> int:
    """Bytes of all the sound that the caller got."""
    return sum(len(message.pcm) for message in scene.caller.heard if isinstance(message, Sound))


def paid(scene: Scene) -> int:
    """What the call came to beyond two seconds of greeting; without a stay there is no bill."""
    bills = [message.bill for message in scene.caller.heard if isinstance(message, Summary)]
    return sum(stay.cost for bill in bills for stay in bill.stays if stay.seconds > 2)


def test_a_birth_date_in_the_middle_of_a_priced_call_stops_the_meter_and_nothing_else(call: Calls) -> None:
    """The sentence is heard to its end, the persona is told, the caller is told whom to choose, and pays no more."""
    scene, wire = in_a_stream(call, TINA)
    scene.stage.advance(30)
    speaks(scene, wire, 4.0)
    scene.stage.advance(1)
    scene.says(Chose(TINA, profile=CHILD))
    notice = scene.caller.fish_for(Notice)
    assert notice.code == "not_for_minors"
    assert notice.message.endswith(f"Choose one of: {MOHIT}.")
    assert "You cannot go on with this caller, because calls with you cost money" in prompt(wire)
    assert "2012" not in prompt(wire)
    scene.stage.advance(20)
    assert sound(scene) == 5 * RATE  # with the greeting
    scene.says(Chose(MOHIT))
    free = scene.wire(2)
    free.welcome()
    scene.caller.fish_for(ConfigAck, astrologer_id=MOHIT)
    greets(scene, free)
    assert "# Young caller" in prompt(free)
    scene.stage.advance(PARTING_SECONDS + LAST_SECONDS + 40)
    assert not [message for message in scene.caller.heard if isinstance(message, Close)]
    assert refusal(scene, Chose(TINA)).code == "not_for_minors"
    scene.end()
    bill = scene.caller.fish_for(Summary).bill
    seconds = {stay.persona.id: stay.seconds for stay in bill.stays}
    assert seconds[TINA] == 33
    assert seconds[MOHIT] == pytest.approx(110, abs=2)
    assert [amount.text for amount in bill.price] == ["5.50 INR"]


def test_who_chooses_nobody_else_is_let_go_at_a_pause(call: Calls) -> None:
    """After a minute, with a notice; the sentence that plays then is heard to its end."""
    scene, wire = in_a_stream(call, TINA)
    scene.says(Chose(TINA, profile=CHILD))
    scene.stage.advance(PARTING_SECONDS - 2)
    speaks(scene, wire, 4.0)
    scene.caller.take()
    scene.stage.advance(3)
    assert scene.caller.fish_for(Notice).code == "not_for_minors"
    assert not [message for message in scene.caller.heard if isinstance(message, Close)]
    scene.stage.advance(LAST_SECONDS)
    assert scene.caller.fish_for(Close).code == 4403
    assert sound(scene) == 5 * RATE  # with the greeting
    scene.end()
    assert paid(scene) == 0


def test_the_meter_stays_still_for_a_minor_when_the_connection_is_another(call: Calls) -> None:
    """The persona whom they may not have comes back to say goodbye, and costs nothing."""
    scene, wire = in_a_stream(call, TINA)
    scene.says(Chose(TINA, profile=CHILD))
    scene.stage.settle()
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert "You cannot go on with this caller" in prompt(again)
    scene.stage.advance(30)
    scene.end()
    assert paid(scene) == 0


@pytest.mark.parametrize("when", ["asked", "reserved", "called", "ready"])
def test_a_birth_date_between_the_choice_and_the_line(call: Calls, when: str) -> None:
    """Whenever it comes: nothing is metered, the caller is told once, and whoever comes knows it."""
    scene = call()
    scene.supervisor.by_hand = when == "reserved"
    scene.says(Chose(TINA))
    if when != "asked":
        scene.stage.settle()
    if when == "ready":
        scene.wire(1).say(type="session.created")
    scene.says(Chose(TINA, profile=CHILD))
    scene.stage.settle()
    if when == "reserved":
        scene.supervisor.by_hand = False
        scene.supervisor.answer(scene.supervisor.expect(Reserve))
    wire = scene.wire(1)
    if when != "ready":
        wire.say(type="session.created")
    for _ in range(3):
        wire.consent()
    scene.caller.fish_for(ConfigAck)
    assert "You cannot go on with this caller" in prompt(wire)
    told = [message for message in scene.caller.heard if isinstance(message, Notice)]
    assert [notice.code for notice in told] == ["not_for_minors"]
    scene.stage.advance(30)
    scene.end()
    assert paid(scene) == 0


def test_a_birth_date_in_a_choice_that_is_refused_counts_for_whoever_is_on_the_line(call: Calls) -> None:
    """The caller is told of both; whoever is there knows it with the next answer, and costs nothing more."""
    scene, wire = in_a_stream(call, TINA)
    scene.says(Chose(HARSH, profile=CHILD))
    assert "Tina Kulkarni" in scene.caller.fish_for(Notice, code="not_for_minors").message
    assert "Harsh" in scene.caller.fish_for(Error, code="not_for_minors").message
    assert "You cannot go on with this caller" in prompt(wire)
    scene.stage.advance(30)
    scene.end()
    assert paid(scene) == 0


@pytest.mark.parametrize(("age", "minor"), [(None, True), (Age(least=18), False), (Age(least=16), True)])
def test_a_sign_of_a_child_counts_unless_the_token_knows_better(stage: Stage, age: Age | None, minor: bool) -> None:
    """For this call only: nobody told an age."""
    services = Services(CurrentCatalogue(SOME_FREE), Wires(), cast(Pool, Decoders()), clock=stage.clock)
    known = CallerAge(Identity("somebody", age=age), services, lambda: stage.now)
    assert not known.minor
    assert known.suspect() is minor
    assert known.minor is minor
    assert not known.suspect()
    assert len(services.ages) == 0
    assert services.counters.minors == minor


@pytest.mark.parametrize(("country", "minor"), [("", False), ("SG", True), ("NZ", True), ("IN", False)])
def test_who_is_grown_up_depends_on_the_country(stage: Stage, country: str, minor: bool) -> None:
    """Nineteen years are enough in India."""
    services = Services(CurrentCatalogue(SOME_FREE), Wires(), cast(Pool, Decoders()), clock=stage.clock)
    known = CallerAge(Identity("somebody"), services, lambda: stage.now)
    assert known.learn(Profile(birth_date="2007-11-01", country=country)) is minor


@pytest.mark.parametrize("late", [False, True])
def test_nothing_of_an_age_is_logged(call: Calls, caplog: pytest.LogCaptureFixture, late: bool) -> None:
    """Neither a date nor that somebody is a minor, however the call goes."""
    caplog.set_level(logging.DEBUG)
    scene, _ = in_a_stream(call, TINA if late else MOHIT)
    scene.says(Chose(TINA, profile=CHILD))
    scene.stage.advance(PARTING_SECONDS + LAST_SECONDS)
    scene.session.tell(Detached(1, GONE))
    scene.end()
    said = caplog.text.casefold()
    assert ("code=4403" in said) is late
    assert ("not_allowed=1" in said) is not late
    assert not [
        word for word in ("2012", "minor", "birth", "age=", "under", "young") if word in said.replace("under way", "")
    ]
