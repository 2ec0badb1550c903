import pytest

from engine.load import FIRST, Job, Load

CLIP = 8.0  # units


def busy(load: Load, jobs: int, at: float = 0.0) -> list[Job]:
    """Add so many clips at once; as many as there are workers begin."""
    come = [Job("ear", CLIP) for _ in range(jobs)]
    for job in come:
        load.add(job, at)
    return come


def test_what_comes_waits_as_long_as_what_is_there_takes() -> None:
    """The seconds of all jobs, shared by the workers; none while a worker is free."""
    load, cost = Load(2), FIRST["ear"] * CLIP
    assert load.wait(0.0) == 0.0
    first, *_ = busy(load, 1)
    load.begin(first, 0.0)
    assert load.wait(0.0) == 0.0
    busy(load, 4)
    assert load.wait(0.0) == pytest.approx(cost * 5 / 2)


def test_the_wait_follows_the_clock_on_the_wall() -> None:
    """On a machine that is ten times slower fewer jobs may wait; as many as before when it is fast again."""
    load = Load(1, limit=2.1)
    room: list[int] = []
    now = 0.0
    for seconds in [0.4] * 20 + [4.0] * 20 + [0.4] * 40:
        job = Job("ear", CLIP)
        load.add(job, now)
        load.begin(job, now)
        now += seconds
        load.end(job, now)
        waiting: list[Job] = []
        while not load.is_full(now, new=False):
            waiting.append(Job("ear", CLIP))
            load.add(waiting[-1], now)
        room.append(len(waiting))
        for one in waiting:
            load.drop(one, now)
    assert room[19] == room[-1] == 4
    assert room[39] == 1


def test_a_job_that_hangs_fills_the_engine_while_it_hangs() -> None:
    """A job that is late counts before it ends, so that a queue that does not move accepts nothing."""
    load = Load(1, limit=1.5)
    (job,) = busy(load, 1)
    load.begin(job, 0.0)
    assert not load.is_full(0.3, new=False)
    assert load.is_full(3.0, new=False)
    load.end(job, 3.0)
    assert not load.is_full(3.0, new=False)


def test_an_idle_engine_takes_a_job_whatever_it_expects() -> None:
    """With no job in front, a job is accepted whatever the estimate, so that a wrong one is corrected."""
    load, now = Load(1, limit=1.0), 0.0
    for _ in range(10):
        (job,) = busy(load, 1, now)
        load.begin(job, now)
        now += 100.0
        load.end(job, now)
    assert not load.is_full(now, new=False)


def test_a_new_caller_is_refused_before_one_in_a_call() -> None:
    """A new call is refused at half the wait, and for some seconds after the wait was long."""
    load, cost = Load(1, limit=2.0), FIRST["ear"] * CLIP
    waiting = busy(load, int(1.5 / cost))
    assert load.is_full(0.0, new=True)
    assert not load.is_full(0.0, new=False)
    for job in waiting:
        load.drop(job, 60.0)
    assert load.is_full(60.0, new=True)
    assert not load.is_full(60.0, new=False)
    assert load.is_full(60.2, new=True)
    assert not load.is_full(70.0, new=True)


def test_a_moment_of_work_turns_no_new_caller_away_afterwards() -> None:
    """A queue that was long only for a moment does not refuse new calls."""
    load = Load(1, limit=2.0)
    for job in busy(load, 5):
        load.drop(job, 0.1)
    assert not load.is_full(0.2, new=True)
