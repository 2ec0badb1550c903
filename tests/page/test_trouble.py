"""What goes wrong, and what the page says then."""

import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.kit.engine_process import engine
from tests.kit.process import Server, server
from tests.page.conftest import Visit
from tests.page.visitor import launch

ROOT = Path(__file__).parents[2]
NAME = "astro.test"  # a name that is no localhost: a page from there is not safe enough for a microphone


@pytest.fixture(scope="module")
def remote(playwright: Playwright) -> Iterator[Browser]:
    """On another machine, as it were: it reaches the server by a name of the network."""
    with launch(playwright, None, f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as one:
        yield one


def test_plain_http_from_elsewhere_gets_no_microphone(remote: Browser, visit: Visit) -> None:
    """The hint says why and what to do; typing works all the same."""
    with server("--allow-host", NAME, model=engine()) as one:
        port = one.address.split(":")[1]
        visitor = visit(f"http://{NAME}:{port}/", by=remote)
        visitor.call("Mohit")
        hint = visitor.page.locator("#hint")
        expect(hint).to_contain_text("Start the server with --tls-cert and --tls-key")
        expect(visitor.page.get_by_label("Type a question")).to_be_focused()
        visitor.sees("speaking")
        visitor.type("Will I marry?")
        visitor.hears("user", "Will I marry?")
        visitor.page.locator("#talk").click()
        expect(hint).to_be_visible()
        visitor.forgives = True


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl")
@pytest.mark.parametrize("hold", [False, True], ids=["telephone", "button"])
def test_a_certificate_of_ones_own_gives_it(remote: Browser, visit: Visit, tmp_path: Path, hold: bool) -> None:
    """Made by the command of the documents: the page is safe, the call is placed by wss, the microphone records."""
    text = (ROOT / "docs/operations.md").read_text()
    (command,) = re.findall(r"^    (openssl req (?:.*\\\n)*.*)$", text, re.MULTILINE)
    subprocess.run(shlex.split(command.replace("\\\n", "")), cwd=tmp_path, check=True, capture_output=True)
    files = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with server(*files, "--allow-host", NAME, model=engine()) as one:
        assert one.lines("listening on", 1)[0].count("https://") == 1
        port = one.address.split(":")[1]
        visitor = visit(f"https://{NAME}:{port}/", by=remote, hold=hold, ignore_https_errors=True)
        visitor.call("Mohit")
        if hold:
            visitor.sees("listening")
            visitor.press()
            visitor.page.keyboard.press("Escape")
        else:
            visitor.sees("speaking")
            visitor.is_heard()
        assert visitor.dialled[0].startswith(f"wss://{NAME}:{port}/")
        visitor.forgives = True


@pytest.mark.parametrize("hold", [False, True], ids=["telephone", "button"])
def test_a_microphone_that_is_not_allowed(running: Server, playwright: Playwright, visit: Visit, hold: bool) -> None:
    """The page says how to allow it, and one can type."""
    with launch(playwright, allowed=False) as strict:
        visitor = visit(f"http://{running.address}/", by=strict, hold=hold)
        visitor.call("Mohit")
        expect(visitor.page.locator("#hint")).to_contain_text("The microphone is not allowed")
        visitor.sees("listening")
        visitor.page.locator("#talk" if hold else "#mute").click()
        visitor.sees("listening")
        visitor.type("Will I marry?")
        visitor.sees("speaking")


def test_a_browser_that_cannot_record(running: Server, visit: Visit) -> None:
    """An old one, without AudioWorklet and without MediaRecorder."""
    visitor = visit(f"http://{running.address}/")
    visitor.page.add_init_script("delete globalThis.MediaRecorder, delete globalThis.AudioWorkletNode")
    visitor.page.reload()
    visitor.call("Mohit")
    expect(visitor.page.locator("#hint")).to_contain_text("This browser cannot record")
    visitor.sees("listening")


def test_a_server_that_goes_away(visit: Visit) -> None:
    """A restart is told in the server's words, a call to nobody in ours; the page can be tried again."""
    with server(model=engine()) as one:
        visitor = visit(f"http://{one.address}/")
        visitor.call("Mohit")
        visitor.sees("speaking")
        assert one.stop() == 0
        visitor.sees("ended", "The call has ended: the server is restarting: call again in a moment.")
    again = visitor.page.get_by_role("button", name="Call again")
    again.click()
    visitor.sees("ended", "the server cannot be reached")
    expect(again).to_be_focused()
    visitor.forgives = True


def test_a_server_that_dies(visit: Visit) -> None:
    """No close frame comes: the page tries to come back for as long as the server would keep the call."""
    with server(model=engine()) as one:
        visitor = visit(f"http://{one.address}/")
        visitor.page.clock.install()
        visitor.call("Mohit")
        visitor.sees("speaking")
        one.process.kill()
        visitor.sees("reconnecting", "Reconnecting to Mohit…")
        for _ in range(16):
            visitor.page.clock.fast_forward(2_000)
        visitor.sees("ended", "the line was lost, check the network")
    visitor.forgives = True


def test_a_network_that_drops(running: Server, visit: Visit) -> None:
    """The page says so at once, and comes back when the browser knows of a network; who hangs up is not called."""
    visitor = visit(f"http://{running.address}/")
    visitor.call("Mohit")
    visitor.sees("listening")
    visitor.type("Will I marry?")
    visitor.is_told("response_done", 2)
    visitor.page.context.set_offline(True)
    visitor.sees("reconnecting", "Reconnecting to Mohit…")
    visitor.page.context.set_offline(False)
    visitor.is_told("resumed")
    visitor.sees("listening")
    visitor.page.context.set_offline(True)
    visitor.sees("reconnecting")
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.sees("ended", "The call has ended: you hung up.")
    visitor.page.context.set_offline(False)
    assert visitor.told.count("resumed") == 1
    visitor.forgives = True


def test_a_line_that_falls_silent(visit: Visit) -> None:
    """Nothing is closed and nothing comes: two pings without an answer, and the page goes and looks for its call."""
    with server(model=engine()) as one:
        visitor = visit(f"http://{one.address}/")
        visitor.page.clock.install()
        visitor.call("Mohit")
        visitor.sees("speaking")
        one.process.send_signal(signal.SIGSTOP)
        try:
            visitor.page.clock.fast_forward(2_500)
            visitor.page.clock.fast_forward(2_500)
            visitor.sees("reconnecting", "Reconnecting to Mohit…")
        finally:
            one.process.send_signal(signal.SIGCONT)
    visitor.forgives = True


def test_a_page_without_its_catalogue(running: Server, visit: Visit) -> None:
    """The server was away when the page came: it says so, and tries again when it is told to."""
    visitor = visit(f"http://{running.address}/")
    visitor.page.route("**/api/astrologers", lambda route: route.abort())
    visitor.page.reload()
    expect(visitor.page.locator("#away")).to_contain_text("The server cannot be reached.")
    visitor.page.unroute("**/api/astrologers")
    visitor.page.get_by_role("button", name="Try again").click()
    expect(visitor.page.locator(".card").first).to_be_visible()
    expect(visitor.page.locator("#away")).to_be_hidden()
    visitor.forgives = True


def test_a_model_that_is_away(visit: Visit) -> None:
    """The page knows before the call, does not speak of a local engine, and ends the call in the server's words."""
    with server("--upstream-url", "ws://127.0.0.1:9/v1/realtime") as one:
        visitor = visit(f"http://{one.address}/")
        expect(visitor.page.locator("#away")).to_contain_text("The server cannot answer calls at the moment.")
        expect(visitor.page.locator("#engine")).to_be_hidden()
        visitor.call("Mohit")
        visitor.sees("ended", "the model cannot be reached: try again in a moment")
    visitor.forgives = True


def test_a_loudspeaker_that_fails_does_not_keep_the_persona_speaking(running: Server, visit: Visit) -> None:
    """The browser never says that it has played: the caller is told, and can go on."""
    visitor = visit(f"http://{running.address}/", hold=True)
    visitor.page.evaluate("Object.defineProperty(AudioBufferSourceNode.prototype, 'onended', {set() {}})")
    visitor.call("Mohit")
    visitor.sees("speaking")
    visitor.sees("listening")
    expect(visitor.page.locator("#problem")).to_contain_text("The sound of this browser has failed")
