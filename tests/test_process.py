"""The whole product as its users run it: processes, the local engine with its real ears and voice, recorded clips."""

import asyncio
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from cage import user_named
from cage.kernel import landlock_version
from phone import Answer, Phone
from tests.engine.voice.test_voice import pitch_of
from tests.kit.exchange import CLIPS
from tests.kit.four import FOUR, MOHIT, PRIYANKA, TINA, first_words
from tests.kit.ports import free_port
from tests.kit.process import START_SECONDS, Server, server
from tests.kit.story import WITHIN, run, until
from tests.kit.strangers import Line

LETTERS = {"hi": re.compile("[\u0900-\u097f]"), "en": re.compile("[a-zA-Z]")}
MALE = 150  # Hz: the engine's men speak below, its women above


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """One server with the local engine for all the tests that only call it."""
    with server() as one:
        yield one


def pitch(answer: Answer) -> float:
    """Hz of the voice."""
    with wave.open(io.BytesIO(answer.wav)) as sound:
        return pitch_of(sound.readframes(sound.getnframes()))


def in_language(text: str, code: str) -> bool:
    """Written in the letters of this language, and none of the other."""
    return all(bool(letters.search(text)) == (code == language) for language, letters in LETTERS.items())


async def talk(url: str, user: str, astrologer: str, clip: str) -> tuple[Answer, Answer, list[str]]:
    """Greeting, the answer to one clip, and what the caller was understood to say."""
    async with Phone(url, user) as phone:
        await phone.choose(astrologer)
        greeting = await phone.answer()
        answer = await phone.ask((CLIPS / clip).read_bytes())
        await phone.say(type="end")
        assert (await phone.closed()).code == 1000
        return greeting, answer, [m["text"] for m in phone.seen if m["type"] == "transcript" and m["role"] == "user"]


def test_two_users_two_astrologers(running: Server) -> None:
    """A Hindi caller and an English caller at the same time: each hears their own persona, language and voice."""

    async def story() -> None:
        tina, mohit = await asyncio.gather(
            talk(running.url, "user-123", TINA, "hi_marriage_delay.m4a"),
            talk(running.url, "user-456", MOHIT, "en_proposal.m4a"),
        )
        catalogue = FOUR
        for (greeting, answer, _), astrologer, code in ((tina, TINA, "hi"), (mohit, MOHIT, "en")):
            assert greeting.text == first_words(catalogue.get(astrologer))
            assert in_language(answer.text, code), answer.text
        assert pitch(mohit[0]) < MALE < pitch(tina[0])
        assert pitch(mohit[1]) < MALE < pitch(tina[1])
        assert re.search("शादी|विवाह", " ".join(tina[2]))
        assert re.search("विवाह|शादी", tina[1].text)
        assert "marriage proposal" in mohit[2][0]
        assert "marriage proposal" in mohit[1].text

    run(story())


def test_one_user_switches_from_hindi_to_english(running: Server) -> None:
    """Tina to Priyanka: the greeting, the answers and the voice change."""

    async def story() -> None:
        async with Phone(running.url, "user-789") as phone:
            await phone.choose(TINA)
            first = await phone.answer()
            await phone.ask((CLIPS / "hi_love_me.webm").read_bytes())
            assert (await phone.choose(PRIYANKA))["voice"] == "shimmer"
            greeting = await phone.answer()
            answer = await phone.ask((CLIPS / "en_come_back.webm").read_bytes())
            assert in_language(first.text, "hi")
            assert in_language(greeting.text, "en")
            assert in_language(answer.text, "en")
            assert min(pitch(greeting), pitch(answer)) > MALE
            assert abs(pitch(greeting) / pitch(first) - 1) > 0.1

    run(story())


def test_a_call_is_two_lines_in_the_log(running: Server) -> None:
    """One when it begins, one with all that is worth knowing when it has ended."""

    async def story() -> None:
        await talk(running.url, "user-log", MOHIT, "en_come_back.m4a")

    run(story())
    began, ended = running.lines("user=user-log", 2)
    assert "began session=" in began
    assert "ended session=" in ended
    assert "replies=2" in ended


@pytest.mark.skipif(sys.platform != "linux", reason="it is shown in /proc")
def test_a_running_server_is_protected_and_its_decoders_are_shut_in(running: Server) -> None:
    """Nothing of it gains privileges, decoders make few system calls, and as nobody where root has started it."""

    def status(process: psutil.Process) -> dict[str, str]:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    one = psutil.Process(running.process.pid)
    family = [one, *one.children(recursive=True)]
    decoders = [status(child) for child in family if any("audio.worker" in word for word in child.cmdline())]
    assert len(family) >= 4
    assert all(status(each)["NoNewPrivs"] == "1" for each in family)
    assert [each["Seccomp"] for each in decoders] == ["2", "2"]
    uids = {each["Uid"].split()[0] for each in decoders}
    assert uids == {str(os.geteuid() or user_named("nobody").uid)}
    if landlock_version():
        assert [line for line in running.log if "with these gaps" in line] == []


