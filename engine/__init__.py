"""The local engine: an offline GA Realtime server that recognizes, answers and speaks English and Hindi."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.mind.mind import Mind
    from engine.parts import Parts

WORKERS: Final = 2  # threads
WAIT: Final = 1.25  # seconds: with the rest of the work, most answers then come within two
SPEECH_CACHE_BYTES: Final = 32 * 2**20  # eleven minutes of audio


async def serve(  # noqa: PLR0913  # the one place where the engine is assembled
    host: str,
    port: int,
    *,
    token: str | None,
    llm_url: str | None,
    on_ready: Callable[[str], None],
    on_progress: Callable[[str], None],
    llm_model: str = "default",
    workers: int = WORKERS,
    wait: float = WAIT,
    **behaviour: Any,
) -> None:
    """Load the models and serve until cancelled; port 0 takes a free one.

    `workers` threads recognize and synthesize speech at once. A turn whose recognition and first sentence would take
    more than `wait` seconds is answered `busy`. `on_progress` receives the name of each stage of loading, `on_ready`
    the address (`ws://HOST:PORT/v1/realtime`) once calls are answered. `behaviour` is passed to `Server`:
    `session_seconds`, `script`, `pace`, `gate`. Raises NotInstalled without the extra `local`, WeightsMissing when a
    model file is missing, OSError when the port is taken; neither the first nor the last waits for the models.
    """
    from engine.installed import check_installed
    from engine.listener import check_free

    check_installed()
    check_free(host, port)
    # Imported here: to read the constants above must not need the extra `local`.
    from engine.mind.mind import Mind
    from engine.server import PATH, Server

    parts = await _load(Mind(llm_url, model=llm_model), workers, wait, on_progress)
    try:
        async with Server(parts, token=token, **behaviour).listen(host, port) as taken:
            on_ready(f"ws://{host}:{taken}{PATH}")
            await asyncio.Event().wait()
    finally:
        parts.close()


async def _load(mind: "Mind", workers: int, wait: float, on_progress: Callable[[str], None]) -> "Parts":
    """Load the models in threads; raises WeightsMissing."""
    from engine.ear.ear import Ear
    from engine.ear.vad import Silero, speech_seconds
    from engine.load import Load
    from engine.parts import SHORTEST_SPEECH, Parts
    from engine.speech_cache import SpeechCache
    from engine.voice.voice import Voice
    from engine.worker import Workers

    on_progress("loading the voice")
    voice = await asyncio.to_thread(Voice)
    on_progress("loading the ear")
    ear = await asyncio.to_thread(Ear, workers)
    on_progress("warming up")
    await asyncio.to_thread(speech_seconds, bytes(48_000))
    speech = partial(speech_seconds, enough=SHORTEST_SPEECH)
    return Parts(
        voice, ear, speech, mind, Silero, Workers(workers, Load(workers, wait)), SpeechCache(SPEECH_CACHE_BYTES)
    )
