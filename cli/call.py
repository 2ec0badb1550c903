"""`call`: a client without a screen. It acts as the app does, and saves the replies."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from audio.codec import decode
from cli.name import START
from phone import Answer, CallEnded, CallFailed, InvalidAddress, Message, NoServer, Phone
from phone.lasting import LastingPhone
from phone.stream import streaming
from schemas import Refused

errors = Console(stderr=True)

KEPT_AFTER = 10.5  # seconds, after which a call is kept by the server while its line is lost

Report = Callable[[str, Message], None]


@dataclass(frozen=True, slots=True)
class Script:
    """One call: whom to call, the recordings to play, and the folder for the replies.

    `patient`: wait until a reply has been played before speaking again, as a person does; else only until it has
    arrived. `stream`: send and receive streamed audio instead of whole clips.
    """

    url: str
    user: str
    astrologer: str
    clips: tuple[Path, ...]
    out: Path
    patient: bool = True
    stream: bool = False
    drop: float = 0.0
    """Seconds after which the call cuts its own line, again and again, and comes back; 0 for never."""
    token: str = field(default="", repr=False)


def call(
    astrologer: Annotated[str, typer.Option(envvar="CALL_ASTROLOGER", help="Whom to call: an astrologer's id.")],
    audio: Annotated[list[Path], typer.Option(envvar="CALL_AUDIO", exists=True, dir_okay=False, help="A clip to say.")],
    out: Annotated[
        Path, typer.Option(envvar="CALL_OUT", file_okay=False, help="Folder for the replies, as WAV files.")
    ],
    more: Annotated[
        list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="More clips, to say after it.")
    ] = None,
    url: Annotated[str, typer.Option(envvar="CALL_URL", help="The server.")] = "ws://127.0.0.1:8000",
    user: Annotated[str, typer.Option(envvar="CALL_USER", help="Who calls.")] = "caller",
    json: Annotated[bool, typer.Option("--json", envvar="CALL_JSON", help="Print JSON lines.")] = False,
    patient: Annotated[
        bool, typer.Option(envvar="CALL_PATIENT", help="Hear each reply to its end before the next clip.")
    ] = True,
    stream: Annotated[
        bool, typer.Option("--stream", envvar="CALL_STREAM", help="Speak and hear in a stream, as on a telephone.")
    ] = False,
    drop: Annotated[
        float, typer.Option(envvar="CALL_DROP", min=0, help="Cut the line every so many seconds, and come back.")
    ] = 0.0,
    token: Annotated[str, typer.Option(envvar="CALL_TOKEN", help="A token, if the server wants one.")] = "",
) -> None:
    """Place a call: choose an astrologer, play clips, save each spoken answer, print both sides.

    The exit code is 0 when every clip was answered.
    """
    script = Script(_websocket(url), user, astrologer, (*audio, *(more or ())), out, patient, stream, drop, token)
    try:
        asyncio.run(place(script, _print_json if json else _print_line))
    except (CallFailed, CallEnded, InvalidAddress, OSError, TimeoutError) as failure:
        reason = f"The call failed: {str(failure) or 'no answer in time'}"
        if isinstance(failure, NoServer):
            reason += f": start one with {START}, or give its address with --url."
        errors.print(reason, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _websocket(url: str) -> str:
    """The address with ws for http, which the server's log and browsers show, and where no scheme is written."""
    scheme, there, rest = url.strip().rstrip("/").rpartition("://")
    scheme = {"http": "ws", "https": "wss"}.get(scheme.lower(), scheme.lower()) if there else "ws"
    return f"{scheme}://{rest.lstrip('/')}"


async def place(script: Script, report: Report) -> None:
    """Place the call; `report(event, facts)` is called for: ringing, on_the_line, you, persona, saved, notice, ended.

    Raises CallFailed on an error message, CallEnded if the server hangs up, OSError, TimeoutError.
    """
    script.out.mkdir(parents=True, exist_ok=True)
    kind = LastingPhone if script.drop else Phone
    async with (
        kind(script.url, script.user, bearer=script.token, on_message=lambda message: _show(message, report)) as phone,
        _flapping(phone, script.drop),
    ):
        report("ringing", {"astrologer_id": script.astrologer, "user": script.user})
        await (_converse_in_a_stream if script.stream else _converse)(script, phone, report)
        await phone.say(type="end")
        ended = await phone.closed()
        report("ended", {"code": ended.code, "reason": ended.reason})


