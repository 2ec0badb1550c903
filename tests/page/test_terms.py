"""What a call costs, how long it lasts, who takes it and when: the page tells it as the server does."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import WebSocketRoute, expect

from actors.call.ending import minute
from actors.messages.caller import Notice, ToCaller
from personas import SHIPPED, Catalogue
from personas.meter import Bill, Stay
from tests.kit.engine_process import engine
from tests.kit.four import HARSH, IDS, MOHIT, PRIYANKA, TINA
from tests.kit.process import Server, server
from tests.page.conftest import Visit
from tests.page.test_access import barriers
from tests.page.visitor import DESKTOP, PHONE, Visitor
from web.wires import app

Row: TypeAlias = dict[str, Any]

OPENS = datetime.now(UTC) + timedelta(days=3)
BOTH = pytest.mark.parametrize("hold", [False, True], ids=["telephone", "button"])
A_SECOND = re.compile(r"^[1-9]\d* s")
TERMS: dict[str, Row] = {
    TINA: {"pricing": {"per_minute": 12.5, "currency": "INR", "free_seconds": 90}},
    MOHIT: {},
    PRIYANKA: {"availability": {"timezone": "UTC", "weekly": {f"{OPENS:%a}": "09:30-17:00"}}},
    HARSH: {
        "pricing": {"per_minute": 300, "currency": "JPY", "rounding": "minute"},
        "max_callers": 1,
        "adults_only": True,
    },
}


@dataclass
class Place:
    """A server, and its file of personas."""

    server: Server
    file: Path

    @property
    def url(self) -> str:
        return f"http://{self.server.address}/"

    def edit(self, change: Callable[[dict[str, Row]], Any]) -> None:
        """Change the file, by id, and wait until the server has it."""
        data = json.loads(self.file.read_bytes())
        rows = {row["astrologer_id"]: row for row in data["astrologers"]}
        change(rows)
        self.file.write_text(json.dumps({**data, "astrologers": [*rows.values()]}))
        self.server.lines(f"from now on catalogue={Catalogue.load(self.file).version}", 1)


@contextmanager
def opened(folder: Path) -> Iterator[Place]:
    """Tina has a price, Mohit none, Priyanka is closed, Harsh takes one caller; three switches a minute are granted."""
    data = json.loads(SHIPPED.read_bytes())
    shipped = {row["astrologer_id"]: row for row in data["astrologers"]}
    rows = [{**shipped[id_], "pricing": None, "availability": None, **TERMS[id_]} for id_ in IDS]
    kept = [{name: value for name, value in row.items() if value is not None} for row in rows]
    file = folder / "personas.json"
    file.write_text(json.dumps({**data, "astrologers": kept}))
    with server("--personas", str(file), "--switches", "3", model=engine()) as one:
        yield Place(one, file)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all who leave it as it is."""
    with opened(tmp_path_factory.mktemp("terms")) as one:
        yield one


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    """One to change."""
    with opened(tmp_path) as one:
        yield one


def receipt(visitor: Visitor) -> list[list[str]]:
    """The rows of the summary, once it is there."""
    expect(visitor.page.locator(".receipt")).to_have_count(1)
    rows = visitor.page.locator(".receipt tr").all()
    return [row.locator("th, td").all_inner_texts() for row in rows]


def whose(visitor: Visitor, name: str) -> None:
    """Wait until this one is on the line."""
    expect(visitor.page.locator("#title")).to_have_text(name)
    expect(visitor.page.locator("#state")).to_have_text(re.compile(f"{name} is (speaking|listening)."))


def test_a_card_says_the_terms(place: Place, visit: Visit) -> None:
    """The price of a minute with what is free, when a closed line opens by one's own clock, who is for adults."""
    page = visit(place.url, timezone_id="Asia/Kolkata").page
    words = {
        "Tina Kulkarni": ["₹12.50 a minute, the first 1 min 30 s free", "Open"],
        "Mohit": ["", "Open"],
        "Priyanka": ["", f"Closed until {OPENS:%a} 3:00 PM"],
        "Harsh Dubey": ["¥300 for each minute begun", "Open"],
    }
    for name, terms in words.items():
        card = page.get_by_role("button", name=name)
        assert [card.locator(".price").inner_text(), card.locator(".standing").inner_text()] == terms
        assert card.locator(".adults").inner_text() == ("18+" if name == "Harsh Dubey" else "")
        expect(card).to_be_enabled()


