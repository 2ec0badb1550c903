"""What each worker is set to: parts of what limits a process, and all the rest as it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from actors.budgets.limits import Budgets
from actors.services import Limits
from cli.failure import CannotServe
from cli.fleet.run import _worker
from cli.fleet.shares import check_shared, of_workers, workers_of
from cli.fleet_member import FleetMember
from cli.privacy import Privacy
from cli.settings import Settings
from upstream.link import Upstream
from upstream.models import LOCAL


def test_what_limits_a_process_is_divided() -> None:
    """Calls are rounded up, money down: of what all may spend nothing more is spent."""
    limits = Limits(sessions=501, connects=50, all_waiting=256, address_calls=50)
    budgets = Budgets(budget_day_usd=10.0, budget_hour_tokens=1000, budget_user_usd=1.0, budget_call_tokens=99)
    parts = of_workers(Settings(limits=limits, budgets=budgets, admin_token="t"), 3)
    assert [part.fleet.node for part in parts] == ["n1", "n2", "n3"]
    for part in parts:
        assert part.limits == replace(limits, sessions=167, connects=17, all_waiting=86)
        assert part.budgets == replace(budgets, budget_day_usd=3.33, budget_hour_tokens=333)
        assert (part.fleet.workers, part.admin_token) == (1, "")


def test_a_register_counts_budgets_for_all() -> None:
    """So none is divided."""
    budgets, fleet = Budgets(budget_day_usd=10.0), FleetMember(register_url="redis://127.0.0.1", node="blr")
    parts = of_workers(Settings(budgets=budgets, fleet=fleet), 2)
    assert [(part.budgets, part.fleet.node) for part in parts] == [(budgets, "blr-n1"), (budgets, "blr-n2")]


def test_too_small_a_budget_is_refused() -> None:
    """A part of nothing would be no limit, or let nobody in."""
    with pytest.raises(CannotServe, match="--budget-hour-tokens: it is too little for 3 workers"):
        of_workers(Settings(budgets=Budgets(budget_hour_tokens=2)), 3)


def test_a_user_has_one_name_in_all_of_them() -> None:
    """By the secret of the settings, or by one of this start."""
    (one, two), (other, _) = of_workers(Settings(), 2), of_workers(Settings(), 2)
    assert len(one.privacy.id_secret) >= 32
    assert one.privacy == two.privacy != other.privacy
    given = Settings(privacy=Privacy(id_secret="s" * 32))
    assert of_workers(given, 2)[0].privacy == given.privacy


def test_they_have_one_engine_together() -> None:
    """By its address and its token."""
    engine = Upstream("ws://127.0.0.1:9/v1/realtime", LOCAL, "token")
    for part in of_workers(Settings(), 2, engine):
        assert (part.upstream_url, part.upstream_api_key, part.model) == (engine.url, "token", LOCAL)
        assert part.record == Settings().record


def test_a_worker_is_told_what_it_is_set_to_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the whole server was told in its environment: it would end TLS once more, and ask for a token."""
    whole = {"WORKERS": "2", "PORT": "8443", "TLS_CERT": "cert.pem", "ADMIN_TOKEN": "t", "SESSIONS": "500"}
    for name, value in {**whole, "LANG": "C.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    part = of_workers(Settings(limits=Limits(sessions=500), admin_token="t"), 2)[0]
    told = _worker(part, Path("/folder")).environment
    assert {name: told.get(name, "") for name in whole} == {
        "WORKERS": "1",
        "PORT": "8000",
        "TLS_CERT": "",
        "ADMIN_TOKEN": "",
        "SESSIONS": "250",
    }
    assert (told["LANG"], told["NODE"], told["WORKER_FOLDER"]) == ("C.UTF-8", "n1", "/folder")


def test_a_file_of_budgets_belongs_to_one_process() -> None:
    """With several it is refused."""
    with pytest.raises(CannotServe, match="--budget-file belongs to one process"):
        check_shared(Settings(budget_file=Path("sums")))
    check_shared(Settings())


def test_one_for_each_core() -> None:
    """Where nobody says how many."""
    assert workers_of(Settings()) == 1
    assert workers_of(Settings(fleet=FleetMember(workers=5))) == 5
    assert workers_of(Settings(fleet=FleetMember(workers=0))) >= 1
