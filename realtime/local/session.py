"""One Realtime session without sockets, tasks or clock: client events and finished work in, acts out.

Whoever drives it sends the events and does the work, in the order given, and reports what the work brought:
`Hear` to `heard`, `Think` to `thought`, `Speak` to `spoke` for every piece and `finished` at the end.
Reports on what has been cancelled since are ignored.
"""

from collections.abc import Iterable

from realtime.local.acts import Act, Halt, Hear, Send, Speak, Think
from realtime.local.answer import Answer, Status
from realtime.local.conversation import Conversation, Item, event, item_of, new_id
from realtime.local.microphone import Microphone
from realtime.local.reading import Turn, language_of
from realtime.local.settings import Event, check, check_voice, initial, updated
from realtime.local.shape import Rejected

RATE_LIMITS_AFTER = 0.04  # seconds after response.done, as seen on the real API


class Session:
    """The server's half of one conversation; `now` is when it begins, in seconds since 1970."""

    def __init__(self, model: str, *, now: int) -> None:
        self.id = new_id("sess")
        self.settings = initial(self.id, model, now)
        self._conversation = Conversation()
        self._microphone = Microphone()
        self._unheard: dict[str, Item] = {}
        self._thinkable: set[str] = set()
        self._answers: dict[str, Answer] = {}
        self._voice_locked = False
        self._acts: list[Act] = []

    def begin(self) -> list[Act]:
        """The first frame of every session."""
        self._send(event("session.created", session=self.settings))
        return self._taken()

    def receive(self, sent: Event) -> list[Act]:
        """Obey one client event, or answer with the error that it earns."""
        try:
            check(sent)
            self._obey(sent)
        except Rejected as refusal:
            return self.refuse(refusal, sent.get("event_id"))
        return self._taken()

    def refuse(self, refusal: Rejected, event_id: object = None) -> list[Act]:
        """The error for a client event, also for one that could not even be read."""
        self._send(error(refusal, event_id if isinstance(event_id, str) else None))
        return self._taken()

    def heard(self, item_id: str, words: str) -> list[Act]:
        """The ear is done with an item; "" means that nothing intelligible was said."""
        item = self._unheard.pop(item_id)
        item.content[0]["transcript"] = words
        if self.settings["audio"]["input"]["transcription"] is not None:
            usage = {"type": "duration", "seconds": item.milliseconds / 1000}
            where = {"item_id": item_id, "content_index": 0}
            kind = "conversation.item.input_audio_transcription.completed"
            self._send(event(kind, **where, transcript=words, usage=usage))
        for answer in list(self._answers.values()):
            self._think_once_heard(answer)
        return self._taken()

    def thought(self, response_id: str, text: str) -> list[Act]:
        """The words of a response are known."""
        if answer := self._answers.get(response_id):
            self._send_all(answer.begin(self._join(answer)))
            if answer.spoken:
                self._acts.append(Speak(answer.id, text, answer.voice))
            else:
                self._send(answer.write(text))
                self._end(answer, "completed")
        return self._taken()

    def spoke(self, response_id: str, words: str, pcm: bytes) -> list[Act]:
        """Some words and the audio that follows them; either may be empty."""
        if answer := self._answers.get(response_id):
            if words:
                self._send(answer.write(words))
            self._send_all(answer.sound(pcm))
            self._voice_locked = self._voice_locked or bool(pcm)
        return self._taken()

    def finished(self, response_id: str) -> list[Act]:
        """Everything of a response has been spoken."""
        if answer := self._answers.get(response_id):
            self._end(answer, "completed")
        return self._taken()

    def _obey(self, sent: Event) -> None:
        match sent["type"]:
            case "session.update":
                self._update(sent["session"])
            case "input_audio_buffer.append":
                self._microphone.append(sent["audio"])
            case "input_audio_buffer.commit":
                self._commit()
            case "input_audio_buffer.clear":
                self._microphone.clear()
                self._send(event("input_audio_buffer.cleared"))
            case "response.create":
                self._create(sent.get("response", {}))
            case "response.cancel":
                self._cancel(sent.get("response_id"))
            case _:
                self._send_all(self._rearrange(sent))

    def _rearrange(self, sent: Event) -> list[Event]:
        """What a client does to the items of the conversation."""
        match sent["type"]:
            case "conversation.item.create":
                return self._conversation.create(item_of(sent["item"]), sent.get("previous_item_id"))
            case "conversation.item.truncate":
                return self._conversation.truncate(sent["item_id"], sent["audio_end_ms"])
            case "conversation.item.delete":
                return self._conversation.delete(sent["item_id"])
            case _:
                return self._conversation.retrieve(sent["item_id"])

    def _update(self, change: Event) -> None:
        self.settings = updated(self.settings, change, voice_locked=self._voice_locked)
        self._send(event("session.updated", session=self.settings))

    def _commit(self) -> None:
        pcm = self._microphone.take()
        item = Item(new_id("item"), "user", [{"type": "input_audio", "transcript": None}], sound=len(pcm))
        before = self._conversation.append(item)
        self._send(event("input_audio_buffer.committed", previous_item_id=before, item_id=item.id))
        self._send_all(self._conversation.shown(item))
        self._unheard[item.id] = item
        self._acts.append(Hear(item.id, pcm, self._language()))

    def _language(self) -> str | None:
        transcription = self.settings["audio"]["input"]["transcription"] or {}
        return transcription.get("language") or language_of(self.settings["instructions"])

    def _create(self, params: Event) -> None:
        check_voice(self.settings, params, voice_locked=self._voice_locked, path="response.audio.output.voice")
        aside = params.get("conversation") == "none"
        active = self._active()
        if active and not aside:
            raise Rejected(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {active.id}. "
                "Wait until the response is finished before creating a new one.",
            )
        conversation_id = None if aside else self._conversation.id
        answer = Answer(params, self.settings, conversation_id, self._context(params))
        self._answers[answer.id] = answer
        self._thinkable.add(answer.id)
        self._send(answer.created())
        self._think_once_heard(answer)

    def _context(self, params: Event) -> list[Item]:
        """The items that a response answers to: the conversation's, or those that its `input` gives."""
        if "input" not in params:
            return list(self._conversation)
        return [
            self._conversation.find(given["id"], "reference") if given["type"] == "item_reference" else item_of(given)
            for given in params["input"]
        ]

    def _think_once_heard(self, answer: Answer) -> None:
        """The mind reads words, so a response waits for the ear; the caller's transcript does not wait for it."""
        if answer.id in self._thinkable and not any(item.id in self._unheard for item in answer.context):
            self._thinkable.discard(answer.id)
            turns = tuple(Turn(item.role, item.words()) for item in answer.context)
            self._acts.append(Think(answer.id, answer.instructions, turns))

    def _join(self, answer: Answer) -> str | None:
        """Put the item of a response into the conversation, if it belongs there."""
        return self._conversation.append(answer.item) if answer.conversation_id else None

    def _active(self) -> Answer | None:
        """The one response that the default conversation may have."""
        return next((answer for answer in self._answers.values() if answer.conversation_id), None)

    def _cancel(self, response_id: str | None) -> None:
        answer = self._answers.get(response_id) if response_id else self._active()
        if answer is None:
            raise Rejected("response_cancel_not_active", "Cancellation failed: no active response found")
        self._acts.append(Halt(answer.id))
        self._end(answer, "cancelled", "client_cancelled")

    def _end(self, answer: Answer, status: Status, reason: str | None = None) -> None:
        del self._answers[answer.id]
        self._thinkable.discard(answer.id)
        self._send_all(answer.end(status, reason, self._conversation.before(answer.item)))
        self._acts.append(Send(rate_limits(), after=RATE_LIMITS_AFTER))

    def _send(self, fact: Event) -> None:
        self._acts.append(Send(fact))

    def _send_all(self, facts: Iterable[Event]) -> None:
        self._acts.extend(map(Send, facts))

    def _taken(self) -> list[Act]:
        acts, self._acts = self._acts, []
        return acts


def error(refusal: Rejected, event_id: str | None = None, kind: str = "invalid_request_error") -> Event:
    """The error event for a refusal; it echoes the `event_id` of what it refuses."""
    told = {"code": refusal.code, "message": refusal.message, "param": refusal.param}
    return event("error", error={"type": kind, **told, "event_id": event_id})


def rate_limits() -> Event:
    """Limits so wide that nobody meets them: a local engine has none."""
    wide = {"limit": 1_000_000, "remaining": 1_000_000, "reset_seconds": 0.0}
    return event("rate_limits.updated", rate_limits=[{"name": "requests", **wide}, {"name": "tokens", **wide}])