def test_a_call_is_summed_up_when_the_caller_hangs_up(place: Place, visit: Visit) -> None:
    """With whom, how long, for how much; it stays until the next call begins, and a call without a price has none."""
    visitor = visit(place.url, timezone_id="Asia/Kolkata")
    visitor.call("Harsh Dubey")
    expect(visitor.page.locator("#meter")).to_contain_text(A_SECOND)
    visitor.page.get_by_role("button", name="Switch").click()
    visitor.call("Tina Kulkarni")
    whose(visitor, "Tina Kulkarni")
    expect(visitor.page.locator("#meter")).to_contain_text("₹12.50 a minute")
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.sees("ended", "you hung up")
    harsh, tina, all_ = receipt(visitor)
    assert [harsh[0], harsh[2]] == ["Harsh Dubey", "¥300"]
    assert [tina[0], tina[2]] == ["Tina Kulkarni", "₹0"]
    assert [all_[0], all_[2]] == ["Altogether", "¥300 + ₹0"]
    assert all(re.fullmatch(r"(1 min )?\d+ s", row[1]) for row in (harsh, tina, all_))
    expect(visitor.page.locator("#meter")).to_be_empty()
    visitor.page.get_by_role("button", name="Choose another").click()
    visitor.call("Mohit")
    visitor.sees("speaking")
    expect(visitor.page.locator(".receipt")).to_have_count(0)
    expect(visitor.page.locator("#meter")).to_have_text(re.compile(r"^([2-9]|\d\d) s$"))
    visitor.page.get_by_role("button", name="Hang up").click()
    ((name, time),) = receipt(visitor)
    assert (name, time[-2:]) == ("Mohit", " s")


def test_a_call_is_summed_up_when_the_server_ends_it(own: Place, visit: Visit) -> None:
    """It is told before the close, and stands above the reason."""
    visitor = visit(own.url)
    visitor.call("Harsh Dubey")
    expect(visitor.page.locator("#meter")).to_contain_text(A_SECOND)
    assert own.server.stop() == 0
    visitor.sees("ended", "the server is restarting")
    ((name, _, price),) = receipt(visitor)
    assert (name, price) == ("Harsh Dubey", "¥300")
    visitor.forgives = True


def test_the_summary_of_the_call_before_does_not_stand_in_the_next(place: Place, visit: Visit) -> None:
    """Whoever calls again at once, before it has come, sees nothing of it."""
    visitor = visit(place.url)
    visitor.call("Mohit")
    visitor.sees("speaking")
    visitor.page.evaluate("document.getElementById('hang-up').click(), document.getElementById('again').click()")
    visitor.sees("listening")  # who speaks over the first words hears the rest of them again
    visitor.type("Will I marry?")
    expect(visitor.page.locator(".assistant")).to_have_count(2)
    expect(visitor.page.locator(".receipt")).to_have_count(0)


class Line:
    """Between the page and the server: all goes through, and the test may say something besides, in the server's words.

    What the page says with the word `slow` in it is kept back until the test lets it go. What the test has said is not
    among the messages that the server knows to be received.
    What the server says of itself takes a minute, or the loss of a connection.
    """

    def __init__(self, visitor: Visitor, slow: str = "") -> None:
        self.slow = slow
        self._said = 0
        self._route: WebSocketRoute
        self._server: WebSocketRoute
        self._kept: list[str | bytes] = []
        visitor.page.route_web_socket(re.compile("/ws/"), self._connect)
        visitor.page.reload()

    def _connect(self, route: WebSocketRoute) -> None:
        self._server = route.connect_to_server()
        self._route = route
        route.on_message(self._pass_on)

    def _pass_on(self, message: str | bytes) -> None:
        if isinstance(message, str) and "received" in (said := json.loads(message)):
            message = json.dumps(said | {"received": max(0, said["received"] - self._said)})
        if self.slow and self.slow in str(message):
            self._kept.append(message)
        else:
            self._server.send(message)

    def hurry(self) -> None:
        """What was kept back reaches the server."""
        while self._kept:
            self._server.send(self._kept.pop(0))

    def say(self, message: ToCaller) -> None:
        self._said += 1
        self._route.send(app.write(message).decode())