def test_the_loop_of_a_running_server_is_watched(running: Server) -> None:
    """Its figures say how late it was, and that without callers only the supervisor lives."""

    def counters() -> dict[str, str]:
        with urllib.request.urlopen(running.metrics, timeout=WITHIN) as answer:
            return dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")

    asyncio.run(until(lambda: float(counters()["voice_loop_late_seconds_count"]) > 10))
    assert [name for name in counters() if name.startswith("voice_actors")] == ['voice_actors{kind="supervisor"}']


def test_what_is_no_http_writes_no_traceback(running: Server) -> None:
    """It is answered with 400, and the log stays short."""
    host, port = running.address.split(":")
    for garbage in (b"\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=WITHIN) as line:
            line.sendall(garbage)
            assert b" 400 " in line.recv(1024)
    assert not [line for line in running.log if "Traceback" in line]


def test_the_command_call_is_a_phone(running: Server, tmp_path: Path) -> None:
    """It saves each answer, prints JSON lines, and its exit code is 0."""
    clips = [str(CLIPS / "en_proposal.webm"), str(CLIPS / "en_come_back.m4a")]
    command = ["call", "--astrologer", MOHIT, "--audio", *clips, "--out", str(tmp_path)]
    done = supervisor(*command, "--url", running.url, "--json", "--no-patient")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events][:2] == ["ringing", "on_the_line"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00_greeting.wav",
        "01_en_proposal.wav",
        "02_en_come_back.wav",
    ]
    assert events[-1]["event"] == "ended"


@pytest.mark.parametrize(
    ("astrologer", "reason"), [("nobody_at_all", "unknown_astrologer"), (TINA, "audio_undecodable")]
)
def test_a_call_that_fails_says_so(running: Server, tmp_path: Path, astrologer: str, reason: str) -> None:
    """The exit code is 1, and the server's own sentence is printed."""
    garbage = tmp_path / "garbage.m4a"
    garbage.write_bytes(b"\x01\x02\x03" * 4000)
    command = ["call", "--astrologer", astrologer, "--audio", str(garbage), "--out", str(tmp_path / "out")]
    done = supervisor(*command, "--url", running.url, "--no-patient")
    assert done.returncode == 1
    assert reason in done.stderr


def test_nobody_listens(tmp_path: Path) -> None:
    """A call to a port where nothing is fails with a line, not a traceback."""
    command = ["call", "--astrologer", TINA, "--audio", str(CLIPS / "hi_love_me.m4a"), "--out", str(tmp_path)]
    done = supervisor(*command, "--url", "ws://127.0.0.1:9")
    assert done.returncode == 1
    assert "The call failed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.thorough
def test_the_demo_shows_two_calls_side_by_side(tmp_path: Path) -> None:
    """Both conversations in their scripts, and six recordings."""
    done = supervisor("demo", "--out", str(tmp_path), "--no-patient")
    assert done.returncode == 0, done.stderr
    assert "Tina Kulkarni (Hindi, voice marin)" in done.stdout
    assert "Mohit (English, voice cedar)" in done.stdout
    assert all(letters.search(done.stdout) for letters in LETTERS.values())
    assert len(list(tmp_path.glob("*/*.wav"))) == 6


def test_a_demo_without_its_clips_says_so(tmp_path: Path) -> None:
    """One line for what is missing, no traceback, exit code 1."""
    done = supervisor("demo", "--out", str(tmp_path / "out"), "--clips", str(tmp_path), "--no-patient")
    assert done.returncode == 1
    assert "hi_marriage_delay.m4a" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.thorough
def test_the_personas_command() -> None:
    """list, show and check, with exit codes that scripts can use."""
    assert TINA in supervisor("personas", "list").stdout.replace("\n", "")
    shown = supervisor("personas", "show", TINA)
    assert "Language: Hindi (hi)." in shown.stdout
    assert supervisor("personas", "show", "nobody").returncode == 1
    assert supervisor("personas", "check").returncode == 0


def test_a_broken_file_of_personas_is_explained(tmp_path: Path) -> None:
    """`check` names the faults; `serve` does not start with nobody to serve."""
    file = tmp_path / "broken.json"
    file.write_text('{"astrologers": [{"astrologer_id": "x", "nmae": "Typo"}]}')
    checked = supervisor("personas", "check", str(file))
    assert checked.returncode == 1
    assert "nmae" in checked.stdout
    served = supervisor("serve", "--port", "0", "--personas", str(file))
    assert served.returncode == 2
    assert "nmae" in served.stderr


