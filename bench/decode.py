"""Measures the cost of decoding a second of recorded speech: `python -m bench decode`.

First in this process, the median of nine rounds over the clips in clips/; then through the pool, from `Pool.decode` to
the result.
"""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from audio import Decoded, Pool, Undecoded, seconds
from audio.codec import decode
from bench.report import Part

CLIPS = Path(__file__).parents[1] / "clips"
ROUNDS = 9


class Answer:
    """A listener for one clip."""

    def __init__(self) -> None:
        self.result: asyncio.Future[Decoded | Undecoded] = asyncio.get_running_loop().create_future()

    def tell(self, message: Decoded | Undecoded, /) -> None:
        self.result.set_result(message)


def run() -> list[Part]:
    """One row for each kind of clip."""
    part = Part("decode")
    kinds = {suffix: [file.read_bytes() for file in sorted(CLIPS.glob(f"*.{suffix}"))] for suffix in ("m4a", "webm")}
    for kind, clips in kinds.items():
        length = sum(seconds(decode(clip)) for clip in clips)
        alone = median(_cost(clips) for _ in range(ROUNDS)) / length
        pooled = asyncio.run(_through_pool(clips))
        part.rows.append({
            "kind": kind, "clips": len(clips), "seconds": round(length, 2), "cpu_ms_a_second": round(alone * 1000, 2),
            "ms_a_clip_through_the_pool": round(pooled * 1000, 1),
        })  # fmt: skip
    return [part]


def _cost(clips: Iterable[bytes]) -> float:
    start = time.process_time()
    for clip in clips:
        decode(clip)
    return time.process_time() - start


async def _through_pool(clips: list[bytes]) -> float:
    pool = Pool()
    await pool.warm()
    times = [await _timed(pool, clip) for _ in range(ROUNDS) for clip in clips]
    await pool.close()
    return median(times)


async def _timed(pool: Pool, clip: bytes) -> float:
    answer, start = Answer(), time.perf_counter()
    pool.decode(0, clip, answer)
    await answer.result
    return time.perf_counter() - start
