"""A probe stands where an actor would, remembers what it is told, and says what was wrong with it."""

import asyncio
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from actors.runtime import Boot, LoopActor, LoopRef
from actors.testing.loop import settle

T = TypeVar("T")

WITHIN = 60.0  # seconds; only what never comes takes so long

_short = reprlib.Repr()
_short.maxother = 200  # a message may hold seconds of audio


@dataclass(frozen=True, slots=True)
class _End:
    cause: BaseException | None


class Probe:
    """Anybody may tell it anything. What it was told waits in its box, in order, until the test takes it.

    What is wanted of a message is its type, an equal message, or a function that says True to it; and any of its
    fields by name, each by value or by type. On a stage, the stage settles before a probe looks.
    """

    def __init__(self, name: str = "probe") -> None:
        self.name = name
        self._told: list[Any] = []
        self._taken = 0
        self._news = asyncio.Event()
        self._child: LoopRef[Any] | None = None

    def tell(self, message: Any, /) -> None:
        """Remember it."""
        self._told.append(message)
        self._news.set()

    @property
    def heard(self) -> list[Any]:
        """All that it was ever told."""
        settle()
        return list(self._told)

    @property
    def box(self) -> list[Any]:
        """What it was told and the test has not taken yet."""
        settle()
        return self._told[self._taken :]

    @overload
    def expect(self, wanted: type[T], /, **fields: Any) -> T: ...

    @overload
    def expect(self, wanted: Any, /, **fields: Any) -> Any: ...

    def expect(self, wanted: Any, /, **fields: Any) -> Any:
        """Take the next message, which must be this."""
        box = self.box
        if not box:
            raise AssertionError(self._complaint(f"expected {_wish(wanted, fields)}, heard nothing", box))
        if not _fits(box[0], wanted, fields):
            raise AssertionError(self._complaint(f"expected {_wish(wanted, fields)}, heard {_text(box[0])}", box[1:]))
        self._taken += 1
        return box[0]

    @overload
    def fish_for(self, wanted: type[T], /, **fields: Any) -> T: ...

    @overload
    def fish_for(self, wanted: Any, /, **fields: Any) -> Any: ...

    def fish_for(self, wanted: Any, /, **fields: Any) -> Any:
        """Take messages until one is this; those before it are passed over."""
        settle()
        found, message = self._fish(wanted, fields)
        if not found:
            raise AssertionError(self._complaint(f"fished for {_wish(wanted, fields)} in vain", self.box))
        return message

    @overload
    async def told(self, wanted: type[T], /, within: float = WITHIN, **fields: Any) -> T: ...

    @overload
    async def told(self, wanted: Any, /, within: float = WITHIN, **fields: Any) -> Any: ...

    async def told(self, wanted: Any, /, within: float = WITHIN, **fields: Any) -> Any:
        """On a real loop: as `fish_for`, but wait for it, `within` seconds."""
        try:
            async with asyncio.timeout(within):
                while not (fished := self._fish(wanted, fields))[0]:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            late = f"fished for {_wish(wanted, fields)} in vain for {within:g} s"
            raise AssertionError(self._complaint(late, self.box)) from None
        return fished[1]

    def take(self) -> list[Any]:
        """Take all that is in the box."""
        box = self.box
        self._taken = len(self._told)
        return box

    def expect_nothing(self) -> None:
        """The box is empty."""
        if box := self.box:
            raise AssertionError(self._complaint("expected silence", box))

    def _fish(self, wanted: Any, fields: dict[str, Any]) -> tuple[bool, Any]:
        for place in range(self._taken, len(self._told)):
            if _fits(self._told[place], wanted, fields):
                self._taken = place + 1
                return True, self._told[place]
        return False, None

    def _complaint(self, what: str, box: list[Any]) -> str:
        lines = [f"{self.name} {what}"]
        for title, messages in (("taken before", self._told[: self._taken]), ("still in the box", box)):
            lines += [f"{title}:", *(f"  {_text(message)}" for message in messages)] if messages else []
        return "\n".join(lines)

    # In place of a child.

    def stand_in(self, *_args: Any, **_kwargs: Any) -> LoopActor[Any]:
        """What a parent hires in place of a child of this name: it tells the probe all that it is told."""
        child = _StandIn(self)
        self._child = child.me
        return child

    def ends(self) -> None:
        """Let the child that was hired last end quietly."""
        self.crashes(None)

    def crashes(self, cause: BaseException | None) -> None:
        """Let the child that was hired last end by this cause."""
        settle()
        if self._child is None:
            raise AssertionError(f"nobody has hired {self.name}: hand its `stand_in` to the parent to be hired")
        self._child.tell(_End(cause))


class _StandIn(LoopActor[Any]):
    def __init__(self, probe: Probe) -> None:
        super().__init__()
        self.name = probe.name
        self._probe = probe

    def on_receive(self, message: Any) -> None:
        match message:
            case Boot():
                pass
            case _End(cause):
                self.end(cause)
            case _:
                self._probe.tell(message)


def _fits(message: Any, wanted: Any, fields: dict[str, Any]) -> bool:
    if isinstance(wanted, type):
        fits = isinstance(message, wanted)
    elif callable(wanted):
        fits = bool(wanted(message))
    else:
        fits = bool(message == wanted)
    return fits and all(_holds(message, name, value) for name, value in fields.items())


def _holds(message: Any, name: str, value: Any) -> bool:
    held = getattr(message, name)
    return bool(held == value) or (isinstance(value, type) and isinstance(held, value))


def _wish(wanted: Any, fields: dict[str, Any]) -> str:
    named: Callable[..., Any] | type | None = wanted if isinstance(wanted, type) or callable(wanted) else None
    text = getattr(named, "__name__", None) or _text(wanted)
    return f"{text}({', '.join(f'{name}={_text(value)}' for name, value in fields.items())})" if fields else text


def _text(message: Any) -> str:
    return _short.repr(message)
