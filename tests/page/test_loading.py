"""A page of which a part is lost on the way: the network changes while it loads, or the server is deployed anew."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.kit.process import Server
from tests.page.conftest import Visit
from tests.page.line import line, losing
from tests.page.test_live import Look, guarded, look, url  # noqa: F401
from tests.page.visitor import Visitor

LOST = "A part of this page did not arrive."


def breaks_off(page: Page, path: str, times: int = 1) -> None:
    """The browser loses this file so many times, as it does when its network changes."""
    page.route(path, lambda route: route.abort("internetdisconnected"), times=times)


def comes(visitor: Visitor) -> None:
    """The page is whole, and says nothing of what was lost."""
    expect(visitor.page.locator(".card").first).to_be_visible()
    expect(visitor.page.locator("#away")).to_be_hidden()


@pytest.mark.parametrize("name", ["page.js", "conversation.js", "base64.js", "call.js", "style.css"])
def test_a_file_that_is_lost(running: Server, visit: Visit, name: str) -> None:
    """First, in the middle or last: the page loads itself again."""
    visitor = visit(f"http://{running.address}/")
    breaks_off(visitor.page, f"**/client/{name}")
    visitor.reload()
    with visitor.page.expect_navigation():
        pass
    comes(visitor)
    visitor.forgives = True


def test_a_file_that_is_lost_twice(running: Server, visit: Visit) -> None:
    """Each time it says so; the next loss begins anew, with the shortest pause."""
    visitor = visit(f"http://{running.address}/")
    breaks_off(visitor.page, "**/client/talk.js", times=2)
    visitor.reload()
    expect(visitor.page.get_by_role("alert").filter(has_text=LOST)).to_be_visible()
    comes(visitor)
    assert visitor.page.evaluate("sessionStorage.tries ?? null") is None
    visitor.forgives = True


def test_a_server_that_is_away_before_the_page_is_whole(running: Server, visit: Visit) -> None:
    """Nobody loses the page to an error of the browser: it waits until the server answers."""
    visitor = visit(f"http://{running.address}/")

    def away(route: Route) -> None:
        if route.request.is_navigation_request():
            route.continue_()
        else:
            route.abort("connectionrefused")

    visitor.page.route("**/*", away)
    visitor.reload()
    alert = visitor.page.get_by_role("alert").filter(has_text=LOST)
    expect(alert).to_be_visible()
    with visitor.page.expect_request(lambda request: request.resource_type == "fetch"):
        pass
    expect(alert).to_be_visible()
    visitor.page.unroute("**/*")
    comes(visitor)
    visitor.forgives = True


def test_files_of_two_versions(running: Server, visit: Visit) -> None:
    """Behind a balancer, in the middle of a deployment: a module lacks what another one asks of it."""
    visitor = visit(f"http://{running.address}/")

    def is_older(route: Route) -> None:
        route.fulfill(content_type="text/javascript", body="export {};")

    visitor.page.route("**/client/conversation.js", is_older, times=1)
    visitor.reload()
    with visitor.page.expect_navigation():
        pass
    comes(visitor)
    assert any("SyntaxError" in line or "does not provide" in line for line in visitor.console)
    visitor.console.clear()


def test_a_program_that_fails_is_not_loaded_again(running: Server, visit: Visit) -> None:
    """All of it has come: it would fail again."""
    visitor = visit(f"http://{running.address}/")

    def fails(route: Route) -> None:
        route.fulfill(content_type="text/javascript", body="throw new Error('of its own');")

    visitor.page.route("**/client/page.js", fails)
    visitor.reload()
    assert visitor.page.evaluate("sessionStorage.tries ?? null") is None
    expect(visitor.page.get_by_role("alert").filter(has_text=LOST)).to_have_count(0)
    assert visitor.console == ["of its own"]
    visitor.console.clear()


@pytest.mark.parametrize("name", ["capture.js", "playout.js"])
def test_sound_that_is_lost(running: Server, speaker: Browser, visit: Visit, name: str) -> None:
    """The parts of the audio thread load as a call begins: they are asked for again; the caller hears, and is heard."""
    with line(running, losing(f"/client/{name}", seconds=2.0)) as way:
        visitor = visit(f"http://{way.address}/", by=speaker)
        visitor.call("Mohit")
        visitor.hears_sound(True)
        visitor.is_heard()
        expect(visitor.page.locator("#problem")).to_be_empty()
        visitor.forgives = True


def test_sound_that_is_lost_for_long(running: Server, visit: Visit) -> None:
    """The caller is told, and reads what is said; the next call has its sound."""
    with line(running, losing("/client/playout.js", seconds=12.0)) as way:
        visitor = visit(f"http://{way.address}/")
        visitor.call("Mohit")
        expect(visitor.page.locator("#problem")).to_contain_text("The sound of this browser has failed")
        expect(visitor.page.locator(".assistant").first).not_to_be_empty()
        visitor.page.wait_for_timeout(5_000)
        visitor.page.get_by_role("button", name="Hang up").click()
        visitor.page.get_by_role("button", name="Call again").click()
        visitor.hears_sound(True)
        visitor.forgives = True


def test_a_list_that_is_lost(running: Server, visit: Visit) -> None:
    """It comes by itself as soon as the server answers, without a tap."""
    visitor = visit(f"http://{running.address}/")
    breaks_off(visitor.page, "**/api/astrologers", times=2)
    visitor.reload()
    expect(visitor.page.locator("#away")).to_contain_text("The server cannot be reached.")
    comes(visitor)
    visitor.forgives = True


def test_the_live_view_loads_again_too(guarded: Server, look: Look) -> None:  # noqa: F811
    """Whoever looks after the server has the same network."""
    looker = look(url(guarded))
    breaks_off(looker.page, "**/live/table.js")
    looker.reload()
    expect(looker.page.get_by_role("alert").filter(has_text=LOST)).to_be_visible()
    expect(looker.page.get_by_label("The token of the admin shore")).to_be_visible()
    looker.forgives = True
