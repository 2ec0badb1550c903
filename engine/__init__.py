"""The local engine: a GA Realtime server that listens, thinks and speaks offline, in English and Hindi."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

WORKERS: Final = 2  # threads
WAIT: Final = 1.25  # seconds: what else an answer needs lets most come within two
PHRASES_BYTES: Final = 32 * 2**20  # eleven minutes of sound


async def serve(  # noqa: PLR0913  # one place where the engine is put together
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
    """Load the parts, telling each, and serve until cancelled; port 0 takes a free one.

    So many `workers` hear and speak at once; a turn that would not be heard and answered to in `wait` seconds is told
    that the engine is full. `behaviour` is what else the `Server` takes: `session_seconds`, `script`. `on_ready` is
    told the address (`ws://HOST:PORT/v1/realtime`) once calls are answered. Raises WeightsMissing when a model file is
    not there, OSError when the port is taken.
    """
    # Imported here: whoever only asks for the path need not have the extra `local`.
    from engine.ear.ear import Ear
    from engine.ear.vad import Silero, speech_seconds
    from engine.load import Load
    from engine.mind.mind import Mind
    from engine.parts import SHORTEST_SPEECH, Parts
    from engine.server import PATH, Server
    from engine.speech_cache import SpeechCache
    from engine.voice.voice import Voice
    from engine.worker import Workers

    on_progress("loading the voice")
    voice = await asyncio.to_thread(Voice)
    on_progress("loading the ear")
    ear = await asyncio.to_thread(Ear, workers)
    on_progress("warming up")
    await asyncio.to_thread(speech_seconds, bytes(48_000))
    parts = Parts(
        voice,
        ear,
        partial(speech_seconds, enough=SHORTEST_SPEECH),
        Mind(llm_url, model=llm_model),
        Silero,
        Workers(workers, Load(workers, wait)),
        SpeechCache(PHRASES_BYTES),
    )
    try:
        async with Server(parts, token=token, **behaviour).listen(host, port) as taken:
            on_ready(f"ws://{host}:{taken}{PATH}")
            await asyncio.Event().wait()
    finally:
        parts.close()
