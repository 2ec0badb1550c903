"""The figures of several servers on one page: each with the name of who told them."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from actors.counters import Counters
from actors.services import Limits
from audio import Pool
from tests.kit.story import WITHIN, run
from tests.web.test_admin import ask
from web.addresses import Addresses
from web.admin import AdminShore, admin_serving
from web.connections import Connections
from web.gathered import Gathered, Told, Whole
from web.metrics import Metrics
from web.request_scheduler import RequestScheduler


@pytest.fixture
def folder() -> Iterator[Path]:
    """For sockets, whose paths must be short."""
    with tempfile.TemporaryDirectory(prefix="ga") as folder:
        yield Path(folder)


def listener(path: Path) -> socket.socket:
    """A bound unix socket."""
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(path))
    return bound


@asynccontextmanager
async def worker(path: Path, counters: Counters) -> AsyncIterator[None]:
    """The admin shore of a worker, on a unix socket."""
    connections = Connections(Limits(), counters.address_refused, Addresses(behind_ours=True))
    figures = Metrics(counters, Pool())
    async with admin_serving(AdminShore(listener(path)), figures, connections, RequestScheduler()):
        yield


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each sample by its name and labels."""
    found: list[Sample] = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert len({(one.name, frozenset(one.labels.items())) for one in found}) == len(found)
    return {(one.name, frozenset(one.labels.items())): one.value for one in found}


def of(text: str, name: str, worker: str, **labels: str) -> float:
    """One value."""
    return samples(text)[name, frozenset({"worker": worker, **labels}.items())]


def test_each_series_is_as_its_worker_told_it(folder: Path) -> None:
    """Counters, gauges, labels and histograms; each family is described once."""

    async def story() -> None:
        one, two = Counters(begun=3, answer_stalls=1), Counters(begun=5)
        one.ended[1000] += 2
        two.phases["heard"].add(0.03)
        async with worker(folder / "n1", one), worker(folder / "n2", two):
            told = [Told("n1", os.getpid, lambda: 4, folder / "n1"), Told("n2", os.getpid, int, folder / "n2")]
            shore = AdminShore(socket.create_server(("127.0.0.1", 0)))
            connections = Connections(Limits(), Counters().address_refused)
            async with admin_serving(shore, Gathered(told), connections, RequestScheduler()):
                status, text = await ask(shore.url)
        assert status == 200
        assert (of(text, "voice_callers", "n1"), of(text, "voice_callers", "n2")) == (1, 5)
        assert of(text, "voice_sessions_ended_total", "n1", code="1000") == 2
        assert of(text, "voice_turn_phase_seconds_bucket", "n2", phase="heard", le="0.05") == 1
        assert of(text, "voice_turn_phase_seconds_count", "n2", phase="heard") == 1
        assert of(text, "voice_process_restarts_total", "n1") == 4
        assert {line.count("# TYPE voice_callers gauge") for line in [text]} == {1}
        alone = samples(generate_latest(Metrics(one, Pool()).registry).decode())
        ours = {name for name, labels in samples(text) if ("worker", "n1") in labels}
        assert ours == {name for name, _ in alone} | {"voice_worker_up", "voice_process_restarts_total"}

    run(story())


def test_a_worker_that_does_not_answer_in_time_is_left_out(folder: Path) -> None:
    """And a figure says so, of one that is not there, too."""

    async def story() -> None:
        deaf = listener(folder / "n2")
        deaf.listen()
        async with worker(folder / "n1", Counters(begun=3)):
            told = [Told(name, os.getpid, int, folder / name) for name in ("n1", "n2", "n3")]
            async with asyncio.timeout(WITHIN):
                figures = await Gathered(told, within=2.0).collect()  # so long takes no worker who is there
            text = generate_latest(Whole(figures)).decode()
        deaf.close()
        up = {name: of(text, "voice_worker_up", name) for name in ("n1", "n2", "n3")}
        assert up == {"n1": 1, "n2": 0, "n3": 0}
        assert {dict(labels)["worker"] for name, labels in samples(text) if name == "voice_callers"} == {"n1"}

    run(story())


def test_of_a_program_of_others_its_process_is_shown() -> None:
    """Its memory and its time; nothing of one that does not run."""

    async def story() -> None:
        told = [Told("haproxy", os.getpid), Told("gone", int)]
        text = generate_latest(Whole(await Gathered(told).collect())).decode()
        assert of(text, "process_resident_memory_bytes", "haproxy") > 10**6
        assert "gone" not in text.replace('voice_process_restarts_total{worker="gone"} 0.0', "")

    run(story())
