"""The pictures of the documents: `python -m tests.page.screenshots docs/page`, with the real server and engine."""

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.kit.process import server
from tests.page.visitor import DESKTOP, PHONE, Visitor, launch, silence

TINA, PRIYANKA = "Tina Kulkarni", "Priyanka"
QUESTIONS = {TINA: "मेरी शादी में देरी क्यों हो रही है?", PRIYANKA: "Will my boyfriend come back to me?"}
VIEWS: list[tuple[str, tuple[int, int], Literal["light", "dark"], str]] = [
    ("phone-choose", PHONE, "light", ""),
    ("phone-hindi", PHONE, "light", TINA),
    ("phone-english-dark", PHONE, "dark", PRIYANKA),
    ("desktop-hindi", DESKTOP, "light", TINA),
    ("desktop-choose-dark", DESKTOP, "dark", ""),
]


def picture(
    browser: Browser, url: str, name: str, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> Image.Image:
    """The page while `name` answers, or while nobody is chosen yet."""
    screen: ViewportSize = {"width": size[0], "height": size[1]}
    by_hand = size == PHONE
    context = browser.new_context(viewport=screen, color_scheme=scheme, has_touch=by_hand, is_mobile=by_hand)
    visitor = Visitor.come(context).open(url)
    if name:
        visitor.call(name)
        visitor.is_told("response_done")
        visitor.type(QUESTIONS[name])
        visitor.is_told("response_done", 2)
    visitor.page.mouse.move(0, 0)
    shown = Image.open(io.BytesIO(visitor.page.screenshot(animations="disabled")))
    context.close()
    return shown.convert("RGB").quantize(256)  # a third of the size, and nobody sees it


def main(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as voices, server() as one, sync_playwright() as hand:
        browser = launch(hand, silence(Path(voices)))
        for file, size, scheme, name in VIEWS:
            shown = picture(browser, f"http://{one.address}/", name, size, scheme)
            shown.save(folder / f"{file}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
