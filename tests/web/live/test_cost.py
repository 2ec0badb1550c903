"""What the live view costs the loop, in CPU time of its thread: a busy machine changes little of that."""

import time
from types import SimpleNamespace

from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from tests.kit.streaming import on_the_line, speak
from web.live.rows import ROWS, Live
from web.live.view import View

CALLS = 500
MOST_MS = 5.0


def test_a_look_at_five_hundred_calls_is_cheap(stage: Stage) -> None:
    """Each second takes less than 5 ms; all rows of a page are of calls in which somebody speaks, and all are told."""
    scenes = []
    for _ in range(ROWS):
        scenes.append(Scene(stage, limits=Limits(idle_seconds=1e6)))
        on_the_line(scenes[-1])
    sessions = [scenes[number % ROWS].session for number in range(CALLS)]
    calls = [
        SimpleNamespace(id=f"a-{number}", user=f"user-{number}", session=session, since=0.0)
        for number, session in enumerate(sessions)
    ]
    shown = SimpleNamespace(calls=calls, draining=False)
    live = Live(lambda: shown, lambda: 0, scenes[0].services.pseudonym, stage.clock.now, CALLS, lambda: None)
    took = []
    for _ in range(20):
        for scene in scenes:
            speak(scene, 20)
        stage.settle()
        view = View()  # who sees it for the first time: every row is new
        began = time.thread_time()
        now = live.now(0, "")
        told = view.news(now) if now else None
        took.append((time.thread_time() - began) * 1000)
        assert told
        assert told.count(b'"session"') == ROWS
    assert min(took) < MOST_MS, took  # in the others is what the machine does besides
    for scene in scenes:
        scene.end()
