"""The file of personas is edited while a server runs: a real process, the real file, the engine's real server."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from cli.failure import CannotServe
from cli.reload import read
from engine.ear.vad import Loudness
from engine.parts import Parts
from engine.server import PATH
from engine.server import Server as Engine
from personas import SHIPPED, Catalogue
from phone import CallFailed, Phone
from tests.kit.exchange import TOKEN, exchange
from tests.kit.four import MOHIT, TINA
from tests.kit.parts import Echo, Measure, Tones, loud
from tests.kit.process import Server, server
from tests.kit.story import WITHIN, run

MEERA = "meera_vedic_career"
GREETING = "Namaste, this is Meera. What is on your mind about your work?"
ROW = {
    "astrologer_id": MEERA,
    "name": "Meera",
    "speciality": "Vedic Career",
    "language": "English",
    "gender": "Female",
    "voice_id": "shimmer",
    "persona": "One line that callers read before they choose",
    "system_prompt": "You are Meera. You talk about work.",
    "greeting": GREETING,
    "expertise_keywords": ["career", "job", "naukri"],
}


@dataclass
class House:
    """A server that runs, its file of personas, and the engine that answers its calls."""

    server: Server
    file: Path
    engine: str  # its address

    def edit(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change the file as an editor does."""
        data = orjson.loads(self.file.read_bytes())
        change(data)
        self.file.write_bytes(orjson.dumps(data))

    def phone(self, user: str, **query: str) -> Phone:
        return Phone(self.server.url, user, query)

    async def log(self, about: str, count: int = 1) -> list[str]:
        """So many lines about this, once they are there."""
        return await asyncio.to_thread(self.server.lines, about, count, WITHIN)

    async def get(self, path: str) -> tuple[int, Any]:
        """From the server's REST side."""
        async with aiohttp.ClientSession() as client, client.get(f"http://{self.server.address}{path}") as answer:
            return answer.status, await answer.json()

    async def prompts(self) -> list[str]:
        """What `GET /sessions` of the engine shows."""
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession() as client, client.get(f"{self.engine}/sessions", headers=bearer) as answer:
            return [row["instructions"] for row in await answer.json()]


@asynccontextmanager
async def house(folder: Path, **change: Any) -> AsyncIterator[House]:
    """A copy of the file that ships, and a server on it; its calls are answered with tones."""
    file = folder / "personas.json"
    file.write_bytes(orjson.dumps({**orjson.loads(SHIPPED.read_bytes()), **change}))
    parts = Parts(Tones(), Measure(), loud, Echo(), Loudness)
    async with Engine(parts, token=TOKEN).listen("127.0.0.1", 0) as port:
        url = f"ws://127.0.0.1:{port}{PATH}"
        with server("--personas", str(file), "--upstream-url", url, UPSTREAM_API_KEY=TOKEN) as running:
            yield House(running, file, f"http://127.0.0.1:{port}")
            assert await asyncio.to_thread(running.stop) == 0
    parts.close()


def add_meera(data: dict[str, Any]) -> None:
    """A persona whom nobody has heard of, and a feature whom nobody has heard of."""
    data["features"]["catchphrase"] = {"schema": {"type": "string"}, "prompt": "Now and then say: {{ value }}."}
    data["astrologers"].append({**ROW, "catchphrase": "Slowly, slowly"})


def test_a_persona_and_a_feature_are_added_while_calls_go_on(tmp_path: Path) -> None:
    """The next caller hears her, the model is told of the feature; nothing but the JSON has changed."""

    async def story() -> None:
        async with house(tmp_path) as home, home.phone("before") as before:
            await before.choose(TINA)
            await before.answer()
            assert (await home.get(f"/api/astrologers/{MEERA}"))[0] == 404
            home.edit(add_meera)
            await home.log("5 active personas")
            async with home.phone("after") as after:
                assert (await after.choose(MEERA))["voice"] == "shimmer"
                assert (await after.answer()).text.endswith(GREETING)
                (prompt,) = [prompt for prompt in await home.prompts() if "You are Meera." in prompt]
                assert "\nNow and then say: Slowly, slowly.\n" in prompt
                status, shown = await home.get(f"/api/astrologers/{MEERA}")
                assert (status, shown["name"], shown["open"]) == (200, "Meera", True)
                await before.say(type="text", text="still there?")
                assert (await before.answer()).text == "You said still there?."
            async with home.phone("seeker", match="my job", language="English") as seeker:
                assert (await seeker.hear("config_ack"))["astrologer_id"] == MEERA

    run(story())
    assert [path.name for path in tmp_path.iterdir()] == ["personas.json"]


