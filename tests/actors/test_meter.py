"""Time and money of a call: what is metered, when it stands still, and what the caller is told of it."""

import logging
from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.budgets.sums import Memory
from actors.messages.admission import GONE, Detached, LostSight, SeenAgain
from actors.messages.caller import Chose, Close, ConfigAck, HungUp, Notice, Summary, Typed
from actors.persona import MinuteOver, PersonaActor
from actors.runtime import Stop
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from personas import SHIPPED, Catalogue
from personas.meter import Meter
from personas.pricing import Amount, Tariff
from tests.kit.four import FOUR, MOHIT, PRIYANKA, TINA
from tests.kit.streaming import asked, begin, on_the_line

LONG = Limits(idle_seconds=1e6, call_seconds=1e6)
RUPEES = {"per_minute": 12.5, "currency": "INR"}
YEN = {"per_minute": 90, "currency": "JPY"}


def priced(**prices: dict[str, Any] | None) -> Catalogue:
    """The personas who ship, at these prices; None is no price."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        if row["astrologer_id"] in prices:
            row["pricing"] = prices[row["astrologer_id"]]
        if not row["pricing"]:
            del row["pricing"]
    return Catalogue.from_data(data)


def comes(scene: Scene, number: int) -> None:
    """The persona is on the line and greets."""
    wire = scene.wire(number)
    wire.welcome()
    wire.answer("Hello.")
    scene.stage.settle()


def summary(scene: Scene) -> tuple[list[tuple[str, int, str]], list[str]]:
    """Who was on the line, how long and for how much, and the sums."""
    bill = scene.caller.fish_for(Summary).bill
    stays = [(stay.persona.id, stay.seconds, stay.price.text if stay.price else "") for stay in bill.stays]
    assert bill.seconds == sum(seconds for _, seconds, _ in stays)
    return stays, [amount.text for amount in bill.price]


def test_metered_from_the_acknowledgement_to_the_end(stage: Stage) -> None:
    """Whole seconds, at the price that the caller was told, and the summary comes just before the close."""
    scene = Scene(stage, priced(**{TINA: RUPEES}), LONG)
    scene.says(Chose(TINA))
    stage.advance(5)  # nobody is on the line yet
    comes(scene, 1)
    told = scene.caller.fish_for(ConfigAck).price
    assert told == Tariff(1250, "INR", 2, 0, "second", "12.50 INR a minute")
    stage.advance(24.999)
    scene.says(HungUp())
    assert summary(scene) == ([(TINA, 24, "5.00 INR")], ["5.00 INR"])
    assert scene.caller.expect(Close).code == 1000
    scene.caller.expect_nothing()
    scene.end()


def test_a_switch_stops_the_one_and_starts_the_other(stage: Stage) -> None:
    """What lies between costs nothing; each currency has its sum, and coming back adds to what was there."""
    scene = Scene(stage, priced(**{TINA: RUPEES, MOHIT: YEN, PRIYANKA: RUPEES}), LONG)
    for number, (astrologer_id, seconds) in enumerate([(TINA, 30), (MOHIT, 20), (PRIYANKA, 12), (TINA, 30)], 1):
        scene.says(Chose(astrologer_id))
        stage.advance(3)
        comes(scene, number)
        stage.advance(seconds)
    scene.says(HungUp())
    stays = [(TINA, 60, "12.50 INR"), (MOHIT, 20, "30 JPY"), (PRIYANKA, 12, "2.50 INR")]
    assert summary(scene) == (stays, ["15.00 INR", "30 JPY"])
    scene.end()


def test_it_stands_still_while_we_reconnect(stage: Stage) -> None:
    """From the loss until the connection to the model is back."""
    scene = Scene(stage, limits=LONG)
    wire = scene.on_the_line(TINA)
    stage.advance(10)
    wire.lose()
    stage.advance(4)
    scene.wire(2).welcome()
    stage.advance(10)
    scene.says(HungUp())
    assert summary(scene)[0] == [(TINA, 20, "3.33 INR")]
    scene.end()


def test_who_is_out_of_sight_is_not_metered(stage: Stage) -> None:
    """From the last sign of life until they are seen again; a persona who comes meanwhile changes nothing."""
    scene = Scene(stage, limits=LONG)
    wire = scene.on_the_line(TINA)
    stage.advance(10)
    seen_at = stage.now
    stage.advance(25)
    scene.session.tell(LostSight(1, seen_at))
    stage.advance(20)
    wire.lose()
    scene.wire(2).welcome()
    stage.advance(5)
    scene.session.tell(SeenAgain(1))
    stage.advance(7)
    scene.says(HungUp())
    assert summary(scene)[0] == [(TINA, 17, "2.83 INR")]
    scene.end()


def test_who_never_comes_back_pays_until_the_last_sign(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Of a connection before, nothing is heard."""
    scene = Scene(stage, limits=LONG)
    scene.on_the_line(TINA)
    stage.advance(10)
    scene.session.tell(LostSight(0, stage.now - 5))
    stage.advance(1)
    seen_at = stage.now
    stage.advance(15)
    scene.session.tell(Detached(1, GONE, seen_at))
    with caplog.at_level(logging.INFO, "actors.session"):
        scene.end()
    assert f" personas={TINA}@{FOUR.get(TINA).version}:11 " in caplog.messages[-1]