def test_what_a_call_costs_is_seen_as_it_grows(place: Place, visit: Visit) -> None:
    """A full minute changes the line under the name, and nothing else; it goes on with whom has no price."""
    visitor = visit(place.url)
    line, meter = Line(visitor), visitor.page.get_by_role("timer")
    visitor.call("Tina Kulkarni")
    visitor.sees("speaking")
    expect(meter).to_have_text(re.compile(r"^[1-9]\d* s · ₹12.50 a minute, the first 1 min 30 s free$"))
    tina = Catalogue.load(place.file).get(TINA)
    line.say(minute(Bill((Stay(tina, 120, cost=625),))))
    expect(meter).to_have_text(
        re.compile(r"^2 min( \d+ s)? · ₹12.50 a minute, the first 1 min 30 s free · ₹6.25 so far$")
    )
    expect(visitor.page.locator("#problem")).to_be_empty()
    line.say(minute(Bill((Stay(tina, 180, cost=1875),))))
    expect(meter).to_have_text(re.compile("^3 min.*₹18.75 so far$"))
    visitor.page.get_by_role("button", name="Switch").click()
    visitor.call("Mohit")
    expect(meter).to_have_text(re.compile(r"^3 min( \d+ s)? · ₹18.75 so far$"))
    assert visitor.page.locator("#captions .with").all_inner_texts() == [
        "On the line: Tina Kulkarni",
        "On the line: Mohit",
    ]


def test_the_time_stands_still_while_nobody_is_there(place: Place, visit: Visit) -> None:
    """As the server's does, while the connection to the model is made again."""
    visitor = visit(place.url)
    visitor.page.clock.install()
    line, meter = Line(visitor), visitor.page.locator("#meter")
    visitor.call("Mohit")
    visitor.sees("listening")  # before that, what the test says would be counted, and sound waits for a true count
    line.say(Notice("reconnecting", "The connection is gone."))
    expect(visitor.page.locator("#problem")).to_have_text("The connection is gone.")
    visitor.sees("reconnecting", "Reconnecting to Mohit…")
    before = seconds(meter.inner_text())
    fast_forward(visitor)
    assert seconds(meter.inner_text()) == before
    line.say(Notice("resumed", "It is back."))
    expect(visitor.page.locator("#problem")).to_be_empty()
    fast_forward(visitor)
    assert seconds(meter.inner_text()) >= before + 5


def fast_forward(visitor: Visitor) -> None:
    """Five seconds, when no ping is on its way: its answer would be five seconds late, and the line taken for lost."""
    visitor.is_told("pong", visitor.told.count("pong") + 1)
    visitor.page.clock.fast_forward(5_000)


def seconds(words: str) -> int:
    """How long the meter says, such as "5 s · ₹10 a minute" or "1 min 5 s"."""
    found = re.match(r"(?:(\d+) min ?)?(?:(\d+) s)?", words)
    assert found
    return 60 * int(found[1] or 0) + int(found[2] or 0)


@pytest.mark.parametrize("name", ["Priyanka", "Harsh Dubey"], ids=["closed", "full"])
def test_who_is_refused_stays_where_they_are(place: Place, visit: Visit, name: str) -> None:
    """The server says why, and who is free: a press away. Until then the call goes on with the one before."""
    if name == "Harsh Dubey":
        other = visit(place.url)
        other.call(name)
        whose(other, name)
    visitor = visit(place.url, hold=True)
    visitor.call("Tina Kulkarni")
    whose(visitor, "Tina Kulkarni")
    visitor.page.get_by_role("button", name="Switch").click()
    visitor.call(name)
    problem = visitor.page.locator("#problem")
    expect(problem).to_contain_text("takes calls again from" if name == "Priyanka" else "is talking to others")
    expect(problem).to_contain_text(re.compile("Choose one of: Tina Kulkarni, Mohit"))
    expect(problem.get_by_role("button", name="Tina Kulkarni")).to_have_count(0)
    whose(visitor, "Tina Kulkarni")
    visitor.type("शादी कब होगी?")
    expect(visitor.page.locator(".assistant")).to_have_count(2)
    visitor.page.locator("#talk").click()
    visitor.sees("recording")
    visitor.page.keyboard.press("Escape")
    visitor.page.get_by_role("button", name="Switch").click()
    visitor.call(name)
    problem.get_by_role("button", name="Mohit").click()
    expect(problem).to_be_empty()
    whose(visitor, "Mohit")


