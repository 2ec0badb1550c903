"""A whole server in this process: real sockets on both shores, the real engine's server, real decoders.

Only the engine's voice, ear and mind are light: tones that tell voices apart by pitch, and words that tell who was
asked what. So a test can hold the engine's voice back, and count what is left when a call is over.
"""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pykka

from actors.admission.waiting import Ledger
from actors.budgets.limits import Budgets
from actors.caring.judging import Judge
from actors.counters import Counters
from actors.fleet.telling import telling
from actors.runtime import Hired
from actors.services import Limits, Services, Trials
from actors.session import SessionInbox
from audio import Pool
from cli.entrance import Entrance, entrance
from cli.listening import bind
from cli.server import Frontend, accept_callers
from cli.shutdown import Shutdown
from engine.ear.vad import Loudness
from engine.faults.script import Script
from engine.parts import Parts
from engine.server import PATH, Server
from engine.worker import Workers
from personas import Catalogue, CurrentCatalogue
from phone import Phone
from realtime.server.settings import LONGEST_LIFE
from register import Register
from supervisor import SupervisorInbox, SupervisorSnapshot
from tests.kit import secrets
from tests.kit.four import FOUR
from tests.kit.insides import shown
from tests.kit.parts import Echo, Measure, Tones, loud
from tests.kit.process import NEVER_LATE
from tests.kit.story import WITHIN, decoders, until
from tracing.port import Tracer
from upstream.link import Upstream
from upstream.readiness import Readiness
from web.addresses import Addresses
from web.admin import AdminShore
from web.client_limits import CLIENT_LIMITS, ClientLimits

CLIPS = Path(__file__).parents[2] / "clips"
TOKEN = secrets.key("only-for-this-test")


SLOW = ("choose_seconds", "notice_seconds", "ready_seconds", "answer_seconds")
"""How long a caller may take, and the model: where a test sets none of these, only a fault takes so long."""


def patient(limits: Limits) -> Limits:
    """As they are set, and on a busy machine no call is refused, ended or told that something takes long."""
    unset: Any = {name: WITHIN for name in SLOW if getattr(limits, name) == getattr(Limits(), name)}
    return replace(limits, late_ms=NEVER_LATE, **unset)


@dataclass
class Exchange:
    """The running server, and its insides for tests to look at or to hurt."""

    url: str
    http: str
    metrics: str
    """Where the metrics are."""
    shutdown: Shutdown
    engine: Server
    pool: Pool
    upstream: Upstream
    counters: Counters
    waiting: Ledger
    supervisor: Hired[SupervisorInbox]
    current: CurrentCatalogue
    tones: Tones
    ear: Measure
    mind: Echo
    parts: Parts

    def phone(self, user: str = "user-1", **query: str) -> Phone:
        """A phone of this user's, not yet connected."""
        return Phone(self.url, user, query)

    def session(self, user: str = "user-1") -> Hired[SessionInbox]:
        """That of the newest call of this user."""
        return shown(self.supervisor, SupervisorSnapshot).newest[user]

    def left(self) -> dict[str, Any]:
        """What there is now that a call must not leave behind."""
        gc.collect()
        actors = sorted(ref.actor_class.__name__ for ref in pykka.ActorRegistry.get_all())
        tasks = sorted(task.get_name() for task in asyncio.all_tasks() if not task.get_name().startswith("Task-"))
        return {
            "actors": actors,
            "tasks": tasks,
            "engine calls": len(self.engine.calls),
            "handles": len(os.listdir("/proc/self/fd")),
            "connections": len(psutil.Process().net_connections()),
            "processes": len(psutil.Process().children(recursive=True)),
            "queued": self.parts.queued,
        }

    async def settles_to(self, before: dict[str, Any]) -> None:
        """Wait until nothing is left but what there was before."""
        await until(lambda: self.left() == before, lambda: f"left: {self.left()}, before: {before}")


@asynccontextmanager
async def exchange(
    limits: Limits | None = None,
    catalogue: Catalogue | None = None,
    upstream: Callable[[Upstream], Upstream] = lambda real: real,
    faults: Script | None = None,
    session_seconds: float = LONGEST_LIFE,
    hosts: Collection[str] = (),
    origins: Collection[str] = (),
    client_limits: ClientLimits = CLIENT_LIMITS,
    trials: Trials = Trials(),  # noqa: B008  # it is frozen
    addresses: Addresses | None = None,
    workers: Workers | None = None,
    default_astrologer: str = "",
    budgets: Budgets | None = None,
    doors: Entrance = Entrance(),  # noqa: B008  # it is frozen
    register: Register | None = None,
    tracer: Tracer | None = None,
    judge: Judge | None = None,
    counters: Counters | None = None,
    admin_token: str = "",
) -> AsyncIterator[Exchange]:
    """Start it all, and let go of it in reverse; the supervisor must end without a failure.

    `doors` says who may come in, `admin_token` who may look from the admin shore. `register` makes it a server of a
    fleet, `judge` reads along for callers in danger.
    `faults` is what goes wrong on each connection to the model; in `workers` the engine hears and speaks.
    """
    current = CurrentCatalogue(catalogue or FOUR)
    tones, ear, mind, shutdown = Tones(), Measure(), Echo(), Shutdown()
    parts = Parts(tones, ear, loud, mind, Loudness, workers or Workers(2))
    engine = Server(parts, token=TOKEN, session_seconds=session_seconds, script=faults)
    async with decoders() as pool, engine.listen("127.0.0.1", 0) as port:
        model = upstream(Upstream(f"ws://127.0.0.1:{port}{PATH}", "gpt-realtime-2.1", TOKEN))
        services = Services(
            current,
            model,
            pool,
            patient(limits or Limits()),
            trials=trials,
            default_astrologer=default_astrologer,
            budgets=budgets or Budgets(),
            register=register,
            tracer=tracer,
            judge=judge,
            counters=counters or Counters(),
        )
        answers = Readiness(model).would_answer
        admin = AdminShore(bind("127.0.0.1", 0), admin_token)
        listener, addresses = bind("127.0.0.1", 0), addresses or Addresses()
        async with (
            entrance(doors, listener, current, addresses, register) as auth,
            telling(register, services.fleet_sums, services.spending),
            accept_callers(
                Frontend(listener, None, hosts, origins, client_limits, addresses, admin=admin, auth=auth),
                services,
                "local engine",
                answers,
                shutdown,
            ) as (supervisor, address),
        ):
            try:
                yield Exchange(
                    url=f"ws://{address}",
                    http=f"http://{address}",
                    metrics=f"{admin.url}/metrics",
                    shutdown=shutdown,
                    engine=engine,
                    pool=pool,
                    upstream=model,
                    counters=services.counters,
                    waiting=services.waiting,
                    supervisor=supervisor,
                    current=current,
                    tones=tones,
                    ear=ear,
                    mind=mind,
                    parts=parts,
                )
            finally:
                tones.free.set()
                ear.free.set()
    parts.close()
    assert shutdown.down.result().cause is None
    assert register or pykka.ActorRegistry.get_all() == []  # others of the fleet may go on
