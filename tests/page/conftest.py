"""A browser, a server and people who visit it. Without a browser these tests are skipped."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

pytest.importorskip("playwright", reason="no Playwright: make setup")

from playwright.sync_api import Browser, Playwright, ViewportSize, sync_playwright

from tests.kit.engine_process import engine
from tests.kit.exchange import CLIPS
from tests.kit.process import Server, server
from tests.page.visitor import CHROMIUM, PHONE, Visitor, launch, silence, voice

Visit: TypeAlias = Callable[..., Visitor]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every test that wants a browser is for `make test-all`."""
    item.add_marker("thorough")


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The hand on the browsers, let go of before other tests want a loop of their own."""
    if CHROMIUM is None:
        pytest.skip("no browser: apt-get install chromium fonts-noto-core, or set CHROMIUM to the path of one")
    with sync_playwright() as hand:
        yield hand


@pytest.fixture(scope="package")
def running() -> Iterator[Server]:
    """One server with the local engine for all the tests that only call it."""
    with server(model=engine()) as one:
        yield one


@pytest.fixture(scope="package")
def hindi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Why is my marriage late?"""
    return voice(CLIPS / "hi_marriage_delay.m4a", tmp_path_factory.mktemp("voices"))


@pytest.fixture(scope="package")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One whose microphone hears nothing."""
    with launch(playwright, silence(tmp_path_factory.mktemp("silence"))) as one:
        yield one


@pytest.fixture(scope="package")
def speaker(playwright: Playwright, hindi: Path) -> Iterator[Browser]:
    """One that speaks Hindi."""
    with launch(playwright, hindi) as one:
        yield one


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """`visit(url)`: somebody opens the page, and is gone after the test; nothing may be on their console.

    They want no motion: here a processor draws it. With `hold` they talk by holding the button, as they chose before.
    """
    visitors: list[Visitor] = []

    def come(
        url: str, size: tuple[int, int] = PHONE, by: Browser = browser, hold: bool = False, **wishes: Any
    ) -> Visitor:
        screen: ViewportSize = {"width": size[0], "height": size[1]}
        context = by.new_context(viewport=screen, reduced_motion="reduce", **wishes)
        if hold:
            context.add_init_script("localStorage.talk ??= 'hold'")
        visitors.append(Visitor.come(context))
        return visitors[-1].open(url)

    yield come
    for visitor in visitors:
        visitor.page.context.close()
    assert [visitor.complaints for visitor in visitors if visitor.complaints] == []