def test_the_bill_never_falls_below_what_was_told(stage: Stage) -> None:
    """A minute was full, and told, before it was known that nobody is there."""
    scene = Scene(stage, limits=LONG)
    scene.on_the_line(TINA)
    stage.advance(50)
    seen_at = stage.now
    stage.advance(11)
    assert scene.caller.fish_for(Notice, code="minute").seconds == 60
    stage.advance(14)
    scene.session.tell(LostSight(1, seen_at))
    stage.advance(300)
    assert not [message for message in scene.caller.box if isinstance(message, Notice)]
    scene.says(HungUp())
    assert summary(scene)[0] == [(TINA, 60, "10.00 INR")]
    scene.end()


def test_a_switch_that_fails_goes_on_where_it_was(stage: Stage) -> None:
    """The time in which the other was called is not metered for anybody."""
    scene = Scene(stage, limits=LONG)
    scene.on_the_line(TINA)
    stage.advance(10)
    scene.says(Chose(MOHIT))
    stage.advance(2)
    scene.wire(2).lose(4000, "no")
    stage.advance(5)
    scene.says(HungUp())
    assert summary(scene)[0] == [(TINA, 15, "2.50 INR")]
    scene.end()


def test_a_rollover_is_not_seen(stage: Stage) -> None:
    """The caller talks on while one connection takes over from another."""
    scene = Scene(stage, limits=LONG)
    scene.on_the_line(TINA)
    stage.advance(3305)
    scene.wire(2).welcome()
    stage.advance(1)
    scene.says(HungUp())
    assert summary(scene)[0] == [(TINA, 3306, "551.00 INR")]
    scene.end()


def test_a_minute_is_told_when_it_is_full(stage: Stage) -> None:
    """Metered minutes, not those of the clock."""
    scene = Scene(stage, priced(**{TINA: RUPEES, MOHIT: None}), LONG)
    wire = scene.on_the_line(TINA)
    stage.advance(50)
    wire.lose()
    stage.advance(4)
    scene.wire(2).welcome()
    stage.advance(9.9)
    assert [message.code for message in scene.caller.take() if isinstance(message, Notice)] == [
        "reconnecting",
        "resumed",
    ]
    stage.advance(0.2)
    minute = scene.caller.expect(Notice, code="minute")
    assert (minute.seconds, minute.price) == (60, (Amount(1250, "INR", 2, "12.50 INR"),))
    stage.advance(60)
    assert scene.caller.expect(Notice, code="minute").message == "So far this call costs 25.00 INR."
    scene.says(Chose(MOHIT))
    comes(scene, 3)
    scene.caller.take()
    stage.advance(300)
    scene.caller.expect_nothing()  # he costs nothing
    scene.end()


def test_a_minute_says_sixty_seconds(stage: Stage) -> None:
    """With two personas as well: the seconds of each, its parts, are those of the summary, whole and unchanged."""
    scene = Scene(stage, priced(**{TINA: RUPEES, MOHIT: YEN}), LONG)
    scene.on_the_line(TINA)
    stage.advance(30.9)
    scene.on_the_line(MOHIT)
    stage.advance(29.1)
    scene.caller.expect_nothing()
    stage.advance(0.9)  # 30 and 30 that count
    minute = scene.caller.expect(Notice, code="minute")
    assert minute.seconds == 60
    scene.says(HungUp())
    assert summary(scene) == ([(TINA, 30, "6.25 INR"), (MOHIT, 30, "45 JPY")], ["6.25 INR", "45 JPY"])
    assert minute.price == scene.caller.heard[-2].bill.price
    scene.end()


