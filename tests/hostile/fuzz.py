"""Fuzzes one target: `python -m tests.hostile.fuzz SECONDS NAME`; and all, two at a time, by `fuzzed`.

With atheris, which looks where an input leads, if it is installed; else inputs are changed by chance. An input that
fails is printed, and kept in a file.
"""

import asyncio
import hashlib
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.report import Target
from bench.server_process import ROOT, ended

OURS = ["audio", "schemas", "web", "personas", "actors.admission"]
LONGEST = 70_000  # bytes of an input
SHOWN = 300
END_SECONDS = 120.0  # to begin and to end; on a busy machine that takes long
MOST_MB = 1500
FAILED = re.compile(r"^(?:failed: .*|.*ERROR: libFuzzer: .*)$", re.MULTILINE)
RUNS = re.compile(r"^(?:Done (\d+) runs|runs: (\d+))", re.MULTILINE)
KEPT = Path(tempfile.gettempdir())


async def fuzzed(seconds: float, names: list[str], say: Callable[[str], None]) -> list[Target]:
    """Fuzz the targets, each in a process of its own. A target is met if no input failed."""
    free = asyncio.Semaphore(2)

    async def one(name: str) -> Target:
        async with free:
            target = await _one(name, seconds)
        say(f"{target.what}: {target.got}")
        return target

    return list(await asyncio.gather(*map(one, names)))


async def _one(name: str, seconds: float) -> Target:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.hostile.fuzz", str(seconds), name,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=ROOT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds + END_SECONDS):
            said = (await process.communicate())[0].decode(errors="replace")
    except TimeoutError:
        return Target(f"fuzz of {name}", "no input fails", "it did not come to an end: the machine is too busy", None)
    finally:
        await ended(process)
    how = "atheris" if "INFO: Seed" in said else "by chance"
    failed, runs = FAILED.search(said), RUNS.search(said)
    number = next((count for count in runs.groups() if count), "?") if runs else "?"
    met = process.returncode == 0 and not failed
    got = f"{number} inputs, {how}" if met else (failed[0] if failed else said[-SHOWN:])
    return Target(f"fuzz of {name}", "no input fails", got, met)


def main(seconds: float, name: str) -> None:
    """Fuzz one target, and exit: 0 if nothing failed."""
    try:
        import atheris  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        from tests.hostile.targets import TARGETS

        return by_chance(watched(TARGETS[name].run), TARGETS[name].seeds(), seconds)
    with atheris.instrument_imports(include=OURS):
        from tests.hostile.targets import TARGETS
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        for number, seed in enumerate(TARGETS[name].seeds()):
            Path(folder, str(number)).write_bytes(seed)
        options = {"max_total_time": round(seconds), "max_len": LONGEST, "timeout": 10, "rss_limit_mb": MOST_MB}
        arguments = [f"-{option}={value}" for option, value in options.items()]
        atheris.Setup(
            [sys.argv[0], *arguments, f"-artifact_prefix={KEPT}/hostile-", folder], watched(TARGETS[name].run)
        )
        atheris.Fuzz()  # does not return
    return None


def watched(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The same; an input that fails is printed and kept."""

    def watch(data: bytes) -> None:
        try:
            run(data)
        except Exception as error:
            file = KEPT / f"hostile-{hashlib.sha256(data).hexdigest()[:16]}"
            file.write_bytes(data)
            print(f"failed: {type(error).__name__}: {error} at {data[:SHOWN]!r}, whole in {file}", flush=True)
            raise

    return watch


def by_chance(run: Callable[[bytes], None], seeds: list[bytes], seconds: float, seed: int | None = None) -> None:
    """Change the seeds, and what came of them, for so many seconds."""
    chance, kept, runs = random.Random(seed), list(seeds), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = changed(chance, chance.choice(kept), chance.choice(kept))
        run(data)
        runs += 1
        if chance.random() < 0.02:
            kept[chance.randrange(len(kept))] = data
    print(f"runs: {runs}", flush=True)


def changed(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """An input with some bytes changed, cut, doubled, or taken from another one."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randint(0, len(made)), chance.choice((1, 1, 2, 4, 8, 64))
        match chance.randrange(6):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + size]
            case 2:
                made[at:at] = made[at : at + size] * chance.choice((1, 2, 50))
            case 3:
                from_ = chance.randint(0, len(other))
                made[at : at + size] = other[from_ : from_ + 4 * size]
            case 4:
                made[at : at + size] = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * size
            case _:
                made[at:at] = chance.randbytes(size)
    return bytes(made[:LONGEST])


if __name__ == "__main__":
    os.setpriority(os.PRIO_PROCESS, 0, 5)
    main(float(sys.argv[1]), " ".join(sys.argv[2:]))
