"""Makes the replies: the words that the prompt demands, else those of a chat server, else the engine's own."""

import logging

import aiohttp

from engine.mind.chat import answer_in, messages, offer
from engine.mind.prompt import parse_prompt
from engine.mind.replies import reply
from engine.mind.tools import chosen, outcome
from realtime.server.tools import Called, Toolbox
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
        completion = await self._complete(instructions, turns, None) if self._url else None
        return completion if isinstance(completion, str) else reply(prompt, turns)

    async def act(self, instructions: str, turns: tuple[Turn, ...], tools: Toolbox) -> str | tuple[Called, ...]:
        """The functions to call, or else the reply, which says what came of calls before. Does not raise."""
        prompt = parse_prompt(instructions)
        if prompt.exactly is not None:
            return prompt.exactly
        completion = await self._complete(instructions, turns, tools) if self._url else None
        return completion or chosen(tools) or outcome(tools) or reply(prompt, turns)

    async def _complete(
        self, instructions: str, turns: tuple[Turn, ...], tools: Toolbox | None
    ) -> str | tuple[Called, ...] | None:
        """The completion of the chat server, None if it fails in any way."""
        assert self._url is not None
        said = tools.history if tools else turns
        body = {
            "model": self._model,
            "max_tokens": LONGEST_ANSWER,
            "messages": [{"role": "system", "content": instructions}, *messages(said)],
            **(offer(tools) if tools else {}),
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as client,
                client.post(self._url, json=body, raise_for_status=True) as response,
            ):
                return answer_in(await response.json(content_type=None), tools)
        except (TimeoutError, aiohttp.ClientError, ValueError) as failure:
            log.warning("the chat server gave no answer: %s", str(failure) or type(failure).__name__)
            return None