def test_a_minute_is_of_those_who_have_a_price(stage: Stage) -> None:
    """What was spent with others does not bring it nearer; its seconds are those of the summary."""
    scene = Scene(stage, priced(**{TINA: None, MOHIT: RUPEES}), LONG)
    scene.on_the_line(TINA)
    stage.advance(50)
    scene.on_the_line(MOHIT)
    stage.advance(59.9)
    scene.caller.expect_nothing()
    stage.advance(0.1)
    minute = scene.caller.expect(Notice, code="minute")
    assert (minute.seconds, minute.message) == (110, "So far this call costs 12.50 INR.")
    scene.says(HungUp())
    assert summary(scene)[0] == [(TINA, 50, ""), (MOHIT, 60, "12.50 INR")]
    scene.end()


def test_a_clock_that_rings_early_tells_nothing(stage: Stage) -> None:
    """It rings again when the minute is full."""
    scene = Scene(stage, priced(**{TINA: RUPEES}), LONG)
    scene.on_the_line(TINA)
    stage.advance(59.99)
    persona = next(ref for ref in stage.actors() if ref.actor_class is PersonaActor)
    persona.tell(MinuteOver())
    scene.caller.expect_nothing()
    stage.advance(0.01)
    assert scene.caller.expect(Notice).seconds == 60
    persona.tell(MinuteOver())
    scene.caller.expect_nothing()
    scene.end()


def test_an_edit_without_a_new_price_is_the_same_stay(stage: Stage) -> None:
    """What is free is free once, and a minute begun is paid once; a new price is a stay of its own."""
    terms = {"per_minute": 12, "currency": "INR", "free_seconds": 30, "rounding": "minute"}

    def tuned(tone: str, **price: Any) -> Catalogue:
        data = orjson.loads(SHIPPED.read_bytes())
        for row in data["astrologers"]:
            row.update({"tone": tone, "pricing": terms | price})
        return Catalogue.from_data(data)

    scene = Scene(stage, tuned("first"), LONG)
    scene.on_the_line(TINA)
    told = scene.caller.heard[0].price
    assert (told.rounding, told.text) == (
        "minute", "12.00 INR a minute, each minute begun counts, the first 30 seconds of a day free",
    )  # fmt: skip
    stage.advance(40)
    scene.current.catalogue = tuned("second")
    scene.on_the_line(MOHIT)
    scene.on_the_line(TINA)
    stage.advance(40)
    scene.current.catalogue = tuned("second", per_minute=24)
    scene.on_the_line(MOHIT)
    scene.on_the_line(TINA)
    stage.advance(40)
    scene.says(HungUp())
    stays = [stay for stay in summary(scene)[0] if stay[0] == TINA]
    assert stays == [(TINA, 80, "12.00 INR"), (TINA, 40, "24.00 INR")]
    first, _, second, _ = scene.caller.heard[-2].bill.stays
    assert len(first.versions) == 2
    assert len(second.versions) == 1
    scene.end()


def test_without_a_price_there_is_only_time(stage: Stage) -> None:
    """No price is told, and no minute."""
    scene = Scene(stage, priced(**{TINA: None}), LONG)
    scene.says(Chose(TINA))
    comes(scene, 1)
    assert scene.caller.fish_for(ConfigAck).price is None
    stage.advance(130)
    scene.says(HungUp())
    assert summary(scene) == ([(TINA, 130, "")], [])
    assert not any(isinstance(message, Notice) for message in scene.caller.heard)
    scene.end()


