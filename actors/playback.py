"""What the caller hears: the reply that is coming in, the one that was sent, and how much of that was heard."""

from dataclasses import dataclass, field

BYTES_PER_MS = 48  # PCM16 mono at 24 kHz


@dataclass(slots=True)
class OnAir:
    """A reply of the model. `sent_at` is when the caller got it, in seconds; None while it is still coming in."""

    generation: int
    reply: int
    ask: int
    pcm: bytearray = field(default_factory=bytearray)
    text: str = ""
    sent_at: float | None = None

    @property
    def id(self) -> str:
        """The response id on the caller's wire."""
        return f"{self.generation}.{self.reply}"

    @property
    def ms(self) -> int:
        """How long it plays."""
        return len(self.pcm) // BYTES_PER_MS

    def heard_ms(self, now: float) -> int:
        """How much of it has been played by now: for a whole clip, the time since it was sent."""
        return 0 if self.sent_at is None else min(self.ms, int((now - self.sent_at) * 1000))

    def heard_text(self, now: float) -> str:
        """The share of its words that fell into what was heard, a word that was cut not counted."""
        words = self.text.split()
        return " ".join(words[: len(words) * self.heard_ms(now) // max(1, self.ms)])

    def plays(self, now: float) -> bool:
        """The caller has it and has not heard it to its end."""
        return self.sent_at is not None and self.heard_ms(now) < self.ms