@asynccontextmanager
async def _flapping(phone: Phone, seconds: float) -> AsyncIterator[None]:
    """Cut the line of the call every so many seconds, unless that is 0."""

    async def cut() -> None:
        await asyncio.sleep(max(0.0, KEPT_AFTER - seconds))
        while True:
            await asyncio.sleep(seconds)
            phone.socket.transport.abort()

    work = asyncio.create_task(cut()) if seconds else None
    try:
        yield
    finally:
        if work:
            work.cancel()
            await asyncio.wait([work])


async def _converse(script: Script, phone: Phone, report: Report) -> None:
    report("on_the_line", await phone.choose(script.astrologer))
    await _save(script, 0, "greeting", await phone.answer(), report)
    for number, clip in enumerate(script.clips, 1):
        await _save(script, number, clip.stem, await phone.ask(clip.read_bytes()), report)


async def _converse_in_a_stream(script: Script, phone: Phone, report: Report) -> None:
    recordings = [(clip.stem, _pcm(clip)) for clip in script.clips]
    report("on_the_line", await phone.choose(script.astrologer, mode="stream"))
    async with streaming(phone) as (microphone, player):
        await _save(script, 0, "greeting", await phone.reply(), report, player.left)
        for number, (name, pcm) in enumerate(recordings, 1):
            began = time.perf_counter()
            reply = asyncio.create_task(phone.reply(began))
            await microphone.say(pcm)
            spoke = time.perf_counter() - began
            answer = await reply
            # Counted from the end of the clip; one that ends in silence may be answered before that.
            answer = replace(answer, seconds=max(0.0, answer.seconds - spoke))
            await _save(script, number, name, answer, report, player.left)


def _pcm(clip: Path) -> bytes:
    try:
        return decode(clip.read_bytes())
    except Refused as refused:
        raise CallFailed({"code": refused.code, "message": f"{clip}: {refused.message}"}) from None


async def _save(
    script: Script, number: int, about: str, answer: Answer, report: Report, left: float | None = None
) -> None:
    """Save a reply; if patient, wait until it is played: all of it, or the `left` seconds of a stream."""
    path = script.out / f"{number:02}_{about}.wav"
    path.write_bytes(answer.wav)
    facts = {"file": str(path), "seconds": round(answer.seconds, 3), "plays": round(answer.plays, 2)}
    report("saved", {"about": about, "text": answer.text, **facts})
    if script.patient:
        await asyncio.sleep(answer.plays if left is None else left)


def _show(message: Message, report: Report) -> None:
    match message:
        case {"type": "transcript", "role": "user", "text": text, "final": True}:
            report("you", {"text": text})
        case {"type": "transcript", "role": "assistant", "text": text, "final": True}:
            report("persona", {"text": text})
        case {"type": "notice", "code": code, "message": text}:
            report("notice", {"code": code, "text": text})


def _print_json(event: str, facts: Message) -> None:
    sys.stdout.buffer.write(orjson.dumps({"event": event, **facts}, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def _print_line(event: str, facts: Message) -> None:
    match event:
        case "saved":
            timing = f"after {facts['seconds']:.2f} s, plays {facts['plays']:.1f} s"
            typer.echo(f"{'':>12}  {timing}: {facts['file']}")
        case "ended":
            typer.echo(f"{'ended':>12}  {facts['reason'] or facts['code']}")
        case "on_the_line":
            typer.echo(f"{'line':>12}  {facts['name']}, {facts['language']}, voice {facts['voice']}")
        case "ringing":
            typer.echo(f"{'calling':>12}  {facts['astrologer_id']}")
        case _:
            typer.echo(f"{event:>12}  {facts['text']}")
