"""What each worker is set to: the settings of the whole server, of which it has a part where they limit a process.

divided        calls at once, new calls a second, bytes that wait, and what all may spend in an hour or a day
as they are    everything else: of one call, of one user, of one address, of one persona

Without a register nobody counts what two workers do together, so what is not divided holds in each of them. A budget of
all calls must never be exceeded, so its parts are rounded down; a worker that has spent its part lets nobody in.
"""

import os
from dataclasses import replace
from math import floor
from secrets import token_urlsafe
from typing import Any

from actors.budgets.limits import Budgets
from actors.setting import Setting
from cli.failure import CannotServe
from cli.options import declared
from cli.settings import Settings
from upstream.link import Upstream

DIVIDED = ("sessions", "connects", "all_waiting")
CENT = 0.01


def workers_of(settings: Settings) -> int:
    """How many are to serve: as many as the cores that this process may use, where the settings say 0."""
    if settings.fleet.workers:
        return settings.fleet.workers
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_shared(settings: Settings) -> None:
    """Raises CannotServe for what belongs to one process."""
    if settings.budget_file:
        raise CannotServe(
            "--budget-file belongs to one process: leave it out, or --workers. With REGISTER_URL budgets outlive a "
            "restart in the register.",
            2,
        )


def name(settings: Settings, number: int) -> str:
    """The name of a worker, from 1: behind that of the server, where it has one."""
    return f"{settings.fleet.node}-n{number}" if settings.fleet.node else f"n{number}"


def of_workers(settings: Settings, workers: int, engine: Upstream | None = None) -> list[Settings]:
    """The settings of each worker. `engine` answers, if it is there: the local engine that they have together."""
    limits = settings.limits
    parts = {each: -(-getattr(limits, each) // workers) for each in DIVIDED}
    common: dict[str, Any] = {
        "limits": replace(limits, **parts),
        "admin_token": "",  # only this server reaches their figures
        "tls_cert": None,
        "tls_key": None,
        # A user has the same name in each of them.
        "privacy": replace(settings.privacy, id_secret=settings.privacy.id_secret or token_urlsafe(32)),
    }
    if not settings.fleet.register_url:
        common["budgets"] = _divided(settings.budgets, workers)
    if engine:
        common |= {"upstream_url": engine.url, "upstream_api_key": engine.key, "model": engine.model}
    whole = replace(settings, **common)
    names = (name(settings, number) for number in range(1, workers + 1))
    return [replace(whole, fleet=replace(settings.fleet, node=each, workers=1)) for each in names]


def _divided(budgets: Budgets, workers: int) -> Budgets:
    """The budgets of all calls in equal parts. Raises CannotServe where a part would be less than a limit may be."""
    parts: dict[str, Any] = {}
    for one in declared(Budgets):
        whole = getattr(budgets, one.name)
        if whole is not None and one.name.startswith(("budget_hour_", "budget_day_")):
            parts[one.name] = _part(whole, workers)
            _check(one.setting, one.flag, parts[one.name], workers)
    return replace(budgets, **parts)


def _part(whole: float, workers: int) -> float:
    if isinstance(whole, int):
        return whole // workers
    return floor(whole / workers / CENT) * CENT


def _check(setting: Setting, flag: str, part: float, workers: int) -> None:
    if part < (setting.least or 0):
        raise CannotServe(f"{flag}: it is too little for {workers} workers, each of which has a part of it.", 2)