def test_nothing_starts_where_nobody_can_be_called(tmp_path: Path) -> None:
    """A file in which all are inactive makes no server, and is told what it lacks."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        row["status"] = "inactive"
    file = tmp_path / "personas.json"
    file.write_bytes(orjson.dumps(data))
    with pytest.raises(CannotServe, match="holds no persona that can be served") as refused:
        read(file)
    assert refused.value.code == 2
    assert "set a status to active" in str(refused.value)


def test_a_call_says_in_the_log_which_version_it_had(tmp_path: Path) -> None:
    """The catalogue when it began, and each persona as it was chosen, also when the file says something else by now."""

    async def story() -> None:
        async with house(tmp_path) as home, home.phone("somebody") as phone:
            await phone.choose(TINA)
            old = Catalogue.load(home.file)
            home.edit(lambda data: [row.update(tone="quite another") for row in data["astrologers"]])
            new = Catalogue.load(home.file)
            assert old.version != new.version
            await home.log(f"from now on catalogue={new.version}")
            await phone.choose(MOHIT)
            await phone.say(type="end")
            rows = (await phone.hear("summary"))["by_persona"]
            assert [row["astrologer_id"] for row in rows] == [TINA, MOHIT]
            assert (await phone.closed()).code == 1000
            began, ended = await home.log("user=somebody", 2)
            assert f"catalogue={old.version}" in began
            assert f"{TINA}@{old.get(TINA).version}:" in ended
            assert f"{MOHIT}@{new.get(MOHIT).version}:" in ended

    run(story())


def test_a_broken_edit_changes_nothing_and_is_told_once(tmp_path: Path) -> None:
    """With every fault and its line; SIGHUP has it told again, and a sound edit is taken after it."""

    async def story() -> None:
        async with house(tmp_path) as home:
            before = await home.get("/api/astrologers")
            home.edit(lambda data: data["astrologers"].append({**ROW, "greting": "Hello.", "voice_id": "nobody"}))
            (first,) = await home.log("has faults")
            assert "nothing has changed" in first
            await home.log("greting")
            await home.log("'nobody' is not a voice")
            assert await home.get("/api/astrologers") == before
            async with home.phone("somebody") as phone:
                with pytest.raises(CallFailed, match="unknown_astrologer"):
                    await phone.choose(MEERA)
                await phone.choose(TINA)
            home.server.process.send_signal(signal.SIGHUP)
            await home.log("has faults", 2)
            home.file.write_bytes(SHIPPED.read_bytes())
            home.edit(add_meera)
            await home.log("5 active personas")
            assert len(await home.log("has faults", 2)) == 2

    run(story())


MARK = "Zq7Xk"


def test_what_is_private_never_leaves(tmp_path: Path) -> None:
    """Neither a system prompt nor a feature that is not public: not in REST, not in a call, not in the log."""

    def plant(data: dict[str, Any]) -> None:
        """A mark in both, which must be seen by the model, and by nobody else."""
        prompt = f"You are Meera. {MARK} one."
        data["features"]["creed"] = {"schema": {"type": "string", "maxLength": 40}, "prompt": "Creed: {{ value }}."}
        data["astrologers"].append({**ROW, "system_prompt": prompt, "creed": f"{MARK} two"})

    def spoil(data: dict[str, Any]) -> None:
        """Faults in both."""
        data["astrologers"][-1]["creed"] = f"{MARK} two " * 20
        data["astrologers"][-1]["system_prompt"] = f"Language: {MARK}"

    async def story() -> None:
        came: list[Any] = []
        async with house(tmp_path) as home:
            home.edit(plant)
            await home.log("5 active personas")
            lists = [f"/api/astrologers{rest}" for rest in ("", f"/{MEERA}", "?language=English&limit=3", f"/{MARK}")]
            came += [await home.get(path) for path in (*lists, "/health", "/ready")]
            async with aiohttp.ClientSession() as client:
                address = f"http://{home.server.address}"
                query = {"query": f"{MARK} career"}
                async with client.post(f"{address}/api/astrologers/match", json=query) as answer:
                    came.append(await answer.text())
                async with client.get(home.server.metrics) as answer:
                    came.append(await answer.text())
            async with home.phone("somebody", match="career") as phone:
                await phone.hear("config_ack")
                await phone.answer()
                assert sum(f"{MARK} one" in prompt and f"{MARK} two" in prompt for prompt in await home.prompts()) == 1
                for wish in ("meera", TINA, MEERA):
                    await phone.say(type="config", astrologer_id=wish)
                await phone.say(type="text", text="What is your creed?")
                await phone.hear("error")
                await phone.hear("audio_response")
                home.edit(spoil)
                await home.log("has faults")
                await phone.say(type="end")
                await phone.closed()
                came.append(phone.seen)
            await home.log("ended")
        out = [*(repr(one) for one in came), *home.server.log]
        assert "Meera" in out[0]
        assert [text for text in out if MARK in text.replace(f"'{MARK}'", "")] == []

    run(story())


def test_what_a_caller_tells_of_themselves_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the level; the model is told, and a refusal does not repeat it."""
    told = {"name": f"{MARK} name", "birth_place": f"{MARK} place", "birth_date": "1990-05-31"}

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.say(type="config", astrologer_id=TINA, profile={**told, "birth_time": f"{MARK} time"})
            error = await phone.hear("error")
            assert error["code"] == "bad_message"
            assert "birth_time" in error["message"]
            assert MARK not in error["message"]
            await phone.say(type="config", astrologer_id=TINA, profile=told)
            await phone.answer()
            assert f"Name: {MARK} name\n" in line.engine.sessions()[-1]["instructions"]
            await phone.choose(MOHIT)
            await phone.answer()
            assert f"Birth place: {MARK} place\n" in line.engine.sessions()[-1]["instructions"]
            await phone.say(type="end")
            await phone.closed()

    caplog.set_level("INFO", "websockets.client")  # the phone's own
    caplog.set_level("DEBUG")
    run(story())
    assert any("ended session" in line for line in caplog.messages)
    assert [line for line in caplog.messages if MARK in line or told["birth_date"] in line] == []
