"""The responses of a session: one at a time in its conversation, any number beside it."""

import re
from collections.abc import Iterator, Sequence

from realtime.server.acts import Act, Halt, Send, Speak, Think
from realtime.server.answer import Answer, Status
from realtime.server.conversation import Conversation, Item, event, item_of, new_id
from realtime.server.hearing import Hearing
from realtime.server.settings import Event, check_voice
from realtime.server.shape import Rejected
from realtime.server.tools import Called
from realtime.server.transcription import Transcription
from upstream.facts import Turn

SOME_WORDS = re.compile(r"\s*(?:\S+\s*){1,3}")  # what one delta of a written answer holds
RATE_LIMITS_AFTER = 0.04  # seconds after response.done, as seen on the real API


class Answering:
    """Makes responses, from response.create to response.done.

    `transcription` knows the items whose words are not known yet; `hearing` is told when there is a response, for
    then nobody is idle.
    """

    def __init__(self, conversation: Conversation, transcription: Transcription, hearing: Hearing) -> None:
        self.voice_locked = self._divides = False
        self._conversation = conversation
        self._transcription = transcription
        self._hearing = hearing
        self._answers: dict[str, Answer] = {}
        self._thinkable: set[str] = set()
        self._refused: dict[str, Event] = {}  # items that were not transcribed: the error by id

    @property
    def active(self) -> Answer | None:
        """The one response that the default conversation may have."""
        return next((answer for answer in self._answers.values() if answer.conversation_id), None)

    def create(self, params: Event, settings: Event) -> Iterator[Act]:
        """Begin a response with the checked parameters of response.create."""
        check_voice(settings, params, voice_locked=self.voice_locked, path="response.audio.output.voice")
        aside = params.get("conversation") == "none"
        if self.active and not aside:
            raise Rejected(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self.active.id}. "
                "Wait until the response is finished before creating a new one.",
            )
        conversation_id = None if aside else self._conversation.id
        answer = Answer(params, settings, conversation_id, self._context(params))
        self._answers[answer.id] = answer
        self._thinkable.add(answer.id)
        if not aside:
            self._hearing.answer_began()
        yield Send(answer.created())
        for item in answer.context:
            yield from self._transcription.listen(item, settings)
        yield from self._think_once_heard(answer)

    def cancel(self, response_id: str | None) -> Iterator[Act]:
        """End a response because the client says so; Rejected when there is none."""
        answer = self._answers.get(response_id) if response_id else self.active
        if answer is None:
            raise Rejected("response_cancel_not_active", "Cancellation failed: no active response found")
        yield Halt(answer.id)
        yield from self._end(answer, "cancelled", {"reason": "client_cancelled"})

    def interrupt(self) -> Iterator[Act]:
        """End the response of the conversation, if there is one, because the caller speaks."""
        if answer := self.active:
            yield Halt(answer.id)
            yield from self._end(answer, "cancelled", {"reason": "turn_detected"})

    def fail(self, error: Event, response_id: str | None = None) -> Iterator[Act]:
        """End a response, or that of the conversation if there is one, because of a fault of ours."""
        answer = self._answers.get(response_id) if response_id else self.active
        if answer:
            yield Halt(answer.id)
            yield from self._end(answer, "failed", {"error": error})

    def divide(self) -> None:
        """Give the next response of two sentences or more as two items: its first sentence, and the rest."""
        self._divides = True

    def heard(self) -> Iterator[Act]:
        """An item was transcribed: what waited for it is thought about."""
        for answer in list(self._answers.values()):
            yield from self._think_once_heard(answer)

    def unheard(self, item_id: str, why: Event) -> Iterator[Act]:
        """An item will not be transcribed, for this error: a response to it fails."""
        self._refused[item_id] = why
        return self.heard()

    def thought(self, response_id: str, text: str) -> Iterator[Act]:
        """The words of a response are known."""
        if answer := self._answers.get(response_id):
            yield from map(Send, answer.begin(self._join(answer)))
            if answer.spoken:
                yield Speak(answer.id, text, answer.voice)
            else:
                yield from self._write(answer, text)

    def called(self, response_id: str, calls: Sequence[Called]) -> Iterator[Act]:
        """A response is these calls of functions, and with them it is complete."""
        if answer := self._answers.get(response_id):
            for call in calls:
                said = {"type": "function_call", "call_id": call.call_id, "name": call.name}
                item = Item(new_id("item"), "", [], call={**said, "arguments": call.arguments})
                before = self._conversation.append(item) if answer.conversation_id else None
                yield from map(Send, answer.call(item, before))
            yield from self._end(answer, "completed")

    def spoke(self, response_id: str, words: str, pcm: bytes) -> Iterator[Act]:
        """Some words and the audio that follows them; either may be empty."""
        if answer := self._answers.get(response_id):
            if words and self._divides and answer.item.words():
                self._divides = False
                yield from map(Send, answer.close(self._conversation.before(answer.item)))
                yield from map(Send, answer.begin(self._join(answer.next_item())))
            if words:
                yield Send(answer.write(words))
            yield from map(Send, answer.sound(pcm))
            self.voice_locked = self.voice_locked or bool(pcm)
            if answer.is_too_long:
                yield from self._end_at_the_limit(answer)

    def finished(self, response_id: str) -> Iterator[Act]:
        """Everything of a response has been spoken."""
        if answer := self._answers.get(response_id):
            yield from self._end(answer, "completed")

    def _context(self, params: Event) -> list[Item]:
        """The items that a response answers to: the conversation's, or those that its `input` gives."""
        if "input" not in params:
            return list(self._conversation)
        return [
            self._conversation.find(given["id"], "reference") if given["type"] == "item_reference" else item_of(given)
            for given in params["input"]
        ]

    def _think_once_heard(self, answer: Answer) -> Iterator[Act]:
        """Think once all items of the context are transcribed, because the mind reads words."""
        if answer.id in self._thinkable and not any(item.id in self._transcription for item in answer.context):
            self._thinkable.discard(answer.id)
            last = answer.context[-1] if answer.context else None
            if last and (why := self._refused.get(last.id)):
                yield from self._end(answer, "failed", {"error": why})
                return
            turns = tuple(Turn(item.role, item.words()) for item in answer.context if item.role)
            heard = last is not None and last.role == "user" and last.sound > 0
            yield Think(answer.id, answer.instructions, turns, answer.spoken and not heard, answer.tools)

    def _write(self, answer: Answer, text: str) -> Iterator[Act]:
        """Write an answer some words at a time, up to its limit."""
        for words in SOME_WORDS.findall(text):
            yield Send(answer.write(words))
            if answer.is_too_long:
                yield from self._end_at_the_limit(answer)
                return
        yield from self._end(answer, "completed")

    def _join(self, answer: Answer) -> str | None:
        """Put the item of a response into the conversation, if it belongs there."""
        return self._conversation.append(answer.item) if answer.conversation_id else None

    def _end_at_the_limit(self, answer: Answer) -> Iterator[Act]:
        """End it after the piece that went beyond max_output_tokens; the real API stops within that piece."""
        yield Halt(answer.id)
        yield from self._end(answer, "incomplete", {"reason": "max_output_tokens"})

    def _end(self, answer: Answer, status: Status, why: Event | None = None) -> Iterator[Act]:
        del self._answers[answer.id]
        self._thinkable.discard(answer.id)
        if answer.conversation_id:
            # A response that was cut off is not played on.
            self._hearing.answer_ended(answer.milliseconds if status in ("completed", "incomplete") else 0)
        yield from map(Send, answer.end(status, why, self._conversation.before(answer.item)))
        yield Send(rate_limits(), after=RATE_LIMITS_AFTER)


def rate_limits() -> Event:
    """Limits so wide that nobody meets them: a local engine has none."""
    wide = {"limit": 1_000_000, "remaining": 1_000_000, "reset_seconds": 0.0}
    return event("rate_limits.updated", rate_limits=[{"name": "requests", **wide}, {"name": "tokens", **wide}])
