"""What the clients share: it runs in the environment of each, so it uses the standard library alone."""
# mypy: ignore-errors

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 40.0  # seconds, for one feature
SILENCE = bytes(48_000)  # a second
FRAME = 4_800  # 100 ms


def question(clip: str) -> Iterator[bytes]:
    """A recorded question (raw PCM16, 24 kHz) between silences, in frames."""
    pcm = SILENCE + Path(clip).read_bytes() + SILENCE * 2
    return (pcm[at : at + FRAME] for at in range(0, len(pcm), FRAME))


class Features:
    """Coroutines by the name of the feature that each shows; it fails by an exception, or by taking too long."""

    def __init__(self, **features) -> None:
        self._features = features

    async def run(self) -> None:
        """Print one line of JSON for each."""
        for name, feature in self._features.items():
            try:
                async with asyncio.timeout(PATIENCE):
                    await feature()
                result = "ok"
            except BaseException as failure:  # a client may raise groups, and SystemExit
                result = f"{type(failure).__name__}: {failure}"[:300]
            print(json.dumps({"feature": name, "result": result}), flush=True)
