"""Makes the replies: the words that the prompt demands, else those of a chat server, else the engine's own."""

import logging
from typing import Any

import aiohttp

from engine.mind.prompt import parse_prompt
from engine.mind.replies import reply
from upstream.facts import Turn

log = logging.getLogger(__name__)

LONGEST_ANSWER = 300  # tokens: a minute of speech


class Mind:
    """Replies to turns as the persona of the instructions.

    `llm_url` is the base URL of an OpenAI-compatible server (`http://127.0.0.1:8080/v1`); None for own words only.
    `timeout` is in seconds, for one complete reply.
    """

    def __init__(self, llm_url: str | None = None, *, model: str = "default", timeout: float = 8.0) -> None:
        self._url = f"{llm_url.rstrip('/')}/chat/completions" if llm_url else None
        self._model = model
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def answer(self, instructions: str, turns: tuple[Turn, ...]) -> str:
        """The reply to the turns. If the chat server fails, the engine's own words. Does not raise."""
        prompt = parse_prompt(instructions)
        if prompt.exactly is not None:
            return prompt.exactly
        completion = await self._complete(instructions, turns) if self._url else None
        return completion or reply(prompt, turns)

    async def _complete(self, instructions: str, turns: tuple[Turn, ...]) -> str | None:
        """The completion of the chat server, None if it fails in any way."""
        assert self._url is not None
        body = {
            "model": self._model,
            "max_tokens": LONGEST_ANSWER,
            "messages": [{"role": "system", "content": instructions}, *map(_message, turns)],
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as client,
                client.post(self._url, json=body, raise_for_status=True) as response,
            ):
                return _words_in(await response.json(content_type=None))
        except (TimeoutError, aiohttp.ClientError, ValueError) as failure:
            log.warning("the chat server gave no answer: %s", failure or type(failure).__name__)
            return None


def _message(turn: Turn) -> dict[str, str]:
    return {"role": turn.role, "content": turn.text or "(not understood)"}


def _words_in(answer: Any) -> str:
    """The text of a chat completion. Raises ValueError for anything else."""
    try:
        text = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as missing:
        raise ValueError("not a chat completion") from missing
    if not isinstance(text, str) or not text.strip():
        raise ValueError("an empty answer")
    return text.strip()
