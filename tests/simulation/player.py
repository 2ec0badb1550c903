"""What really reaches the caller's ear: a player that plays what it gets, in order and in real time."""

from dataclasses import dataclass, field, replace

from tests.simulation.sound import WORD_MS, Piece

LEAD = 0.5  # seconds: 400 ms may be ahead of the player, and one piece of 100 ms


@dataclass(frozen=True, slots=True)
class Playing:
    """A piece of a word of this response, and when it plays."""

    response: str
    piece: Piece
    start: float

    @property
    def end(self) -> float:
        return self.start + (self.piece.end - self.piece.first) / 1000


@dataclass
class Player:
    """Its `tape` holds all that was or will be played; what is cleared before its time never was."""

    tape: list[Playing] = field(default_factory=list)

    @property
    def until(self) -> float:
        return self.tape[-1].end if self.tape else 0.0

    def play(self, response: str, pieces: list[Piece], now: float) -> None:
        for piece in pieces:
            self.tape.append(Playing(response, piece, max(now, self.until)))

    def clear(self, response: str, now: float) -> None:
        """Throw away what is buffered of this response; what comes after it moves up."""
        waiting = [playing for playing in self.tape if playing.end > now]
        self.tape = self.tape[: len(self.tape) - len(waiting)]
        for playing in waiting:
            if playing.response != response:
                start = playing.start if playing.start <= now else max(now, self.until)
                self.tape.append(replace(playing, start=start))
            elif playing.start < now:
                end = playing.piece.first + round((now - playing.start) * 1000)
                self.tape.append(replace(playing, piece=replace(playing.piece, end=end)))

    def played_ms(self, response: str, now: float) -> int:
        mine = [playing for playing in self.tape if playing.response == response and playing.start < now]
        return int(1000 * sum(min(now, playing.end) - playing.start for playing in mine))


@dataclass
class Answers:
    """The words of each answer as they reach the ear: none is repeated, none is skipped."""

    last: dict[str, Piece] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)

    def hear(self, piece: Piece, may_greet: bool) -> str | None:
        """What is wrong with hearing this next."""
        name = piece.word.answer
        before = self.last.get(name)
        self.last[name] = piece
        if before is None or (name in self.closed and may_greet and _first(piece)):
            self.closed.discard(name)
            return None if _first(piece) else f"the beginning of {name} is missing before {piece}"
        if name in self.closed:
            return f"{name} goes on with {piece} after it was stopped"
        if _follows(before, piece) or (may_greet and _first(piece)):
            if before.word is piece.word:
                self.last[name] = replace(piece, first=before.first)
            return None
        return f"{piece} does not follow {before}"

    def close(self, name: str) -> None:
        self.closed.add(name)


def _first(piece: Piece) -> bool:
    return piece.word.index == piece.first == 0


def _follows(before: Piece, piece: Piece) -> bool:
    if piece.word is before.word:
        return piece.first == before.end
    step = piece.word.index - before.word.index
    if piece.first:
        return False
    if piece.word.source == before.word.source:
        return step == 1 and before.end == WORD_MS
    if piece.word.answer.startswith("help"):  # its words are longer than what playback reckons, and not of one length
        return abs(step) <= 2
    heard = before.end / WORD_MS  # another connection goes on: half a word may count as said, or be said again
    return (step == 1 and heard >= 0.5) or (step == 0 and heard < 1)