def test_who_switches_too_often_is_told(place: Place, visit: Visit) -> None:
    """And stays with the last one."""
    visitor = visit(place.url, DESKTOP)
    for name in ("Mohit", "Tina Kulkarni", "Mohit", "Tina Kulkarni"):
        visitor.call(name)
        whose(visitor, name)
    visitor.call("Mohit")
    expect(visitor.page.locator("#problem")).to_have_text(re.compile("You switched 3 times in a minute: try again in"))
    whose(visitor, "Tina Kulkarni")
    expect(visitor.page.locator("#cards").get_by_role("button", name="Tina")).to_have_attribute("aria-current", "true")


def test_a_first_choice_that_is_refused(place: Place, visit: Visit) -> None:
    """No call comes of it, so there is no summary; whom the server names can be called at once."""
    visitor = visit(place.url)
    visitor.call("Priyanka")
    visitor.sees("ended", "The call has ended: it was not taken.")
    problem = visitor.page.locator("#problem")
    expect(problem).to_contain_text("Priyanka takes calls again from")
    assert PRIYANKA not in problem.inner_text()
    problem.get_by_role("button", name="Mohit").click()
    whose(visitor, "Mohit")
    expect(problem).to_be_empty()
    expect(visitor.page.locator(".receipt")).to_have_count(0)


@pytest.mark.parametrize("order", [(MOHIT, PRIYANKA), (PRIYANKA, MOHIT)], ids=["refused last", "refused first"])
def test_of_two_choices_at_once_the_one_that_is_granted_holds(
    place: Place, visit: Visit, order: tuple[str, str]
) -> None:
    """A refusal does not say of which it speaks: the page waits for who comes to the line."""
    visitor = visit(place.url, DESKTOP)
    visitor.call("Tina Kulkarni")
    whose(visitor, "Tina Kulkarni")
    visitor.page.evaluate("ids => ids.forEach(id => document.querySelector(`[data-id=${id}]`).click())", order)
    expect(visitor.page.locator("#problem")).to_contain_text("Priyanka takes calls again")
    whose(visitor, "Mohit")
    visitor.sees("speaking")
    visitor.hears("assistant", re.compile(re.escape(Catalogue.load(place.file).get(MOHIT).greeting)))


@BOTH
def test_a_greeting_that_comes_before_the_refusal_of_another_is_heard(place: Place, visit: Visit, hold: bool) -> None:
    """The page does not know yet whether it is the last of somebody who was left."""
    visitor = visit(place.url, DESKTOP, hold=hold)
    line = Line(visitor, slow=PRIYANKA)
    visitor.call("Tina Kulkarni")
    whose(visitor, "Tina Kulkarni")
    visitor.page.evaluate(
        "ids => ids.forEach(id => document.querySelector(`[data-id=${id}]`).click())", [MOHIT, PRIYANKA]
    )
    visitor.hears("assistant", re.compile(re.escape(Catalogue.load(place.file).get(MOHIT).greeting)))
    line.hurry()
    expect(visitor.page.locator("#problem")).to_contain_text("Priyanka takes calls again")
    whose(visitor, "Mohit")
    visitor.sees("speaking")


@BOTH
def test_an_answer_that_comes_before_a_refusal_is_heard(place: Place, visit: Visit, hold: bool) -> None:
    """Whoever is on the line stays, and so does what they say."""
    visitor = visit(place.url, DESKTOP, hold=hold)
    line = Line(visitor, slow=PRIYANKA)
    visitor.call("Mohit")
    visitor.sees("speaking" if hold else "listening")  # in a stream, who speaks over the first words hears them again
    visitor.type("Will I marry?")
    visitor.call("Priyanka")
    expect(visitor.page.locator(".assistant")).to_have_count(2)
    line.hurry()
    expect(visitor.page.locator("#problem")).to_contain_text("Priyanka takes calls again")
    visitor.page.wait_for_function(f"() => {'spy.sounds' if hold else 'Object.keys(spy.given)'}.length == 2")


