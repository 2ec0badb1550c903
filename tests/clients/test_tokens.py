"""Each client of ours comes in at a closed server with a token."""

import asyncio
import shutil
from pathlib import Path

import pytest

import clients
from cli.call import Script, place
from phone import CallEnded
from tests.kit.doors import call_token, entrance_of, login
from tests.kit.exchange import CLIPS, exchange
from tests.kit.four import TINA
from tests.kit.story import WITHIN, run

CLIENT = """
import { Call } from "%s";
const [url, token] = process.argv.slice(1);
const call = new Call(url, "user-1", { token, astrologer: "%s" });
call.on("ended", ({ code, next }) => (console.log(code, next), process.exit()));
call.on("config_ack", ({ astrologer_id }) => (console.log(astrologer_id), call.hangUp()));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="no node: apt-get install nodejs")
def test_the_client_in_javascript(tmp_path: Path) -> None:
    """By a subprotocol, as browsers must; with a bad token it learns that it need not try again."""

    async def call(url: str, token: str) -> list[str]:
        code = CLIENT % (clients.MODULE.as_uri(), TINA)
        options = ("--experimental-websocket", "--no-warnings", "--input-type=module", "--eval", code)
        pipe = asyncio.subprocess.PIPE
        node = await asyncio.create_subprocess_exec("node", *options, url, token, stdout=pipe, stderr=pipe)
        out, errors = await asyncio.wait_for(node.communicate(), WITHIN)
        assert not errors, errors.decode()
        return out.decode().split()

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            for token in (login("ES256"), call_token()):
                assert await call(line.url, token) == [TINA, "1000", "never"]
            assert await call(line.url, call_token("user-2")) == ["4403", "never"]

    run(story())


def test_the_command(tmp_path: Path) -> None:
    """`call --token`; without one it says what the server said."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            clip = CLIPS / "hi_love_me.m4a"
            events: list[str] = []
            script = Script(line.url, "user-1", TINA, (clip,), tmp_path, patient=False, token=call_token())
            await place(script, lambda event, facts: events.append(event))
            assert events[-1] == "ended"
            with pytest.raises(CallEnded, match="4401"):
                await place(
                    Script(line.url, "user-1", TINA, (clip,), tmp_path, patient=False), lambda event, facts: None
                )

    run(story())
