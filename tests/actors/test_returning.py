"""The line comes back: for all who lost theirs together, at the last moment, and for who asked meanwhile."""

from collections import Counter, deque

import pytest

from actors.call.line import LAST_SECONDS
from actors.messages.caller import Chose, Close, ConfigAck, Notice, ToCaller
from actors.runtime import Stop
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from personas import Profile
from tests.kit.four import MOHIT, TINA
from upstream.link import HANDSHAKES

CALLS = 100
SHARE = Limits().sessions // CALLS  # of a full server


def told(scene: Scene) -> list[str]:
    """What the caller was told since the last look: acknowledgements, notices and closes."""
    return [name for name in map(named, scene.caller.take()) if name]


def named(said: ToCaller) -> str:
    match said:
        case ConfigAck():
            return "config_ack"
        case Notice() | Close():
            return str(said.code)
    return ""


class Handshakes:
    """An upstream that shakes hands slowly, with a few at a time: the others wait for their turn."""

    def __init__(self, scenes: list[Scene], seconds: float) -> None:
        self._scenes, self._seconds = scenes, seconds
        self._seen = {scene: len(scene.upstream.dialled) for scene in scenes}
        self._waiting: deque[Wire] = deque()
        self._shaking: list[tuple[float, Wire]] = []

    def look(self, now: float) -> None:
        """Whoever is done is welcomed, and the next ones begin."""
        for scene in self._scenes:
            self._waiting += scene.upstream.dialled[self._seen[scene] :]
            self._seen[scene] = len(scene.upstream.dialled)
        for due, wire in self._shaking:
            if due <= now and not wire.ended:
                wire.welcome()
        self._shaking = [(due, wire) for due, wire in self._shaking if due > now and not wire.ended]
        while self._waiting and len(self._shaking) < HANDSHAKES // SHARE:
            wire = self._waiting.popleft()
            if not wire.ended:
                wire.begin()
                self._shaking.append((now + self._seconds, wire))


def test_all_who_lose_their_connections_at_once_get_another(stage: Stage) -> None:
    """A full server's share of them, and handshakes of two seconds: who waits for their turn keeps their place."""
    scenes = [Scene(stage) for _ in range(CALLS)]
    for scene in scenes:
        scene.on_the_line(TINA)
        scene.upstream.full = True
    handshakes, began = Handshakes(scenes, 2.0), stage.now
    for scene in scenes:
        scene.wire(1).lose()
    while stage.now < began + 35:
        handshakes.look(stage.now)
        stage.advance(0.25)
    heard = Counter(tuple(told(scene)) for scene in scenes)
    assert heard == {("reconnecting", "resumed"): CALLS}
    assert all(len(scene.upstream.dialled) == 2 for scene in scenes)
    for scene in scenes:
        scene.session.tell(Stop())
    stage.advance(5)
    for scene in scenes:
        stage.expect_terminated(scene.session)


# The last try.


@pytest.mark.parametrize("tries_last", [0.0, 0.5, 1.7, 4.0])
@pytest.mark.parametrize("patience", [10.0, 30.0, 47.0])
def test_a_try_is_made_shortly_before_it_is_too_late(stage: Stage, patience: float, tries_last: float) -> None:
    """However long each takes to fail: an outage that is over three seconds before the end of patience ends no call."""
    scene = Scene(stage, limits=Limits(upstream_patience=patience))
    scene.on_the_line(TINA)
    began, back = stage.now, stage.now + patience - LAST_SECONDS - tries_last
    scene.wire(1).lose()
    dialled: dict[Wire, float] = {}
    while stage.now < began + patience + 1:
        stage.settle()
        for wire in scene.upstream.dialled[1:]:
            since = dialled.setdefault(wire, stage.now)
            if not wire.ended and since >= back:
                wire.welcome()
            elif not wire.ended and stage.now >= since + tries_last:
                wire.lose()
        if not scene.upstream.dialled[-1].ended and dialled.get(scene.upstream.dialled[-1], 0.0) >= back:
            break
        stage.advance(0.1)
    assert told(scene) == ["reconnecting", "resumed"]
    assert stage.now < began + patience - 1.5
    scene.end()


def test_the_last_try_is_one(scene: Scene) -> None:
    """Not one after the other until it is too late."""
    scene.on_the_line(TINA)
    scene.wire(1).lose()
    began = scene.stage.now
    times: list[float] = []
    while scene.stage.now < began + 30:
        scene.stage.settle()
        for wire in scene.upstream.dialled[1 + len(times) :]:
            times.append(scene.stage.now - began)
            wire.lose()
        scene.stage.advance(0.1)
    assert len([at for at in times if at >= 30 - LAST_SECONDS]) == 1


# Whoever is lost is chosen again.


@pytest.mark.parametrize("profile", [None, Profile(name="Asha")])
@pytest.mark.parametrize("times", [1, 2])
def test_a_choice_that_is_repeated_while_the_line_is_lost_is_acknowledged(
    scene: Scene, times: int, profile: Profile | None
) -> None:
    """When it is back, as often as it was made; the next loss owes nothing any more."""
    scene.on_the_line(TINA)
    scene.wire(1).lose()
    scene.stage.settle()
    for _ in range(times):
        scene.says(Chose(TINA, profile=profile))
    assert told(scene) == ["reconnecting"]
    scene.wire(2).welcome()
    assert told(scene) == ["resumed", *["config_ack"] * times]
    scene.wire(2).lose()
    scene.stage.advance(1)
    scene.wire(3).welcome()
    assert told(scene) == ["reconnecting", "resumed"]


def test_another_choice_after_it_is_the_one_that_is_acknowledged(scene: Scene) -> None:
    """Nobody waits for whoever was on the line before."""
    scene.on_the_line(TINA)
    scene.wire(1).lose()
    scene.stage.settle()
    scene.says(Chose(TINA))
    scene.says(Chose(MOHIT))
    scene.stage.advance(1)
    scene.upstream.dialled[-1].welcome()
    assert scene.caller.fish_for(ConfigAck).astrologer_id == MOHIT
    scene.stage.advance(5)
    assert "config_ack" not in told(scene)
