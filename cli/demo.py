"""`demo`: a server with the local engine, and two calls at once, shown side by side."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.call import Script, place
from cli.child_server import serving
from phone import CallEnded, CallFailed, Message

CLIPS = Path(__file__).parent.parent / "clips"
CALLS = (
    ("user-123", "tina_kulkarni_vedic_marriage", ("hi_marriage_delay.m4a", "hi_love_me.m4a")),
    ("user-456", "mohit_vedic_marriage", ("en_proposal.m4a", "en_come_back.m4a")),
)


class Board:
    """Shows the events of each call in a column of its own."""

    def __init__(self, columns: int) -> None:
        self._lines = [Text() for _ in range(columns)]
        self._titles = [""] * columns

    def show(self, column: int, event: str, facts: Message) -> None:
        """Append one event of a call, as `place` reports it."""
        lines = self._lines[column]
        match event:
            case "on_the_line":
                self._titles[column] = f"{facts['name']} ({facts['language']}, voice {facts['voice']})"
            case "you":
                lines.append(f"caller: {facts['text']}\n", "cyan")
            case "persona":
                lines.append(f"persona: {facts['text']}\n")
            case "saved":
                lines.append(f"  {facts['seconds']:.2f} s to the answer, {Path(facts['file']).name}\n", "dim")
            case "notice" | "error":
                lines.append(f"{event}: {facts['text']}\n", "red")

    def __rich__(self) -> Table:
        table = Table(*self._titles, expand=True)
        table.add_row(*self._lines)
        return table


def demo(
    out: Annotated[Path, typer.Option(envvar="DEMO_OUT", file_okay=False, help="Folder for the recordings.")] = Path(
        "demo"
    ),
    clips: Annotated[
        Path, typer.Option(envvar="DEMO_CLIPS", exists=True, file_okay=False, help="Folder with the clips.")
    ] = CLIPS,
    patient: Annotated[
        bool, typer.Option(envvar="DEMO_PATIENT", help="Hear each answer to its end before speaking again.")
    ] = True,
) -> None:
    """Two people talk to two astrologers at the same time, answered by the local engine."""
    failed = False
    try:
        asyncio.run(_demo(out, clips, patient))
    except* (CallFailed, CallEnded, OSError, TimeoutError) as failures:
        failed = True  # an exception raised in `except*` would become a group
        for failure in failures.exceptions:
            Console(stderr=True).print(f"The demo failed: {str(failure) or 'no answer in time'}", markup=False)
    if failed:
        raise typer.Exit(1)


async def _demo(out: Path, clips: Path, patient: bool) -> None:
    for name in (name for _, _, names in CALLS for name in names):
        (clips / name).read_bytes()  # raises OSError for a missing one, before anything is started
    board, console = Board(len(CALLS)), Console()
    console.print("Starting a server with the local engine; then both callers talk for about a minute.")
    async with serving() as server:
        with Live(board, console=console, refresh_per_second=8, vertical_overflow="visible"):
            async with asyncio.TaskGroup() as calls:
                for column, (user, astrologer, names) in enumerate(CALLS):
                    recordings = tuple(clips / name for name in names)
                    script = Script(server.url, user, astrologer, recordings, out / astrologer, patient)
                    calls.create_task(place(script, partial(board.show, column)))
    if not console.is_terminal:
        console.print()  # Live ends its last line only on a terminal
    console.print(f"The answers are in {out}/, one folder per astrologer.")