def test_a_choice_made_while_the_line_is_dialled_is_not_lost(place: Place, visit: Visit) -> None:
    """Whoever was chosen last is on the line."""
    visitor = visit(place.url, DESKTOP)
    visitor.page.evaluate("ids => ids.forEach(id => document.querySelector(`[data-id=${id}]`).click())", [TINA, MOHIT])
    whose(visitor, "Mohit")
    visitor.sees("speaking")


def test_who_hangs_up_before_the_line_is_open_can_call_again(place: Place, visit: Visit) -> None:
    """Nothing is left of the first try, not even on the console."""
    visitor = visit(place.url, DESKTOP)
    visitor.page.evaluate(
        """() => {
            document.querySelector('.card').click();
            for (const id of ['hang-up', 'again']) document.getElementById(id).click();
        }"""
    )
    whose(visitor, "Tina Kulkarni")
    assert len(visitor.dialled) == 2


def test_the_page_learns_of_an_edit(own: Place, visit: Visit) -> None:
    """When it is looked at again, when the list is opened, when a call ends; filter and focus stay."""
    visitor = visit(own.url)
    page, cards = visitor.page, visitor.page.locator(".card:visible")
    page.get_by_label("Language").select_option("English")
    page.get_by_role("button", name="Mohit").focus()
    own.edit(lambda rows: (rows.update(meera={**rows[MOHIT], "astrologer_id": "meera", "name": "Meera"}),
                           rows[PRIYANKA].pop("availability")))  # fmt: skip
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("button", name="Priyanka")).to_contain_text("Open")
    assert [card.split("\n")[1] for card in cards.all_inner_texts()] == ["Mohit", "Priyanka", "Meera"]
    expect(page.locator("#count")).to_have_text("3 astrologers")
    expect(page.locator(":focus")).to_contain_text("Mohit")

    visitor.call("Meera")
    whose(visitor, "Meera")
    own.edit(lambda rows: rows[MOHIT].update(pricing={"per_minute": 7, "currency": "INR"}))
    page.get_by_role("button", name="Switch").click()
    expect(page.get_by_role("button", name="Mohit")).to_contain_text("₹7 a minute")
    expect(page.get_by_role("button", name="Meera")).to_contain_text("On the line")
    page.get_by_role("button", name="Back to the call").click()
    own.edit(lambda rows: rows.pop("meera"))
    page.get_by_role("button", name="Hang up").click()
    page.get_by_role("button", name="Choose another").click()
    expect(cards).to_have_count(2)


def test_a_list_that_is_as_before_costs_nothing(place: Place, visit: Visit) -> None:
    """The server only says so, and the cards are not made again."""
    page = visit(place.url).page
    card = page.locator(".card").first.element_handle()
    with page.expect_response("**/api/astrologers") as again:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    again.value.finished()
    assert again.value.request.all_headers()["if-none-match"] == again.value.headers["etag"]
    page.evaluate("fetch('/ready')")  # whatever came of the answer has been done by then
    assert card is not None
    assert page.evaluate("card => card.isConnected", card)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_terms_are_no_barrier(place: Place, visit: Visit, scheme: str) -> None:
    """On the cards, in a call that was refused another, in the summary; nothing is wider than a narrow telephone."""
    visitor = visit(place.url, PHONE, color_scheme=scheme)
    page = visitor.page
    page.set_viewport_size({"width": 320, "height": 640})

    def is_fine() -> None:
        assert barriers(visitor) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 320

    is_fine()
    visitor.call("Tina Kulkarni")
    whose(visitor, "Tina Kulkarni")
    page.get_by_role("button", name="Switch").click()
    visitor.call("Priyanka")
    expect(page.locator("#problem .link")).to_have_count(2)
    is_fine()
    page.get_by_role("button", name="Hang up").click()
    receipt(visitor)
    is_fine()
