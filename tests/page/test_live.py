"""The live view in a browser: who looks signs in, sees the calls, ends one, and drains the server."""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.kit import secrets
from tests.kit.engine_process import engine
from tests.kit.process import Server, server
from tests.page.conftest import Visit
from tests.page.test_access import barriers
from tests.page.visitor import DESKTOP, PATIENCE, PHONE, Visitor

TOKEN = secrets.key("of the operator, घ")
LIVE = re.compile(r"live view at (\S+)")
TINA = "tina_kulkarni_vedic_marriage"

Look: TypeAlias = Callable[..., Visitor]


def url(running: Server) -> str:
    """Where the live view is."""
    found = LIVE.search(running.lines("live view at", 1)[0])
    assert found
    return found[1]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server that wants a token of who looks."""
    with server(ADMIN_TOKEN=TOKEN, model=engine()) as one:
        yield one


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """`look(url)`: somebody opens the live view, and is gone after the test; nothing may be on their console."""
    lookers: list[Visitor] = []

    def come(address: str, size: tuple[int, int] = DESKTOP, **wishes: Any) -> Visitor:
        screen: ViewportSize = {"width": size[0], "height": size[1]}
        lookers.append(Visitor.come(browser.new_context(viewport=screen, reduced_motion="reduce", **wishes)))
        lookers[-1].page.goto(address)
        return lookers[-1]

    yield come
    for one in lookers:
        one.page.context.close()
    assert [one.complaints for one in lookers if one.complaints] == []


def sign_in(page: Page, token: str = TOKEN) -> None:
    """Write the token, and send it."""
    page.get_by_label("The token of the admin shore").fill(token)
    page.keyboard.press("Enter")


def sees(page: Page, words: str) -> None:
    """Wait until the head says it."""
    expect(page.locator("#state")).to_contain_text(words, timeout=PATIENCE)


def test_who_looks_signs_in(guarded: Server, look: Look) -> None:
    """A wrong token is said to be wrong; a good one is in no address and no cookie, and gone with the tab."""
    one = look(url(guarded))
    asked: list[str] = []
    one.page.on("request", lambda request: asked.append(request.url))
    sees(one.page, "This server asks who looks.")
    expect(one.page.locator("#view")).to_be_hidden()
    sign_in(one.page, "wrong")
    expect(one.page.locator("#problem")).to_have_text("That is not the token of this server.")
    sign_in(one.page)
    sees(one.page, "No calls of 500.")
    expect(one.page.locator("#nobody")).to_have_text("Nobody is on the line.")
    one.page.reload()
    sees(one.page, "No calls of 500.")
    assert not [address for address in asked if TOKEN in address or "?" in address]
    assert one.page.context.cookies() == []
    assert one.page.evaluate("localStorage.length") == 0
    other = one.page.context.new_page()
    other.goto(url(guarded))
    sees(other, "This server asks who looks.")


def test_a_call_is_seen_and_ended(guarded: Server, look: Look, visit: Visit) -> None:
    """By the keyboard alone: the question can be answered with no; the caller reads why their call has ended."""
    one = look(url(guarded))
    sign_in(one.page)
    caller = visit(f"http://{guarded.address}/")
    caller.call("Tina Kulkarni")
    caller.sees("speaking")
    sees(one.page, "1 call of 500.")
    row = one.page.locator("#calls tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator(".persona")).to_have_text(f"{TINA} (stream)")
    expect(row.locator(".state")).to_have_text(re.compile("speaking|listening|hearing"))
    expect(row.locator(".leg")).to_have_text("1")
    expect(row.locator(".spoken")).not_to_have_text("0.0 s", timeout=PATIENCE)
    expect(row.locator(".heard")).not_to_have_text("0.0 s", timeout=PATIENCE)
    expect(row.locator(".lasts")).to_have_text(re.compile(r"^\d+:\d\d$"))
    user = row.locator(".caller").inner_text()
    assert re.fullmatch("[0-9a-f]{16}", user)
    one.page.get_by_label("Find a user or a session").fill("nobody at all")
    expect(row).to_have_count(0)
    expect(one.page.locator("#nobody")).to_have_text("No call fits.")
    one.page.get_by_label("Find a user or a session").fill(user)
    expect(row).to_have_count(1)
    button = row.get_by_role("button")
    button.focus()
    one.page.keyboard.press("Enter")
    expect(one.page.get_by_role("dialog", name="End this call?")).to_be_visible()
    one.page.keyboard.press("Escape")
    expect(one.page.get_by_role("dialog")).to_be_hidden()
    expect(button).to_be_focused()
    assert not caller.page.locator("#ended").is_visible()
    one.page.keyboard.press("Enter")
    one.page.keyboard.press("Tab")
    one.page.keyboard.press("Enter")
    expect(row).to_have_count(0, timeout=PATIENCE)
    caller.sees("ended", "the operator of this server has ended this call")
    sees(one.page, "No calls of 500.")


def test_it_asks_for_nothing_of_the_callers_page(guarded: Server, look: Look) -> None:
    """Not even while its own colours are on their way, or do not arrive: the admin shore has no file of callers."""
    one = look("about:blank")
    asked: list[str] = []
    one.page.on("request", lambda request: asked.append(request.url))
    one.page.route("**/live.css", lambda route: route.fulfill(body="", content_type="text/css"))
    one.page.goto(url(guarded))
    sees(one.page, "This server asks who looks.")
    one.page.wait_for_load_state("networkidle")
    assert any(address.endswith("/live/style.css") for address in asked)
    assert [address for address in asked if not address.startswith(url(guarded))] == []


def test_a_question_that_is_not_asked_wants_no_focus(guarded: Server, look: Look) -> None:
    """Where something has it before the page is drawn, the browser complained that the question cannot have it."""
    one = look("about:blank")
    quick = "document.body.tabIndex = -1; document.body.focus()"
    one.page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ {quick} }})")
    one.page.goto(url(guarded))
    sees(one.page, "This server asks who looks.")
    expect(one.page.get_by_label("The token of the admin shore")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_view_has_a_barrier(guarded: Server, look: Look, visit: Visit, size: tuple[int, int], scheme: str) -> None:
    """Signing in, looking, being asked; and nothing is wider than the screen."""
    one = look(url(guarded), size, color_scheme=scheme)
    sees(one.page, "This server asks who looks.")
    assert barriers(one) == []
    sign_in(one.page)
    caller = visit(f"http://{guarded.address}/")
    caller.call("Tina Kulkarni")
    caller.sees("speaking")
    expect(one.page.locator("#calls tbody tr")).to_have_count(1, timeout=PATIENCE)
    assert barriers(one) == []
    assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    one.page.get_by_role("button", name="Drain the server").click()
    expect(one.page.get_by_role("dialog", name="Drain the server?")).to_be_visible()
    assert barriers(one) == []
    one.page.get_by_role("button", name="No").click()
    caller.page.get_by_role("button", name="Hang up").click()
    expect(one.page.locator("#calls tbody tr")).to_have_count(0, timeout=PATIENCE)


def test_the_server_is_drained(look: Look, visit: Visit) -> None:
    """Only after yes; then nobody is let in, and the server ends once its calls have; the page says that it is gone."""
    with server("--drain-seconds", "20", model=engine()) as running:
        one = look(url(running))
        sees(one.page, "No calls of 500.")  # no token is set, and none is asked for
        caller = visit(f"http://{running.address}/")
        caller.call("Tina Kulkarni")
        caller.sees("speaking")
        sees(one.page, "1 call of 500.")
        one.page.get_by_role("button", name="Drain the server").click()
        one.page.get_by_role("button", name="No").click()
        one.page.get_by_role("button", name="Drain the server").click()
        one.page.get_by_role("button", name="Drain it").click()
        one.forgives = caller.forgives = True
        running.lines("draining 1 calls", 1)
        assert running.process.wait(120) == 0
        expect(one.page.locator("#problem")).to_contain_text("cannot be reached", timeout=PATIENCE)
        expect(one.page.locator("#view")).to_be_hidden()
        expect(caller.page.locator("body")).to_have_attribute("data-state", "ended", timeout=PATIENCE)