@pytest.mark.parametrize("ending", ["drain", "hang up", "gone", "lost for good"])
def test_the_line_in_the_log_has_it_however_the_call_ends(
    scene: Scene, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who was on the line in which version, for how long, and the price."""
    wire = scene.on_the_line(TINA)
    scene.stage.advance(30)
    with caplog.at_level(logging.INFO, "actors.session"):
        match ending:
            case "drain":
                scene.session.tell(Stop())
            case "hang up":
                scene.says(HungUp())
            case "gone":
                scene.session.tell(Detached(1))
            case _:
                wire.lose(3000, "no")
        scene.stage.advance(3)
    version = FOUR.get(TINA).version
    (ended,) = [line for line in caplog.messages if line.startswith("ended")]
    assert f" personas={TINA}@{version}:30 price=5.00INR " in ended
    scene.end()


def test_the_caller_does_not_wait_for_the_last_facts(scene: Scene) -> None:
    """The model still tells what an answer came to, but the caller is let go."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    scene.says(HungUp())
    scene.caller.fish_for(Summary)
    assert scene.caller.expect(Close).code == 1000
    assert scene.session.is_alive()


def test_nobody_was_on_the_line(scene: Scene) -> None:
    """Then there is nothing to sum up."""
    scene.says(HungUp())
    assert scene.caller.expect(Close).code == 1000


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20_000)), min_size=1, max_size=12), st.data())
def test_nothing_is_metered_since_the_last_sign(stays: list[tuple[int, int]], data: st.DataObject) -> None:
    """However often somebody was put on the line between that and when it was known; 3 is nobody."""
    meter, now, ran = Meter(), 0, list[tuple[str, int, int]]()
    for who, ms in stays:
        if who == 3:
            meter.stop(now / 1000)
        else:
            meter.start(FOUR.all()[who], now / 1000)
            ran.append((FOUR.all()[who].id, now, now + ms))
        now += ms
    seen_at = data.draw(st.integers(max(0, now - 60_000), now))
    meter.pause(seen_at / 1000)
    for later in (now, now + 5_000):
        told = _seconds(meter, later)
        for persona in told:
            ms = sum(max(0, min(end, seen_at) - start) for one, start, end in ran if one == persona)
            assert abs(told[persona] - ms / 1000) < 1.01


@given(st.lists(st.tuples(st.sampled_from(FOUR.all()), st.integers(0, 10**7), st.integers(0, 10**6)), max_size=20))
def test_no_time_is_lost_or_made_up(stays: list[tuple[Any, int, int]]) -> None:
    """However often it is started and stopped, each has the milliseconds for which it ran, in whole seconds."""
    meter, now, ran = Meter(), 0, Counter[str]()
    for persona, on, off in stays:
        meter.start(persona, now / 1000)
        now, ran[persona.id] = now + on, ran[persona.id] + on
        assert _seconds(meter, now) == {one: ms // 1000 for one, ms in ran.items()}
        meter.stop(now / 1000)
        now += off
        assert _seconds(meter, now) == {one: ms // 1000 for one, ms in ran.items()}


def _seconds(meter: Meter, now: int) -> dict[str, int]:
    return {stay.persona.id: stay.seconds for stay in meter.bill(now / 1000).stays}


def test_free_seconds_come_once_a_day(stage: Stage) -> None:
    """Over all calls of a user, whoever they talk to; and again after midnight, in the middle of a call."""
    catalogue = priced(**{TINA: {**RUPEES, "free_seconds": 60}, MOHIT: {**RUPEES, "free_seconds": 90}})
    scene = Scene(stage, catalogue, LONG)
    scene.on_the_line(TINA)
    stage.advance(40)
    scene.says(HungUp())
    assert summary(scene)[1] == ["0.00 INR"]
    scene.end()
    stage.advance(12 * 3600 - 62 - stage.now)
    again = Scene(stage, catalogue, LONG, sums=scene.services.sums)
    again.on_the_line(MOHIT)
    stage.advance(62)  # until midnight: fifty of them are free
    stage.advance(91)  # of these ninety
    again.says(HungUp())
    assert summary(again) == ([(MOHIT, 153, "2.70 INR")], ["2.70 INR"])
    again.end()


def test_two_calls_cost_the_seconds_that_they_show(stage: Stage) -> None:
    """What is left of each, and was not a whole second, costs nothing."""
    catalogue = priced(**{TINA: {"per_minute": 60, "currency": "INR"}})
    register = Memory()
    for _ in range(3):
        scene = Scene(stage, catalogue, LONG, sums=register)
        scene.on_the_line(TINA)
        stage.advance(20.6)
        scene.says(HungUp())
        assert summary(scene) == ([(TINA, 20, "20.00 INR")], ["20.00 INR"])
        scene.end()