@pytest.mark.thorough
def test_stopping_leaves_no_process() -> None:
    """SIGTERM ends the server, the engine and the decoders, with exit code 0; a killed server leaves no engine."""
    with server() as one:
        family = psutil.Process(one.process.pid).children(recursive=True)
        assert len(family) >= 3  # the engine and two decoders
        assert one.stop() == 0
        assert psutil.wait_procs(family, timeout=WITHIN)[1] == []
    with server() as one:
        family = psutil.Process(one.process.pid).children(recursive=True)
        one.process.send_signal(signal.SIGKILL)
        one.process.wait(WITHIN)
        assert psutil.wait_procs(family, timeout=WITHIN)[1] == []


def engines(one: Server) -> list[psutil.Process]:
    """The engine of a server, while there is one."""
    family = psutil.Process(one.process.pid).children()
    with suppress(psutil.NoSuchProcess):
        return [child for child in family if child.status() != psutil.STATUS_ZOMBIE and "engine" in child.cmdline()]
    return []


@contextmanager
def standing_still(one: Server) -> Iterator[None]:
    """Its tries to connect again wait, as it does itself."""
    one.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        one.process.send_signal(signal.SIGCONT)


@pytest.mark.thorough
def test_a_call_survives_the_death_of_the_engine() -> None:
    """The engine is started again, the call is connected again, and the next clip is answered."""

    async def story(one: Server) -> None:
        async with Phone(one.url, "user-1") as phone:
            await phone.choose(MOHIT)
            await phone.answer()
            (engine,) = engines(one)
            engine.kill()
            assert (await phone.hear("notice"))["code"] == "reconnecting"
            await until(lambda: engines(one) not in ([], [engine]))
            with standing_still(one):  # however long the next one takes to load its models
                await until(lambda: any(line.status == "LISTEN" for line in engines(one)[0].net_connections()))
            answer = await phone.ask((CLIPS / "en_come_back.m4a").read_bytes())
            assert "boyfriend" in answer.text

    with server() as one:
        run(story(one))


class Tap:
    """A socket that writes down the first bytes of whoever connects, and hangs up."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.seen.append(connection.recv(4096))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


async def fail(url: str) -> list[dict[str, str]]:
    """Call somebody, and be turned away because the model cannot be reached; all that was sent to us."""
    async with Phone(url, "user-1") as phone:
        await phone.say(type="config", astrologer_id=TINA)
        assert (await phone.closed()).code == 4503
        return phone.seen


@pytest.mark.thorough
def test_with_a_key_openai_is_dialled_and_nobody_else() -> None:
    """The only address asked for is OpenAI's, over TLS; the key is in no log, error or frame."""
    tap = Tap()
    with server(OPENAI_API_KEY="sk-a-very-secret-key", HTTPS_PROXY=f"http://127.0.0.1:{tap.port}") as one:
        seen = run(fail(one.url))
        assert one.stop() == 0
    tap.close()
    assert {line.split(b"\r\n")[0] for line in tap.seen} == {b"CONNECT api.openai.com:443 HTTP/1.1"}
    shown = json.dumps(seen) + "".join(one.log)
    assert "secret" not in shown + str(tap.seen)
    assert "answered by api.openai.com" in shown


@pytest.mark.thorough
def test_openais_key_goes_nowhere_else() -> None:
    """Another upstream gets UPSTREAM_API_KEY, never OpenAI's."""
    tap = Tap()
    url = f"ws://127.0.0.1:{tap.port}/v1/realtime"
    with server(OPENAI_API_KEY="sk-openai", UPSTREAM_URL=url, UPSTREAM_API_KEY="sk-other") as one:
        run(fail(one.url))
    tap.close()
    assert tap.seen
    assert all(b"Bearer sk-other" in head and b"sk-openai" not in head for head in tap.seen)


