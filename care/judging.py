"""What a judge model is asked about a talk, and what its answer means: a chat completion with a JSON schema.

Sources: OpenAI's API reference, "Create chat completion" (`response_format` of the type `json_schema`, `choices`,
`message.content`, `message.refusal`), which vLLM, llama.cpp and Ollama serve as well.
"""

import functools
import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

import orjson

from care.signs import KINDS, Kind, Worried

_SCHEMA = {
    "type": "object",
    "properties": {
        "worries": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"kind": {"type": "string", "enum": list(KINDS)}, "sure": {"type": "boolean"}},
                "required": ["kind", "sure"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["worries"],
    "additionalProperties": False,
}
_KIND: dict[str, Kind] = {kind: kind for kind in KINDS}


class NoJudgement(ValueError):
    """The answer is none; the message says why, without repeating it."""


def question(model: str, talk: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The body of a request about this talk: who ("user" for the caller) said what, the oldest first."""
    said = [{"caller" if role == "user" else "persona": text} for role, text in talk]
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": _instructions()},
            {"role": "user", "content": json.dumps(said, ensure_ascii=False)},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "worries", "strict": True, "schema": _SCHEMA},
        },
    }


def judgement(answer: bytes) -> frozenset[Worried]:
    """What a chat completion found. Raises NoJudgement."""
    try:
        message = orjson.loads(answer)["choices"][0]["message"]
        return frozenset(_worries(orjson.loads(message["content"])["worries"]))
    except (ValueError, LookupError, TypeError):
        raise NoJudgement("its answer is no chat completion with worries") from None


def _worries(said: Any) -> Iterator[Worried]:
    """As the schema has them. Raises TypeError, KeyError."""
    if not isinstance(said, list):
        raise TypeError
    for one in said:
        if not isinstance(one["sure"], bool):
            raise TypeError
        yield Worried(_KIND[one["kind"]], one["sure"])


@functools.cache
def _instructions() -> str:
    data = json.loads(files("care").joinpath("judge.json").read_text(encoding="utf-8"))
    return "\n".join(data["instructions"])
