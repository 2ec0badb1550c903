"""Who calls a closed server by the page: a link brings the token, and what is wrong with it is said in words."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from actors.messages.identity import Identity
from tests.kit.doors import EXPIRED, JWT_SECRET, KEY, call_token, login
from tests.kit.engine_process import engine
from tests.kit.four import TINA
from tests.kit.process import Server, server
from tests.page.conftest import Visit
from tests.page.visitor import Visitor


@pytest.fixture(scope="module")
def closed() -> Iterator[Server]:
    """A server that wants a token of each call."""
    with server(API_KEY=KEY, JWT_SECRET=JWT_SECRET, model=engine()) as one:
        yield one


def signed_in(**claims: Any) -> str:
    """A token of the login; this server expects no audience."""
    return login(aud=None, iss=None, **claims)


def says(visitor: Visitor, words: str) -> None:
    """What to do is on the page."""
    visitor.sees("ended", "The call has ended: you were not let in.")
    expect(visitor.page.locator("#problem")).to_contain_text(words)


def opens(page: Page, link: str) -> None:
    """Another link in the same tab: nothing is loaded anew."""
    page.evaluate("link => location.hash = link", f"token={link}")
    page.wait_for_function("() => location.hash === ''")


def test_a_login_signs_in(closed: Server, visit: Visit) -> None:
    """The token is in no address, also not in the history of the tab; it survives a reload, and a call its network."""
    token = signed_in(sub="asha@example.org")
    visitor = visit(f"http://{closed.address}/?from=app#token={token}")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(f"{request.url} {request.headers}"))
    assert visitor.page.url == f"http://{closed.address}/?from=app"
    expect(visitor.page.locator("#away")).to_be_hidden()
    visitor.page.reload()
    visitor.call("Mohit")
    visitor.sees("speaking")
    assert visitor.dialled[0].partition("?")[0].endswith("/ws/asha%40example.org")
    visitor.sees("listening")
    visitor.type("When will I marry, and whom?")
    visitor.sees("speaking")
    visitor.page.wait_for_function("() => parseInt(document.getElementById('meter').textContent) > 10")
    visitor.reload()
    visitor.page.locator("#captions").click()
    visitor.sees("speaking")
    assert visitor.dialled[-1].endswith("?resume=true")
    assert not [one for one in [*asked, *visitor.dialled, visitor.page.url] if token in one]


def test_who_has_no_link_is_told_where_to_get_one(closed: Server, visit: Visit) -> None:
    """Before they call, and after; a link that they then open in this tab lets them in, at once."""
    visitor = visit(f"http://{closed.address}/")
    expect(visitor.page.locator("#away")).to_contain_text("Calls here need a link of your own")
    visitor.call("Mohit")
    says(visitor, "Calls here need a link of your own")
    opens(visitor.page, "cut%20off")
    visitor.page.get_by_role("button", name="Choose another").click()
    expect(visitor.page.locator("#away")).to_contain_text("The link that you opened is damaged")
    opens(visitor.page, call_token(Identity("user-1", mode="clip")))
    expect(visitor.page.locator("#away")).to_be_hidden()
    visitor.call("Mohit")
    visitor.sees("speaking")
    expect(visitor.page.locator("#hold")).to_be_disabled()
    assert "mode=clip" in visitor.dialled[-1]


def test_a_token_that_is_not_good_is_said_in_words(closed: Server, visit: Visit) -> None:
    """Expired, used, of another persona: and what to do about it."""
    visitor = visit(f"http://{closed.address}/#token={call_token(age=EXPIRED)}")
    visitor.call("Mohit")
    says(visitor, "The token has expired: get a new one. Ask for a new link where you got yours")

    opens(visitor.page, call_token(Identity("user-2", frozenset([TINA]))))
    visitor.page.get_by_role("button", name="Call again").click()
    says(visitor, "Your token is for Tina Kulkarni, and for nobody else. Choose somebody whom your link is for")
    visitor.page.locator("#problem").get_by_role("button", name="Tina").click()
    visitor.sees("speaking")
    visitor.page.get_by_role("button", name="Switch").click()
    visitor.call("Mohit")
    expect(visitor.page.locator("#problem")).to_contain_text("nothing has changed")
    visitor.sees("speaking", re.compile("Tina"))
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.page.get_by_role("button", name="Call again").click()
    says(visitor, "The token was used: it is good for one call, get a new one.")


def test_an_open_server_takes_anybody(running: Server, visit: Visit) -> None:
    """A token that is brought all the same does no harm."""
    visitor = visit(f"http://{running.address}/#token=nonsense")
    expect(visitor.page.locator("#away")).to_be_hidden()
    visitor.call("Mohit")
    visitor.sees("speaking")