def supervisor(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    command = [sys.executable, "-m", "supervisor", *arguments]
    wide = {**environment, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=3 * WITHIN, env=wide, check=False)


MISTAKES = [
    (["serve", "--upstream-url", "http://127.0.0.1"], "no WebSocket address"),
    (["serve", "--personas", "no-such-file.json"], "no-such-file.json"),
    (["serve", "--default-astrologer", "nobody"], "nobody who takes calls has the id 'nobody'"),
    (["serve", "--host", "no.such.host.invalid"], "Cannot listen on"),
    (["serve", "--port", "99999"], "--port"),
    (["serve", "--log-level", "loud"], "--log-level"),
    (["serve", "--tls-cert", "README.md"], "README.md: no PEM of a certificate and its key"),
    (["serve", "--tls-key", "README.md"], "set --tls-cert too"),
    (["serve", "--tls-cert", "no-such-file.pem"], "no-such-file.pem"),
    (["serve", "--admin-host", "0.0.0.0"], "set ADMIN_TOKEN"),
    (["serve", "--budget-day-usd", "5"], "what local-engine costs"),
    (["serve", "--day-zone", "Asia/Nowhere"], "no time zone"),
    (["engine", "--host", "no.such.host.invalid"], "Cannot listen on"),
]
"""Each takes a process of its own, which loads everything: two of them are run with every change."""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [*MISTAKES[:2], *(pytest.param(*mistake, marks=pytest.mark.thorough) for mistake in MISTAKES[2:])],
)
def test_what_cannot_be_started_says_what_to_mend(arguments: list[str], reason: str) -> None:
    """One message, an exit code, and no traceback."""
    done = supervisor(*arguments)
    assert done.returncode != 0
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_too_few_handles_are_told_before_anything_is_loaded() -> None:
    """With the number that is needed, and exit code 2."""
    command = ["bash", "-c", 'ulimit -n 300; exec "$@"', "bash", sys.executable, "-m", "supervisor", "serve"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * WITHIN, check=False)
    assert done.returncode == 2
    assert re.match(r"500 calls at once need \d+ handles, and the system allows 300: .*ulimit -n", done.stderr)
    assert done.stderr.count("\n") == 1


@pytest.mark.thorough
def test_who_holds_many_connections_takes_no_handle_of_a_call() -> None:
    """Two hundred more than there are handles; a caller who came before them is connected and answered."""

    async def story(one: Server) -> None:
        async with Phone(one.url, "user-1") as phone:
            dialled = await asyncio.gather(*(Line.dial(one.address, "127.0.0.1") for _ in range(500)))
            await until(lambda: any("no handle was left" in line for line in one.log))
            await phone.choose(MOHIT)
            await phone.answer()
            answer = await phone.ask((CLIPS / "en_come_back.m4a").read_bytes())
            assert answer.text
            for line in dialled:
                line.hang_up()

    with server("--sessions", "20", handles=300) as one:
        run(story(one))
        assert not [line for line in one.log if "Traceback" in line]


def test_no_server_is_open_to_strangers_unless_it_is_said() -> None:
    """Told before anything is loaded, with exit code 2."""
    done = supervisor("serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert re.match(r"This server has no keys, and 0\.0\.0\.0 is not loopback: .*API_KEY.*--open", done.stderr)
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_told_before_anything_is_loaded() -> None:
    """The likeliest mistake of all."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = supervisor("serve", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"Cannot listen on 127.0.0.1:{port} (Address already in use): set --host or --port.\n"


@pytest.mark.thorough
def test_a_call_to_something_else_is_told(running: Server, tmp_path: Path) -> None:
    """A user id that the server refuses, and a server that speaks another protocol."""
    command = ["call", "--astrologer", TINA, "--audio", str(CLIPS / "hi_love_me.m4a"), "--out", str(tmp_path)]
    done = supervisor(*command, "--url", f"http://{running.address}", "--user", "a b")
    assert done.returncode == 1
    assert "The user id may hold" in done.stderr
    tap = Tap()
    done = supervisor(*command, "--url", f"ws://127.0.0.1:{tap.port}")
    tap.close()
    assert done.returncode == 1
    assert "no call can be placed" in done.stderr
    assert "Traceback" not in done.stderr
    done = supervisor(*command, "--url", f"https://{running.address}")
    assert "does not speak TLS: write ws://" in done.stderr
    done = supervisor(*command, "--url", "127.0.0.1:80000")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no call can be placed to ws://127.0.0.1:80000: Port out of range" in done.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("stream", [0, 1, 2])
def test_it_serves_with_a_standard_stream_closed(stream: int, tmp_path: Path) -> None:
    """As some init systems start it."""
    number = free_port()
    command = f"exec {sys.executable} -m supervisor serve --port {number} {stream}>&-"
    process = subprocess.Popen(["bash", "-c", command], stderr=subprocess.DEVNULL if stream != 2 else None)
    try:
        assert until_ready(f"http://127.0.0.1:{number}/ready", process)
    finally:
        process.terminate()
        assert process.wait(WITHIN) == 0


def until_ready(url: str, process: "subprocess.Popen[bytes]") -> bool:
    """Ask again and again, as long as a start may take, while the process lives."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=WITHIN) as answer:
                return bool(answer.status == 200)
        except OSError:
            assert process.poll() is None
            time.sleep(0.2)
    return False
